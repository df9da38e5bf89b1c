import { fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import { ApiError, problemOf } from '../../errors';
import type { IJob, IJobEvent } from '../../models';
import type { FakeBus } from '../../testing/fakes';
import {
  FakeNotebook,
  RESULT,
  aJob,
  aModel,
  events,
  settled
} from '../../testing/fakes';
import { PublishView } from './view';

/** The view of an open notebook; Publish does what the command does at last. */
async function show() {
  const parts = aModel();
  const { model, tracker } = parts;
  tracker.show(new FakeNotebook('work/iris.ipynb'));
  await settled();
  const onPublish = jest.fn(() => void model.publish());
  const element = () => <PublishView model={model} onPublish={onPublish} />;
  const view = render(element());
  model.stateChanged.connect(() => view.rerender(element()));
  const publish = async (): Promise<IJob> => {
    await React.act(async () => {
      await userEvent.click(screen.getByRole('button', { name: /^Publish/ }));
      await settled();
    });
    return model.lastPublish!.job;
  };
  return { ...parts, onPublish, publish };
}

/** Let a job say something, and the view show it. */
const tell = (bus: FakeBus, job: IJob, story: IJobEvent[]) =>
  React.act(async () => {
    story.forEach(event => bus.say(job, event));
    await settled();
  });

const stage = (name: string, state: string) => ({ type: 'stage', name, state });

describe('PublishView', () => {
  it('publishes to the target that the server proposes', async () => {
    const { api, publish } = await show();
    expect(screen.getByLabelText('Target')).toHaveValue('oci:/registry/iris');
    await publish();
    expect(api.startJob).toHaveBeenCalledWith('publish', {
      path: 'work/iris.ipynb',
      target: 'oci:/registry/iris'
    });
  });

  it('publishes to the target that was typed', async () => {
    const { api } = await show();
    const target = screen.getByLabelText('Target');
    await userEvent.clear(target);
    await userEvent.type(target, ' r.test/lab/iris{Enter}');
    await settled();
    expect(api.startJob.mock.calls[0][1].target).toBe('r.test/lab/iris');
  });

  it('says that edits of the environment go with it, and sends them', async () => {
    const { api, environment, publish } = await show();
    expect(screen.queryByText(/of its environment/)).toBeNull();
    React.act(() => {
      environment.edit({ kind: 'addition', requirement: 'six' });
      environment.edit({ kind: 'system' });
    });
    expect(screen.getByText('With 2 edits of its environment.')).toBeVisible();
    await publish();
    expect(api.startJob).toHaveBeenCalledWith('publish', {
      path: 'work/iris.ipynb',
      target: 'oci:/registry/iris',
      environment: { additions: ['six'] },
      system_packages: 'auto'
    });
  });

  it('cannot be pressed twice', async () => {
    const { publish, onPublish } = await show();
    await publish();
    const button = screen.getByRole('button', { name: /^Publish/ });
    expect(button).toBeDisabled();
    await userEvent.click(button);
    expect(onPublish).toHaveBeenCalledTimes(1);
  });

  it('can be pressed for another target meanwhile', async () => {
    const { publish } = await show();
    await publish();
    await userEvent.type(screen.getByLabelText('Target'), ':other');
    expect(screen.getByRole('button', { name: 'Publish' })).toBeEnabled();
  });

  it('shows each stage, and how far the current one is', async () => {
    const { bus, publish } = await show();
    const job = await publish();
    const progress = { stage: 'run', done: 3, total: 8, unit: 'cells' };
    const story = events(
      { ...stage('read', 'finished'), seconds: 0.25 },
      stage('run', 'started'),
      { type: 'progress', ...progress }
    );
    await tell(bus, job, story);
    const stages = within(screen.getByRole('list', { name: 'Stages' }));
    const items = stages.getAllByRole('listitem');
    expect(items).toHaveLength(9);
    expect(items[0]).toHaveTextContent('Read the notebookfinished250 ms');
    expect(items[1]).toHaveAttribute('aria-current', 'step');
    expect(stages.getByRole('progressbar')).toHaveAttribute('value', '3');
    expect(stages.getByText('Cell 3 of 8')).toBeInTheDocument();
    expect(screen.getByRole('status')).toHaveTextContent('Run from the pins');
  });

  it('shows what it came to', async () => {
    const { bus, publish } = await show();
    const job = await publish();
    const story = events(
      { type: 'result', value: RESULT },
      { type: 'state', state: 'succeeded' }
    );
    await tell(bus, job, story);
    const card = screen.getByRole('region', { name: 'Published iris' });
    expect(card).toHaveTextContent(RESULT.reference);
    expect(card).toHaveTextContent('version 2');
    expect(card).toHaveTextContent('Verified');
    expect(card).toHaveTextContent('1.2 MB');
    expect(card).toHaveTextContent('accuracy0.95');
    expect(within(card).getAllByRole('button')).toHaveLength(4);
    expect(screen.getByRole('button', { name: 'Publish' })).toBeEnabled();
  });

  it('serves and runs what was published', async () => {
    const { api, bus, model, publish } = await show();
    const job = await publish();
    const versioned = 'registry.test/lab/iris:v2';
    const parameters = [{ name: 'n', type: 'int' as const, default: 1 }];
    const story = events(
      { type: 'result', value: { ...RESULT, versioned, parameters } },
      { type: 'state', state: 'succeeded' }
    );
    await tell(bus, job, story);
    await userEvent.click(screen.getByRole('button', { name: 'Serve' }));
    expect(api.startJob).toHaveBeenLastCalledWith('serve', {
      reference: versioned,
      with: 'process'
    });
    const run = screen.getByRole('button', { name: /^Run with/ });
    await userEvent.click(run);
    expect(model.runForm).toEqual({
      source: { reference: versioned },
      title: 'iris',
      parameters
    });
  });

  it('shows all problems of a publish that failed', async () => {
    const { bus, publish } = await show();
    const job = await publish();
    const story = events(
      stage('lock', 'started'),
      { type: 'problem', ...problemOf('No wheel of a.', 'Pin another.') },
      { type: 'problem', ...problemOf('No wheel of b.') },
      { type: 'state', state: 'failed' }
    );
    await tell(bus, job, story);
    const alert = screen.getByRole('alert');
    expect(within(alert).getAllByRole('listitem')).toHaveLength(2);
    expect(alert).toHaveTextContent('Pin another.');
    const [lock] = within(
      screen.getByRole('list', { name: 'Stages' })
    ).getAllByRole('listitem');
    expect(lock).toHaveAttribute('data-state', 'failed');
  });

  it('publishes what a person says is no secret', async () => {
    const { api, bus, publish } = await show();
    const job = await publish();
    const said = { ...problemOf('A secret.'), where: 'cell 2, line 1' };
    const story = events(
      { type: 'problem', ...said, fingerprint: 'c0ffee' },
      { type: 'problem', ...problemOf('Another thing.') },
      { type: 'state', state: 'failed' }
    );
    await tell(bus, job, story);
    const name = 'It is no secret: cell 2, line 1';
    await userEvent.click(screen.getByRole('button', { name }));
    expect(screen.getByText('Said to be no secret.')).toBeVisible();
    expect(screen.getByText(/^With 1 text that looks/)).toBeVisible();
    await publish();
    const sent = () => api.startJob.mock.calls.at(-1)![1].allowed_secrets;
    expect(sent()).toEqual(['c0ffee']);
  });

  it('stops again at what was allowed, when asked', async () => {
    const { model, publish, api } = await show();
    React.act(() => {
      model.allowedSecrets = ['c0ffee'];
    });
    const button = screen.getByRole('button', { name: 'Stop at them again' });
    await userEvent.click(button);
    expect(screen.queryByText(/that looks like a secret/)).toBeNull();
    await publish();
    expect(api.startJob.mock.calls[0][1].allowed_secrets).toBeUndefined();
  });

  it('allows what the last publish allowed', async () => {
    const { api, jobs, model } = await show();
    const request = { path: 'work/iris.ipynb', allowed_secrets: ['c0ffee'] };
    const last = aJob({ id: 'last', state: 'succeeded', request });
    api.listJobs.mockResolvedValue([last]);
    api.describeJob.mockResolvedValue(last);
    await React.act(async () => {
      await jobs.refresh();
      await settled();
    });
    expect(model.allowedSecrets).toEqual(['c0ffee']);
  });

  it('shows the job that is in the way', async () => {
    const { api, publish } = await show();
    const job = aJob({ id: 'other', request: { path: 'work/iris.ipynb' } });
    const said = problemOf('This is under way already.');
    api.startJob.mockRejectedValue(new ApiError(409, [said], job));
    const shown = await publish();
    expect(shown.id).toBe('other');
    expect(screen.getByRole('alert')).toHaveTextContent('under way already');
    expect(screen.getByRole('button', { name: /^Publishing/ })).toBeDisabled();
  });

  it('shows the last publish again, and proposes its target', async () => {
    const { api, jobs } = await show();
    const request = { path: 'work/iris.ipynb', target: 'r.test/lab/iris' };
    const result = RESULT as unknown as Record<string, unknown>;
    const last = aJob({ id: 'last', state: 'succeeded', request, result });
    api.listJobs.mockResolvedValue([
      last,
      aJob({ request: { path: 'other.ipynb', target: 'r.test/other' } })
    ]);
    api.describeJob.mockResolvedValue(last);
    await React.act(async () => {
      await jobs.refresh();
      await settled();
    });
    expect(screen.getByRole('region', { name: /^Published/ })).toBeVisible();
    expect(screen.getByLabelText('Target')).toHaveValue('r.test/lab/iris');
    expect(api.listEvents).toHaveBeenCalledWith('last');
  });

  it('cancels', async () => {
    const { api, publish } = await show();
    const job = await publish();
    await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(api.deleteJob).toHaveBeenCalledWith(job.id);
  });

  it('reads the log only when it is opened', async () => {
    const { bus, publish } = await show();
    const job = await publish();
    const [line] = events({ type: 'log', level: 'info', text: 'pinned' });
    React.act(() => bus.say(job, line));
    expect(screen.queryByText('pinned')).not.toBeInTheDocument();
    const details = screen.getByText('Log').closest('details')!;
    details.open = true;
    fireEvent(details, new Event('toggle'));
    expect(await screen.findByText('pinned')).toBeInTheDocument();
  });

  it.each([true, false])('allows pickles as the settings do: %s', async yes => {
    const { model, publish, api } = await show();
    React.act(() => {
      model.choices = {
        defaultRegistry: '',
        serveWith: 'process',
        allowPickle: yes
      };
    });
    await publish();
    const sent = api.startJob.mock.calls[0][1].allow_pickle;
    expect(sent).toBe(yes ? true : undefined);
  });

  it('prefers the registry of the settings', async () => {
    const { model } = await show();
    React.act(() => {
      model.choices = { defaultRegistry: 'r.test/lab/', serveWith: 'docker' };
    });
    expect(screen.getByLabelText('Target')).toHaveValue('r.test/lab/iris');
    React.act(() => {
      model.choices = { defaultRegistry: 'oci:/data', serveWith: 'docker' };
    });
    expect(screen.getByLabelText('Target')).toHaveValue('oci:/data:iris');
  });
});
