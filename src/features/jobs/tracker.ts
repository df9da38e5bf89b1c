import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MlopsApi } from '../../api';
import { ApiError } from '../../errors';
import type { IJob, IJobEvent, IJobRequest, JobKind } from '../../models';
import type { IJobChange, IJobTracker } from '../../tokens';
import type { IJobView } from './state';
import { applyEvent, isActive, isEnded, viewOf } from './state';

/** The schema of the events that jobs put on Jupyter's event bus. */
export const JOB_SCHEMA = 'https://schema.jupyter.org/jupyter_mlops/job/v1';

interface IJobEmission {
  schema_id: string;
  job: string;
  event: IJobEvent;
}

/**
 * Knows every job of the server, by what the event bus says.
 *
 * The bus forgets: what was said before this page was open, or while the
 * connection was down, is fetched once (`refresh`, or a gap in the numbers of a
 * job's events). Each event is taken in once, in the order of its number.
 */
export class JobTracker implements IJobTracker, IDisposable {
  constructor(
    private readonly _api: MlopsApi,
    private readonly _stream: Event.Stream
  ) {
    this._stream.connect(this._onEmission, this);
  }

  get changed(): ISignal<this, IJobChange> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Every known job, the newest first. */
  get jobs(): IJobView[] {
    return [...this._views.values()].sort((a, b) =>
      b.job.created.localeCompare(a.job.created)
    );
  }

  get(id: string): IJobView | undefined {
    return this._views.get(id);
  }

  /** Fetch the list of jobs and the events that were missed. */
  async refresh(): Promise<void> {
    const jobs = await this._api.listJobs();
    const ids = new Set(jobs.map(({ id }) => id));
    for (const id of [...this._views.keys()]) {
      if (!ids.has(id)) {
        this._remove(id);
      }
    }
    await Promise.all(jobs.map(job => this._adopt(job)));
  }

  /**
   * Start work. When the same work is under way already, the job that does it
   * becomes known here, and the error is thrown all the same.
   */
  async start(kind: JobKind, request: IJobRequest): Promise<IJobView> {
    try {
      const job = await this._api.startJob(kind, request);
      return await this._adopt(job);
    } catch (reason) {
      if (reason instanceof ApiError && reason.job) {
        await this._adopt(reason.job);
      }
      throw reason;
    }
  }

  /** Fetch the events of a job that ended before anybody watched it. */
  async load(id: string): Promise<void> {
    if (this._views.get(id)?.seq === 0) {
      await this._catchUp(id);
    }
  }

  /** Ask the server to end a job; its last events say when it did. */
  async cancel(id: string): Promise<void> {
    await this._api.deleteJob(id);
  }

  /** Forget a job that ended. */
  async forget(id: string): Promise<void> {
    await this._api.deleteJob(id);
    this._remove(id);
  }

  readLog(id: string): Promise<string> {
    return this._api.readLog(id);
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _onEmission(_: Event.IManager, emission: Event.Emission): void {
    if (emission.schema_id !== JOB_SCHEMA) {
      return;
    }
    const { job: id, event } = emission as unknown as IJobEmission;
    const waiting = this._waiting.get(id);
    if (waiting) {
      waiting.push(event);
      return;
    }
    const view = this._views.get(id);
    const seq = view?.seq ?? 0;
    // How a job ended stands in its record: the result, and what went wrong.
    const isEnd = event.type === 'state' && isEnded(event.state);
    if (view && event.seq === seq + 1 && !isEnd) {
      this._take(id, [event]);
    } else if (event.seq > seq) {
      void this._catchUp(id);
      this._waiting.get(id)?.push(event);
    }
  }

  /** Make a job known, or take in what the server says of a known one. */
  private async _adopt(job: IJob): Promise<IJobView> {
    const known = this._views.get(job.id);
    if (!known) {
      this._add(job);
    }
    if (isActive(known?.job ?? job)) {
      await this._catchUp(job.id, job);
    }
    return this._views.get(job.id) ?? viewOf(job);
  }

  /**
   * Fetch what was missed, one fetch at a time for a job; what the bus says
   * meanwhile waits, or an old answer would hide it.
   */
  private _catchUp(id: string, record?: IJob): Promise<void> {
    let underWay = this._catchingUp.get(id);
    if (!underWay) {
      this._waiting.set(id, []);
      underWay = this._fetch(id, record).finally(() => {
        this._catchingUp.delete(id);
        this._waiting.delete(id);
      });
      this._catchingUp.set(id, underWay);
    }
    return underWay;
  }

  private async _fetch(id: string, record?: IJob): Promise<void> {
    try {
      const job = record ?? (await this._api.describeJob(id));
      if (!this._views.has(id)) {
        this._add(job);
      }
      const events = await this._api.listEvents(id);
      this._take(id, [...events, ...(this._waiting.get(id) ?? [])], job);
    } catch (reason) {
      if (reason instanceof ApiError && reason.status === 404) {
        this._remove(id);
      } else {
        console.warn(`The events of job ${id} could not be read.`, reason);
        this._take(id, this._waiting.get(id) ?? []);
      }
    }
  }

  /**
   * Take events in. The record of a job that ended has the last word: a process
   * that was killed wrote no last event.
   */
  private _take(id: string, events: IJobEvent[], record?: IJob): void {
    const before = this._views.get(id);
    if (!before || this._isDisposed) {
      return;
    }
    let after = [...events]
      .sort((a, b) => a.seq - b.seq)
      .reduce(
        (view, event) =>
          event.seq > view.seq ? applyEvent(view, event) : view,
        before
      );
    if (record && !isActive(record)) {
      after = { ...after, job: record, progress: null };
    }
    if (after !== before) {
      this._views.set(id, after);
      this._changed.emit({ type: 'updated', view: after });
    }
  }

  private _add(job: IJob): void {
    const view = viewOf(job);
    this._views.set(job.id, view);
    this._changed.emit({ type: 'added', view });
  }

  private _remove(id: string): void {
    const view = this._views.get(id);
    if (view) {
      this._views.delete(id);
      this._changed.emit({ type: 'removed', view });
    }
  }

  private readonly _views = new Map<string, IJobView>();
  private readonly _catchingUp = new Map<string, Promise<void>>();
  private readonly _waiting = new Map<string, IJobEvent[]>();
  private readonly _changed = new Signal<this, IJobChange>(this);
  private _isDisposed = false;
}
