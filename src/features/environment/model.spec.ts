import { ApiError, problemOf } from '../../errors';
import type { IEnvironmentReport } from '../../models';
import type { IAnswer } from './edits';
import { FakeNotebook, REPORT, aModel, settled } from '../../testing/fakes';

/** The model of an open notebook. */
async function open() {
  const parts = aModel();
  const notebook = new FakeNotebook('work/iris.ipynb');
  parts.tracker.show(notebook);
  await settled();
  return { ...parts, file: notebook };
}

describe('EnvironmentModel', () => {
  it('asks for nothing by itself, and once when somebody looks', async () => {
    const { api, environment } = await open();
    expect(api.describeEnvironment).not.toHaveBeenCalled();
    const looks = [environment.look(), environment.look()];
    expect(environment.work).toBe('lock');
    await Promise.all(looks);
    await environment.look();
    expect(api.describeEnvironment.mock.calls).toEqual([['work/iris.ipynb']]);
    expect(environment.report).toBe(REPORT);
    expect(environment.work).toBeNull();
  });

  it('asks for nothing without a notebook', async () => {
    const { api, environment } = aModel();
    await environment.look();
    expect(api.describeEnvironment).not.toHaveBeenCalled();
  });

  it('locks with the edits, and only when it is told to', async () => {
    const { api, environment } = await open();
    await environment.look();
    environment.edit({ kind: 'addition', requirement: 'six' });
    environment.edit({ kind: 'answer', module: 'x', distribution: 'y' });
    expect(environment.isEdited).toBe(true);
    expect(api.editEnvironment).not.toHaveBeenCalled();
    await environment.lock();
    expect(api.editEnvironment.mock.calls).toEqual([
      [
        {
          path: 'work/iris.ipynb',
          options: { additions: ['six'] },
          answers: { x: 'y' },
          system: false
        }
      ]
    ]);
    expect(environment.isEdited).toBe(false);
  });

  it('looks at the base image only when it is asked to', async () => {
    const { api, environment } = await open();
    await environment.lock('system');
    expect(api.editEnvironment).toHaveBeenCalledWith({
      path: 'work/iris.ipynb',
      options: {},
      answers: {},
      system: true
    });
    environment.edit({ kind: 'system' });
    expect(environment.isEdited).toBe(false);
  });

  it('takes only the answer to the newest question', async () => {
    const { api, environment } = await open();
    const older = { ...REPORT, sha256: 'older' };
    let answer: (report: IEnvironmentReport) => void = () => undefined;
    api.describeEnvironment.mockReturnValueOnce(
      new Promise(resolve => (answer = resolve))
    );
    const first = environment.lock();
    await environment.lock();
    answer(older);
    await first;
    expect(environment.report).toBe(REPORT);
  });

  it('keeps the report and the edits when the server fails', async () => {
    const { api, environment } = await open();
    await environment.look();
    environment.edit({ kind: 'removal', name: 'pyarrow' });
    const said = problemOf('The index is down.', 'Try again.');
    api.editEnvironment.mockRejectedValueOnce(new ApiError(500, [said]));
    await environment.lock();
    expect(environment.problems).toEqual([said]);
    expect(environment.report).toBe(REPORT);
    expect(environment.isEdited).toBe(true);
    expect(environment.edits).toHaveLength(1);
    await environment.lock();
    expect(environment.problems).toEqual([]);
  });

  it('keeps what is edited with its notebook', async () => {
    const { api, environment, tracker, file } = await open();
    await environment.look();
    environment.edit({ kind: 'addition', requirement: 'six' });
    tracker.show(new FakeNotebook('work/other.ipynb'));
    await settled();
    expect(environment.edits).toEqual([]);
    expect(environment.report).toBeNull();
    expect(environment.request).toEqual({});
    expect(api.describeEnvironment).toHaveBeenCalledTimes(1);
    tracker.show(file);
    await settled();
    expect(environment.request).toEqual({
      environment: { additions: ['six'] }
    });
    expect(environment.report).toBe(REPORT);
  });

  it('gives an answer to the notebook that was asked about', async () => {
    const { environment, tracker } = await open();
    const asked = environment.look();
    tracker.show(new FakeNotebook('work/other.ipynb'));
    await asked;
    await settled();
    expect(environment.report).toBeNull();
    expect(environment.work).toBeNull();
  });

  it('knows that the notebook was saved since', async () => {
    const { environment, file } = await open();
    await environment.look();
    expect(environment.isOlder).toBe(false);
    await file.context.save();
    await settled();
    expect(environment.isOlder).toBe(true);
    await environment.lock();
    expect(environment.isOlder).toBe(false);
  });

  it('keeps an answer in the notebook, only with consent', async () => {
    const { environment, file } = await open();
    const { model } = file.context;
    const answer: IAnswer = {
      kind: 'answer',
      module: 'a.b',
      distribution: 'x'
    };
    model.metadata.jupyter_mlops = { other: 1 };
    environment.edit(answer);
    expect(environment.isRemembered(answer)).toBe(false);
    expect(model.metadata).toEqual({ jupyter_mlops: { other: 1 } });
    environment.remember(answer, true);
    expect(environment.isRemembered(answer)).toBe(true);
    expect(model.metadata).toEqual({
      jupyter_mlops: { other: 1, distributions: { 'a.b': 'x' } }
    });
    const better = { ...answer, distribution: 'y' };
    environment.edit(better);
    expect(environment.isRemembered(better)).toBe(true);
    environment.undo(better);
    expect(model.metadata).toEqual({ jupyter_mlops: { other: 1 } });
  });

  it('leaves no trace of an answer that is forgotten', async () => {
    const { environment, file } = await open();
    const answer: IAnswer = { kind: 'answer', module: 'a', distribution: 'x' };
    environment.edit(answer);
    environment.remember(answer, true);
    environment.remember(answer, false);
    expect(file.context.model.metadata).toEqual({});
    expect(environment.edits).toEqual([answer]);
  });

  it('sends the edits with a publish, and nothing when there are none', async () => {
    const { api, environment, model } = await open();
    await model.publish();
    const path = 'work/iris.ipynb';
    const target = 'oci:/registry/iris';
    expect(api.startJob).toHaveBeenLastCalledWith('publish', { path, target });
    environment.edit({ kind: 'override', name: 'numpy', version: '<2' });
    environment.edit({ kind: 'answer', module: 'x', distribution: 'y' });
    environment.edit({ kind: 'system' });
    model.target = 'oci:/elsewhere';
    await model.publish();
    expect(api.startJob).toHaveBeenLastCalledWith('publish', {
      path,
      target: 'oci:/elsewhere',
      environment: { overrides: { numpy: '<2' } },
      answers: { x: 'y' },
      system_packages: 'auto'
    });
  });
});
