import { Notification } from '@jupyterlab/apputils';
import type { FakeBus } from '../../testing/fakes';
import { aJob, aModel, events, settled, trans } from '../../testing/fakes';
import { JobNotifier } from './notifications';
import type { JobTracker } from './tracker';

describe('JobNotifier', () => {
  let bus: FakeBus;
  let jobs: JobTracker;
  const show = jest.fn();

  beforeEach(() => {
    Notification.dismiss();
    const parts = aModel();
    ({ bus, jobs } = parts);
    new JobNotifier(jobs, { model: parts.model, show }, trans);
  });

  const told = () => Notification.manager.notifications;

  it('tells of a job from its start to its end, in one notification', async () => {
    const { job } = await jobs.start('publish', { path: 'iris.ipynb' });
    expect(told()).toHaveLength(1);
    expect(told()[0].type).toBe('in-progress');
    const story = events(
      { type: 'stage', name: 'lock', state: 'started' },
      { type: 'state', state: 'succeeded' }
    );
    bus.say(job, story[0]);
    expect(told()[0].message).toContain('Pin the dependencies');
    bus.say(job, story[1]);
    await settled();
    expect(told()).toHaveLength(1);
    expect(told()[0]).toMatchObject({ type: 'success' });
  });

  it('says why a job failed, and leads to the panel', async () => {
    const { job } = await jobs.start('publish', { path: 'iris.ipynb' });
    const story = events(
      { type: 'problem', problem: 'Cell 3 raised ValueError.' },
      { type: 'state', state: 'failed' }
    );
    story.forEach(event => bus.say(job, event));
    await settled();
    const [notification] = told();
    expect(notification.type).toBe('error');
    expect(notification.message).toContain('Cell 3 raised ValueError.');
    notification.options.actions?.[0].callback({} as MouseEvent);
    expect(show).toHaveBeenCalled();
  });

  it('is silent about what ended before', async () => {
    const { api, jobs: others, model } = aModel();
    new JobNotifier(others, { model, show }, trans);
    api.listJobs.mockResolvedValue([aJob({ state: 'failed' })]);
    await others.refresh();
    expect(told()).toEqual([]);
  });
});
