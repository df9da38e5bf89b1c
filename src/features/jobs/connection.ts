import type { ServiceManager } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { IJobTracker } from '../../tokens';
import { isActive } from './state';

/**
 * Catches up when the event bus may have been away: after the connection to
 * the server was lost, and when a hidden page is shown again.
 *
 * Nothing is asked for while the connection stands. Once it is lost there is no
 * signal for its return, so the list of jobs is asked for, ever more rarely,
 * until it comes.
 */
export class ConnectionWatcher implements IDisposable {
  constructor(
    private readonly _jobs: IJobTracker,
    serviceManager: ServiceManager.IManager,
    private readonly _onReturn: () => void
  ) {
    serviceManager.connectionFailure.connect(this._onFailure, this);
    document.addEventListener('visibilitychange', this._onVisible);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    document.removeEventListener('visibilitychange', this._onVisible);
    this._probe?.dispose();
    Signal.clearData(this);
  }

  private _onFailure(): void {
    if (this._probe) {
      return;
    }
    this._probe = new Poll({
      name: 'jupyter-mlops:connection',
      factory: () => this._jobs.refresh(),
      frequency: { interval: 1000, backoff: true, max: 30000 },
      standby: 'when-hidden'
    });
    this._probe.ticked.connect((probe, state) => {
      if (state.phase === 'resolved' || state.phase === 'reconnected') {
        probe.dispose();
        this._probe = null;
        this._onReturn();
      }
    }, this);
  }

  private readonly _onVisible = (): void => {
    const active = this._jobs.jobs.some(({ job }) => isActive(job));
    if (!document.hidden && active) {
      this._jobs.refresh().catch(() => undefined);
    }
  };

  private _probe: Poll<void> | null = null;
  private _isDisposed = false;
}
