import { ApiError, problemOf } from '../../errors';
import { SERVICE, aModel, events, settled, trans } from '../../testing/fakes';
import { RunningJobs, RunningServices } from './running';

describe('ServicesModel', () => {
  it('lists the services again when a serve job ended', async () => {
    const { api, bus, jobs, services } = aModel();
    const { job } = await jobs.start('serve', { reference: 'r' });
    expect(api.listServices).not.toHaveBeenCalled();
    api.listServices.mockResolvedValue([SERVICE]);
    const [end] = events({ type: 'state', state: 'succeeded' });
    bus.say(job, end);
    await settled();
    expect(services.services).toEqual([SERVICE]);
  });

  it('lists them again when one was stopped', async () => {
    const { api, services } = aModel();
    api.listServices.mockResolvedValueOnce([SERVICE]);
    await services.refresh();
    await services.stop(SERVICE.id);
    expect(api.stopService).toHaveBeenCalledWith(SERVICE.id);
    expect(services.services).toEqual([]);
  });

  it('keeps what went wrong', async () => {
    const { api, services } = aModel();
    const problem = problemOf('It does not stop.');
    api.stopService.mockRejectedValue(new ApiError(502, [problem]));
    await services.stop('x');
    expect(services.problems).toEqual([problem]);
  });
});

describe('the Running panel', () => {
  it('lists jobs under way, and cancels them', async () => {
    const { api, bus, jobs, model } = aModel();
    const running = new RunningJobs({ model, show: jest.fn() }, trans);
    const first = await jobs.start('publish', { path: 'a.ipynb' });
    const second = await jobs.start('run', { reference: 'r' });
    expect(running.running()).toHaveLength(2);
    const [end] = events({ type: 'state', state: 'succeeded' });
    bus.say(first.job, end);
    await settled();
    const [item] = running.running();
    expect(running.running()).toHaveLength(1);
    item.shutdown?.();
    expect(api.deleteJob).toHaveBeenCalledWith(second.job.id);
  });

  it('lists services, and stops all of them', async () => {
    const { api, model, services } = aModel();
    api.listServices.mockResolvedValue([SERVICE, { ...SERVICE, id: 's2' }]);
    await services.refresh();
    const running = new RunningServices({ model, show: jest.fn() }, trans);
    const [item] = running.running();
    expect(item.label()).toBe('iris');
    expect(item.detail?.()).toBe(SERVICE.url);
    running.shutdownAll();
    expect(api.stopService.mock.calls).toEqual([['service-1'], ['s2']]);
  });
});
