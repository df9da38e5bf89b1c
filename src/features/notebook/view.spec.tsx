import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import type { IAnalysis } from '../../models';
import { ANALYSIS, DRAFT } from '../../testing/fakes';
import type { NotebookFollower } from './follower';
import { NotebookView } from './view';

const onCell = jest.fn();

function show(
  analysis: IAnalysis | null,
  fields: Partial<NotebookFollower> = {}
): void {
  const notebook = {
    analysis,
    pipeline: analysis,
    path: 'iris.ipynb',
    isDraft: false,
    isLoading: false,
    unfinished: [],
    findings: analysis?.problems ?? [],
    ...fields
  } as unknown as NotebookFollower;
  render(<NotebookView notebook={notebook} onCell={onCell} />);
}

describe('NotebookView', () => {
  it('shows the code of the service as it is typed', () => {
    const source = 'def predict(rows):\n    return typed(rows)\n';
    const service_code = { ...ANALYSIS.service_code, source };
    show(ANALYSIS, { pipeline: { ...DRAFT, service_code }, isDraft: true });
    const code = screen.getByLabelText('Service code');
    expect(code.textContent).toBe(source);
  });

  it('names what could be a parameter, and what is worth a note', () => {
    const analysis = {
      ...ANALYSIS,
      notes: ["Cell 4 sets 'trees' again."],
      candidates: [
        {
          name: 'seed',
          type: 'int' as const,
          default: 3,
          cell: 2,
          why: 'it is the seed of random numbers'
        }
      ]
    };
    show(analysis);
    expect(screen.getByText(/sets 'trees' again/)).toBeInTheDocument();
    expect(screen.getByText('Could Be Parameters')).toBeInTheDocument();
    expect(screen.getByTitle(/seed of random/)).toHaveTextContent('cell 2');
  });

  it('lists hidden state by what to do, and goes to the cells', async () => {
    const remedy = 'Run the notebook from top to bottom and save it';
    const sign = { kind: 'not run' as const, name: '', remedy };
    show({
      ...ANALYSIS,
      hidden_state: [
        { ...sign, cell: 3, problem: 'Cell 3 was never run' },
        { ...sign, cell: 5, problem: 'Cell 5 was never run' }
      ]
    });
    expect(screen.getByText('Hidden State')).toBeInTheDocument();
    expect(screen.getAllByText(remedy)).toHaveLength(1);
    await userEvent.click(screen.getByText('Cell 5 was never run'));
    expect(onCell).toHaveBeenLastCalledWith(5);
  });

  it('says where a run contradicted the code', () => {
    const contradictions = ["The run showed that cell 3 needs 'x'"];
    show({ ...ANALYSIS, contradictions });
    expect(screen.getByText(contradictions[0])).toBeInTheDocument();
  });

  it('goes to the cell of a problem, and to no other place', async () => {
    const problem = { problem: 'It is wrong', why: '', remedy: '' };
    show({
      ...ANALYSIS,
      problems: [
        { ...problem, where: 'cell 2' },
        { ...problem, where: 'data.csv' }
      ]
    });
    await userEvent.click(screen.getByRole('button', { name: 'cell 2' }));
    expect(onCell).toHaveBeenLastCalledWith(2);
    expect(screen.queryByRole('button', { name: 'data.csv' })).toBeNull();
  });

  it('says what is not of the text that is typed', () => {
    show(ANALYSIS, { isDraft: true, pipeline: DRAFT });
    expect(screen.getByText(/those of the saved file/)).toBeInTheDocument();
    expect(screen.getByRole('button', { name: /^typed/ })).toBeInTheDocument();
  });

  it('asks to save what could only be read as text', () => {
    show(null, { isDraft: true, pipeline: DRAFT });
    expect(screen.getByText(/Save the notebook to see/)).toBeInTheDocument();
  });

  it('shows no empty list of them', () => {
    show(ANALYSIS);
    expect(screen.queryByText('Could Be Parameters')).toBeNull();
  });
});
