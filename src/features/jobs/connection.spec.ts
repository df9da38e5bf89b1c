import { Signal } from '@lumino/signaling';
import { aJob, aModel, settled } from '../../testing/fakes';
import { ConnectionWatcher } from './connection';

async function setUp() {
  const parts = aModel();
  const failure = new Signal<object, Error>({});
  const onReturn = jest.fn();
  const watcher = new ConnectionWatcher(
    parts.jobs,
    { connectionFailure: failure } as never,
    onReturn
  );
  return { ...parts, failure, onReturn, watcher };
}

/** Let as much time pass as the longest pause between two questions. */
async function pass(): Promise<void> {
  await settled();
  jest.advanceTimersByTime(31000);
  await settled();
}

describe('ConnectionWatcher', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('asks for nothing while the connection stands', async () => {
    const { api, watcher } = await setUp();
    await pass();
    expect(api.listJobs).not.toHaveBeenCalled();
    watcher.dispose();
  });

  it('catches up once the connection is back, then asks no more', async () => {
    const { api, failure, jobs, onReturn, watcher } = await setUp();
    const job = aJob({ id: 'a' });
    api.listJobs
      .mockRejectedValueOnce(new Error('away'))
      .mockRejectedValueOnce(new Error('away'))
      .mockResolvedValue([job]);
    failure.emit(new Error('lost'));
    failure.emit(new Error('still lost'));
    for (let turn = 0; turn < 6; turn += 1) {
      await pass();
    }
    expect(jobs.get('a')).toBeDefined();
    expect(onReturn).toHaveBeenCalledTimes(1);
    const asked = api.listJobs.mock.calls.length;
    expect(asked).toBe(3);
    await pass();
    expect(api.listJobs).toHaveBeenCalledTimes(asked);
    watcher.dispose();
  });

  it('catches up when the page is shown again and a job is under way', async () => {
    const { api, jobs, watcher } = await setUp();
    document.dispatchEvent(new Event('visibilitychange'));
    expect(api.listJobs).not.toHaveBeenCalled();
    await jobs.start('publish', { path: 'a.ipynb' });
    document.dispatchEvent(new Event('visibilitychange'));
    expect(api.listJobs).toHaveBeenCalledTimes(1);
    watcher.dispose();
    document.dispatchEvent(new Event('visibilitychange'));
    expect(api.listJobs).toHaveBeenCalledTimes(1);
  });
});
