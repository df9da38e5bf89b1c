import { URLExt } from '@jupyterlab/coreutils';
import type {
  IAnalysis,
  ICatalog,
  IDraft,
  IEditedEnvironment,
  IEnvironmentReport,
  IJob,
  IJobEvent,
  IJobRequest,
  IPick,
  IService,
  JobKind
} from './models';
import type { IRequestOptions } from './request';
import { requestAPI } from './request';

/** The REST interface of the server extension, one typed function per verb. */
export class MlopsApi {
  constructor(private readonly _options: IRequestOptions) {}

  analyze(path: string): Promise<IAnalysis> {
    return this._get(`analysis${URLExt.objectToQueryString({ path })}`);
  }

  /** Analyze what is in an editor; neither its file nor a kernel is touched. */
  analyzeDraft(path: string, content: unknown): Promise<IDraft> {
    return requestAPI<IDraft>('draft', this._options, {
      method: 'POST',
      body: JSON.stringify({ path, content })
    });
  }

  /** Lock the environment of a saved notebook, and describe it: takes seconds. */
  describeEnvironment(path: string): Promise<IEnvironmentReport> {
    return this._get(`environment${URLExt.objectToQueryString({ path })}`);
  }

  /** Describe it as it is with edits and answers; the server keeps nothing. */
  editEnvironment(edited: IEditedEnvironment): Promise<IEnvironmentReport> {
    return requestAPI<IEnvironmentReport>('environment', this._options, {
      method: 'POST',
      body: JSON.stringify(edited)
    });
  }

  /** List what can be captured; `kernel` is the id of the one that runs it. */
  listCaptures(path: string, kernel: string): Promise<IPick> {
    const asked = { path, ...(kernel ? { kernel } : {}) };
    return this._get(`captures${URLExt.objectToQueryString(asked)}`);
  }

  async listJobs(): Promise<IJob[]> {
    return (await this._get<{ jobs: IJob[] }>('jobs')).jobs;
  }

  startJob(kind: JobKind, request: IJobRequest): Promise<IJob> {
    return requestAPI<IJob>('jobs', this._options, {
      method: 'POST',
      body: JSON.stringify({ kind, request })
    });
  }

  async listEvents(id: string): Promise<IJobEvent[]> {
    const url = `jobs/${encodeURIComponent(id)}/events`;
    return (await this._get<{ events: IJobEvent[] }>(url)).events;
  }

  describeJob(id: string): Promise<IJob> {
    return this._get(`jobs/${encodeURIComponent(id)}`);
  }

  async readLog(id: string): Promise<string> {
    const url = `jobs/${encodeURIComponent(id)}/log`;
    return (await this._get<{ log: string }>(url)).log;
  }

  /** Cancel a job that is under way, forget one that ended. */
  deleteJob(id: string): Promise<void> {
    return this._delete(`jobs/${encodeURIComponent(id)}`);
  }

  /** List what fits in a registry; without one, in the server's default registry. */
  listPublications(registry = '', search = ''): Promise<ICatalog> {
    const asked = {
      ...(registry ? { registry } : {}),
      ...(search ? { search } : {})
    };
    return this._get(`publications${URLExt.objectToQueryString(asked)}`);
  }

  async listServices(): Promise<IService[]> {
    return (await this._get<{ services: IService[] }>('services')).services;
  }

  stopService(id: string): Promise<void> {
    return this._delete(`services/${encodeURIComponent(id)}`);
  }

  private _get<T>(endPoint: string): Promise<T> {
    return requestAPI<T>(endPoint, this._options);
  }

  private _delete(endPoint: string): Promise<void> {
    return requestAPI<void>(endPoint, this._options, { method: 'DELETE' });
  }
}
