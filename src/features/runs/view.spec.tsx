import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import { ApiError, problemOf } from '../../errors';
import { ANALYSIS, RESULT, aModel, events, settled } from '../../testing/fakes';
import { RunsView } from './view';

function show() {
  const parts = aModel();
  const { model } = parts;
  const view = render(<RunsView model={model} />);
  model.stateChanged.connect(() => {
    view.rerender(<RunsView model={model} />);
  });
  return parts;
}

function openForm(model: ReturnType<typeof aModel>['model']) {
  const { parameters } = ANALYSIS;
  const source = { reference: RESULT.reference };
  React.act(() => model.openRunForm({ source, title: 'iris', parameters }));
}

describe('RunsView', () => {
  it('says what to do when there are no runs', () => {
    show();
    expect(screen.getByText(/No runs yet/)).toBeInTheDocument();
  });

  it('runs with the values that differ, by keyboard alone', async () => {
    const { api, model } = show();
    openForm(model);
    const trees = screen.getByLabelText(/trees/);
    expect(trees).toHaveFocus();
    await userEvent.clear(trees);
    await userEvent.type(trees, '7{Enter}');
    await waitFor(() => expect(api.startJob).toHaveBeenCalled());
    expect(api.startJob).toHaveBeenCalledWith('run', {
      reference: RESULT.reference,
      parameters: { trees: 7 }
    });
    expect(screen.queryByRole('form')).not.toBeInTheDocument();
  });

  it('does not send what cannot be right', async () => {
    const { api, model } = show();
    openForm(model);
    const trees = screen.getByLabelText(/trees/);
    fireEvent.change(trees, { target: { value: '0' } });
    fireEvent.submit(screen.getByRole('form'));
    expect(screen.getByRole('alert')).toHaveTextContent('Give 1 or more.');
    expect(trees).toBeInvalid();
    expect(trees).toHaveAccessibleDescription('≥ 1 Give 1 or more.');
    expect(api.startJob).not.toHaveBeenCalled();
  });

  it('shows what the server says at its field, and stays open', async () => {
    const { api, model } = show();
    openForm(model);
    const problem = problemOf('trees: 100 is too many for this machine.');
    api.startJob.mockRejectedValue(new ApiError(422, [problem]));
    await React.act(async () => {
      fireEvent.submit(screen.getByRole('form'));
      await settled();
    });
    expect(screen.getByLabelText(/trees/)).toHaveAccessibleDescription(
      '≥ 1 100 is too many for this machine.'
    );
  });

  it('shows the metrics and the notebook of a run that ended', async () => {
    const { bus, model } = show();
    await React.act(async () => {
      const view = await model.start('run', {
        reference: RESULT.reference,
        parameters: { trees: 7 }
      });
      const value = {
        id: 'run-1',
        state: 'succeeded',
        parameters: { trees: 7, shuffle: true },
        metrics: { accuracy: 0.9 },
        output: 'runs/out.ipynb'
      };
      const story = events(
        { type: 'result', value },
        { type: 'state', state: 'succeeded' }
      );
      story.forEach(event => bus.say(view!.job, event));
    });
    const [item] = screen.getAllByRole('listitem');
    expect(item).toHaveTextContent('trees=7');
    expect(item).toHaveTextContent('accuracy0.9');
    expect(item).toHaveTextContent('runs/out.ipynb');
    expect(screen.getByRole('button', { name: /^Forget/ })).toBeEnabled();
  });

  it('cancels a run under way', async () => {
    const { api, model } = show();
    await React.act(async () => {
      await model.start('run', { reference: RESULT.reference });
    });
    const button = screen.getByRole('button', { name: /^Cancel / });
    await userEvent.click(button);
    expect(api.deleteJob).toHaveBeenCalledTimes(1);
    expect(model.runs).toHaveLength(1);
  });
});
