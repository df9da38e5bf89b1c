import { render, screen } from '@testing-library/react';
import * as React from 'react';
import { ANALYSIS } from '../../testing/fakes';
import type { NotebookFollower } from './follower';
import { NotebookView } from './view';

describe('NotebookView', () => {
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
    const notebook = { analysis, isLoading: false, problems: [] };
    render(<NotebookView notebook={notebook as unknown as NotebookFollower} />);
    expect(screen.getByText(/sets 'trees' again/)).toBeInTheDocument();
    expect(screen.getByText('Could Be Parameters')).toBeInTheDocument();
    expect(screen.getByTitle(/seed of random/)).toHaveTextContent('cell 2');
  });

  it('shows no empty list of them', () => {
    const notebook = { analysis: ANALYSIS, isLoading: false, problems: [] };
    render(<NotebookView notebook={notebook as unknown as NotebookFollower} />);
    expect(screen.queryByText('Could Be Parameters')).toBeNull();
  });
});
