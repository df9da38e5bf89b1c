import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MlopsApi } from '../../api';
import { problemsOf } from '../../errors';
import type { IProblem, IService } from '../../models';
import type { IJobChange, IJobTracker } from '../../tokens';
import { isActive } from '../jobs/state';

/** The services that answer now; listed again whenever a serve job ended. */
export class ServicesModel implements IDisposable {
  constructor(
    private readonly _api: MlopsApi,
    jobs: IJobTracker
  ) {
    jobs.changed.connect(this._onJob, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get services(): readonly IService[] {
    return this._services;
  }

  get problems(): readonly IProblem[] {
    return this._problems;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async refresh(): Promise<void> {
    try {
      this._services = await this._api.listServices();
      this._problems = [];
    } catch (reason) {
      this._problems = problemsOf(reason);
    }
    this._emit();
  }

  async stop(id: string): Promise<void> {
    try {
      await this._api.stopService(id);
    } catch (reason) {
      this._problems = problemsOf(reason);
      this._emit();
      return;
    }
    await this.refresh();
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _onJob(_: IJobTracker, { type, view }: IJobChange): void {
    const { kind, id } = view.job;
    if (kind !== 'serve' || type === 'removed') {
      return;
    }
    if (isActive(view.job)) {
      this._watched.add(id);
    } else if (this._watched.delete(id)) {
      void this.refresh();
    }
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _watched = new Set<string>();
  private readonly _changed = new Signal<this, void>(this);
  private _services: IService[] = [];
  private _problems: IProblem[] = [];
  private _isDisposed = false;
}
