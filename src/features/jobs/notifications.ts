import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { IJobChange, IJobTracker, IMlopsPanel } from '../../tokens';
import { fractionDone, statusText } from './progressView';
import type { IJobView } from './state';
import { isActive } from './state';

/** Tells of jobs under way and of their end, wherever the user looks. */
export class JobNotifier implements IDisposable {
  constructor(
    jobs: IJobTracker,
    private readonly _panel: IMlopsPanel,
    private readonly _trans: TranslationBundle
  ) {
    jobs.changed.connect(this._onChange, this);
    for (const view of jobs.jobs) {
      this._tell(view);
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _onChange(_: IJobTracker, { type, view }: IJobChange): void {
    if (type !== 'removed') {
      this._tell(view);
      return;
    }
    const told = this._told.get(view.job.id);
    if (told) {
      this._told.delete(view.job.id);
      Notification.dismiss(told.notification);
    }
  }

  private _tell(view: IJobView): void {
    const { id } = view.job;
    const told = this._told.get(id);
    const active = isActive(view.job);
    const message = statusText(view, this._trans);
    if (!told && active) {
      const notification = Notification.emit(message, 'in-progress', {
        autoClose: false,
        progress: fractionDone(view),
        actions: [this._showAction()]
      });
      this._told.set(id, { notification, message });
    } else if (told && !active) {
      this._told.delete(id);
      this._tellEnd(view, told.notification, message);
    } else if (told && told.message !== message) {
      told.message = message;
      Notification.update({
        id: told.notification,
        message,
        progress: fractionDone(view)
      });
    }
  }

  private _tellEnd(view: IJobView, id: string, message: string): void {
    const { state, problems } = view.job;
    const failed = state === 'failed';
    const reason = problems[0]?.problem;
    Notification.update({
      id,
      message: failed && reason ? `${message}. ${reason}` : message,
      type: failed ? 'error' : state === 'cancelled' ? 'warning' : 'success',
      autoClose: failed ? false : 5000,
      progress: undefined,
      actions: [this._showAction()]
    });
  }

  private _showAction(): Notification.IAction {
    return {
      label: this._trans.__('Show'),
      caption: this._trans.__('Show it in the MLOps panel'),
      callback: () => this._panel.show()
    };
  }

  private readonly _told = new Map<
    string,
    { notification: string; message: string }
  >();
  private _isDisposed = false;
}
