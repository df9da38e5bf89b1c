import { ApiError, problemOf } from '../../errors';
import type { IJobEvent } from '../../models';
import type { FakeApi } from '../../testing/fakes';
import { FakeBus, aJob, events, fakeApi, settled } from '../../testing/fakes';
import type { IJobChange } from '../../tokens';
import { JobTracker } from './tracker';

const STORY = events(
  { type: 'state', state: 'running' },
  { type: 'stage', name: 'read', state: 'started' },
  { type: 'stage', name: 'read', state: 'finished', seconds: 0.5 },
  { type: 'log', level: 'info', text: 'one' },
  { type: 'log', level: 'info', text: 'two' }
);

describe('JobTracker', () => {
  let api: FakeApi;
  let bus: FakeBus;
  let tracker: JobTracker;
  let changes: string[];

  beforeEach(() => {
    api = fakeApi();
    bus = new FakeBus();
    tracker = new JobTracker(api, bus.stream);
    changes = [];
    tracker.changed.connect((_, { type, view }: IJobChange) => {
      changes.push(`${type} ${view.job.id}`);
    });
  });

  const log = (id: string) => tracker.get(id)?.log.map(line => line.text);

  it('catches up with the jobs that were under way before', async () => {
    const job = aJob({ id: 'a' });
    api.listJobs.mockResolvedValue([job]);
    api.listEvents.mockResolvedValue(STORY);
    await tracker.refresh();
    expect(tracker.get('a')?.seq).toBe(5);
    expect(log('a')).toEqual(['one', 'two']);
    expect(changes).toEqual(['added a', 'updated a']);
  });

  it('fetches the events of an ended job only when asked', async () => {
    const job = aJob({ id: 'a', state: 'succeeded' });
    api.listJobs.mockResolvedValue([job]);
    api.describeJob.mockResolvedValue(job);
    api.listEvents.mockResolvedValue(STORY);
    await tracker.refresh();
    expect(api.listEvents).not.toHaveBeenCalled();
    await tracker.load('a');
    await tracker.load('a');
    expect(api.listEvents).toHaveBeenCalledTimes(1);
    expect(tracker.get('a')?.stages).toEqual([
      { name: 'read', state: 'finished', seconds: 0.5 }
    ]);
    expect(tracker.get('a')?.job.state).toBe('succeeded');
  });

  it('takes in each event once, in its order', async () => {
    const { job } = await tracker.start('publish', { path: 'a.ipynb' });
    for (const event of [...STORY, STORY[4], STORY[3]]) {
      bus.say(job, event);
    }
    expect(log(job.id)).toEqual(['one', 'two']);
    expect(changes.filter(change => change.startsWith('updated'))).toHaveLength(
      5
    );
  });

  it('fetches what is missing when a number was left out', async () => {
    const { job } = await tracker.start('publish', { path: 'a.ipynb' });
    bus.say(job, STORY[0]);
    api.describeJob.mockResolvedValue(job);
    api.listEvents.mockClear().mockResolvedValue(STORY);
    bus.say(job, STORY[4]);
    await settled();
    expect(api.listEvents).toHaveBeenCalledTimes(1);
    expect(log(job.id)).toEqual(['one', 'two']);
  });

  it('keeps what the bus says while an older answer is on its way', async () => {
    let answer: (events: IJobEvent[]) => void = () => undefined;
    api.listEvents.mockReturnValue(
      new Promise(resolve => {
        answer = resolve;
      })
    );
    const job = aJob({ id: 'a' });
    api.listJobs.mockResolvedValue([job]);
    const refreshed = tracker.refresh();
    await settled();
    bus.say(job, STORY[3]);
    bus.say(job, STORY[4]);
    answer(STORY.slice(0, 3));
    await refreshed;
    expect(tracker.get('a')?.seq).toBe(5);
    expect(log('a')).toEqual(['one', 'two']);
    expect(tracker.get('a')?.stages[0].state).toBe('finished');
  });

  it('gets to know a job that another page or the CLI started', async () => {
    const job = aJob({ id: 'elsewhere' });
    api.describeJob.mockResolvedValue(job);
    api.listEvents.mockResolvedValue(STORY);
    bus.say(job, STORY[4]);
    await settled();
    expect(tracker.jobs.map(view => view.job.id)).toEqual(['elsewhere']);
    expect(log('elsewhere')).toEqual(['one', 'two']);
  });

  it('does not listen to other schemas', async () => {
    bus.say(aJob(), STORY[0], 'https://events.jupyter.org/other/v1');
    await settled();
    expect(tracker.jobs).toEqual([]);
    expect(api.describeJob).not.toHaveBeenCalled();
  });

  it('believes the record of a job whose process was killed', async () => {
    const job = aJob({ id: 'a' });
    api.listJobs.mockResolvedValue([job]);
    api.listEvents.mockResolvedValue(STORY);
    await tracker.refresh();
    const problem = problemOf('Its process was killed.');
    const killed = { ...job, state: 'failed' as const, problems: [problem] };
    api.listJobs.mockResolvedValue([killed]);
    await tracker.refresh();
    expect(tracker.get('a')?.job).toEqual(killed);
  });

  it('reads the result in the record of a job that ended', async () => {
    const { job } = await tracker.start('publish', { path: 'a.ipynb' });
    const ended = {
      ...job,
      state: 'succeeded' as const,
      result: { reference: 'r' }
    };
    api.describeJob.mockResolvedValue(ended);
    const [end] = events({ type: 'state', state: 'succeeded' });
    bus.say(job, end);
    await settled();
    expect(tracker.get(job.id)?.job).toEqual(ended);
  });

  it('knows that a job ended even if its record cannot be read', async () => {
    const { job } = await tracker.start('publish', { path: 'a.ipynb' });
    const warn = jest.spyOn(console, 'warn').mockReturnValue(undefined);
    api.describeJob.mockRejectedValue(new ApiError(0, [problemOf('Away.')]));
    const [end] = events({ type: 'state', state: 'failed' });
    bus.say(job, end);
    await settled();
    expect(tracker.get(job.id)?.job.state).toBe('failed');
    warn.mockRestore();
  });

  it('follows the job that is in the way, and still says so', async () => {
    const job = aJob({ id: 'running' });
    const refusal = new ApiError(409, [problemOf('Already.')], job);
    api.startJob.mockRejectedValue(refusal);
    api.listEvents.mockResolvedValue(STORY);
    await expect(tracker.start('publish', {})).rejects.toBe(refusal);
    expect(log('running')).toEqual(['one', 'two']);
  });

  it('forgets the jobs that the server forgot', async () => {
    const [a, b] = [aJob({ id: 'a' }), aJob({ id: 'b' })];
    api.listJobs.mockResolvedValueOnce([a, b]).mockResolvedValueOnce([b]);
    await tracker.refresh();
    await tracker.refresh();
    expect(tracker.jobs.map(view => view.job.id)).toEqual(['b']);
    expect(changes).toContain('removed a');
  });

  it('lists the newest first', async () => {
    const old = aJob({ id: 'old' });
    const young = aJob({ id: 'young' });
    api.listJobs.mockResolvedValue([old, young]);
    await tracker.refresh();
    expect(tracker.jobs.map(view => view.job.id)).toEqual(['young', 'old']);
  });

  it('leaves the end of a cancelled job to its events', async () => {
    const { job } = await tracker.start('publish', { path: 'a.ipynb' });
    await tracker.cancel(job.id);
    expect(api.deleteJob).toHaveBeenCalledWith(job.id);
    expect(tracker.get(job.id)?.job.state).toBe('running');
    const [end] = events({ type: 'state', state: 'cancelled' });
    bus.say(job, end);
    await settled();
    expect(tracker.get(job.id)?.job.state).toBe('cancelled');
    expect(tracker.get(job.id)?.job.ended).toBe(end.time);
    await tracker.forget(job.id);
    expect(tracker.get(job.id)).toBeUndefined();
  });

  it('is silent once it is disposed', async () => {
    const { job } = await tracker.start('publish', { path: 'a.ipynb' });
    tracker.dispose();
    changes.length = 0;
    bus.say(job, STORY[0]);
    expect(changes).toEqual([]);
  });
});
