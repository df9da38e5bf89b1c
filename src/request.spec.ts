import { ServerConnection } from '@jupyterlab/services';
import { MlopsApi } from './api';
import { ApiError, problemsOf } from './errors';
import { aJob, trans } from './testing/fakes';

const serverSettings = ServerConnection.makeSettings({
  baseUrl: 'http://jupyter.test/user/me/'
});
const api = new MlopsApi({ serverSettings, trans });

function answer(status: number, body?: unknown): jest.SpyInstance {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  return jest.spyOn(ServerConnection, 'makeRequest').mockResolvedValue({
    ok: status < 400,
    status,
    statusText: 'Some Reason',
    text: async () => (status === 204 ? '' : text)
  } as Response);
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const reason = await promise.then(
    () => null,
    caught => caught
  );
  expect(reason).toBeInstanceOf(ApiError);
  return reason;
}

afterEach(() => jest.restoreAllMocks());

describe('the REST interface', () => {
  it('asks below the base URL of the server', async () => {
    const request = answer(200, { jobs: [] });
    await expect(api.listJobs()).resolves.toEqual([]);
    expect(request.mock.calls[0][0]).toBe(
      'http://jupyter.test/user/me/jupyter-mlops/jobs'
    );
  });

  it('escapes what it puts into addresses', async () => {
    const request = answer(200, {});
    await api.analyze('a folder/ü & ö.ipynb');
    expect(request.mock.calls[0][0]).toMatch(
      /analysis\?path=a%20folder%2F%C3%BC%20%26%20%C3%B6.ipynb$/
    );
  });

  it('posts the kind and the request of a job', async () => {
    const request = answer(202, aJob());
    await api.startJob('serve', { reference: 'r/iris:v1', with: 'docker' });
    const [, init] = request.mock.calls[0];
    expect(init.method).toBe('POST');
    expect(JSON.parse(init.body)).toEqual({
      kind: 'serve',
      request: { reference: 'r/iris:v1', with: 'docker' }
    });
  });

  it('takes an empty answer', async () => {
    const request = answer(204);
    await expect(api.deleteJob('job-1')).resolves.toBeNull();
    expect(request.mock.calls[0][1].method).toBe('DELETE');
  });

  it('asks for the default registry when none is given', async () => {
    const request = answer(200, { registry: 'r', publications: [] });
    await api.listPublications();
    await api.listPublications('r.test/lab');
    await api.listPublications('', 'a b');
    await api.listPublications('r.test', 'a&b');
    expect(request.mock.calls[0][0]).toMatch(/publications$/);
    expect(request.mock.calls[1][0]).toMatch(/\?registry=r.test%2Flab$/);
    expect(request.mock.calls[2][0]).toMatch(/\?search=a%20b$/);
    expect(request.mock.calls[3][0]).toMatch(/\?registry=r.test&search=a%26b$/);
  });
});

describe('what goes wrong', () => {
  const problem = { problem: 'No.', why: 'So.', remedy: 'Go.', where: 'There' };

  it('keeps every problem that the server names', async () => {
    answer(422, { problems: [problem, { ...problem, problem: 'Nor.' }] });
    const error = await failure(api.listJobs());
    expect(error.status).toBe(422);
    expect(error.problems.map(one => one.problem)).toEqual(['No.', 'Nor.']);
    expect(problemsOf(error)).toBe(error.problems);
  });

  it('keeps the job that is in the way', async () => {
    const job = aJob();
    answer(409, { problems: [problem], job });
    expect((await failure(api.startJob('run', {}))).job).toEqual(job);
  });

  it('says how to install the server extension when it is not there', async () => {
    answer(404, '<html>Not Found</html>');
    const error = await failure(api.listJobs());
    expect(error.problems[0].remedy).toContain('pip install jupyter_mlops');
  });

  it('does not take a missing thing for a missing extension', async () => {
    answer(404, { problems: [problem] });
    expect((await failure(api.listJobs())).problems).toEqual([problem]);
  });

  it('says that it is forbidden', async () => {
    answer(403, '');
    const [said] = (await failure(api.listJobs())).problems;
    expect(said.problem).toContain('not allowed');
  });

  it('says what an unexplained answer is', async () => {
    answer(500, 'Traceback …');
    const [said] = (await failure(api.listJobs())).problems;
    expect(said.problem).toContain('500 Some Reason');
    expect(said.problem).not.toContain('Traceback');
  });

  it('says that the server cannot be reached', async () => {
    jest
      .spyOn(ServerConnection, 'makeRequest')
      .mockRejectedValue(new TypeError('Failed to fetch'));
    const error = await failure(api.listJobs());
    expect(error.status).toBe(0);
    expect(error.problems[0].problem).toContain('cannot be reached');
  });
});
