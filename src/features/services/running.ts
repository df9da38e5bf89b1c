import type { IRunningSessions } from '@jupyterlab/running';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { publishIcon, serviceIcon } from '../../icons';
import type { IMlopsPanel } from '../../tokens';
import { statusText } from '../jobs/progressView';
import { isActive } from '../jobs/state';

/** The jobs under way, for the panel that lists what runs. */
export class RunningJobs implements IRunningSessions.IManager {
  constructor(
    private readonly _panel: IMlopsPanel,
    private readonly _trans: TranslationBundle
  ) {
    this.name = _trans.__('MLOps Jobs');
    this.shutdownLabel = _trans.__('Cancel');
    this.shutdownAllLabel = _trans.__('Cancel All');
    this.shutdownAllConfirmationText = _trans.__(
      'Are you sure you want to cancel all jobs? Nothing they began is tagged.'
    );
  }

  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: string;

  get runningChanged(): ISignal<unknown, unknown> {
    return this._panel.model.mlops.jobs.changed;
  }

  running(): IRunningSessions.IRunningItem[] {
    const { model } = this._panel;
    const active = model.mlops.jobs.jobs.filter(({ job }) => isActive(job));
    return active.map(view => ({
      icon: () => publishIcon,
      label: () => statusText(view, this._trans),
      open: () => this._panel.show(),
      shutdown: () => void model.cancel(view.job.id)
    }));
  }

  refreshRunning(): void {
    this._panel.model.mlops.jobs.refresh().catch(() => undefined);
  }

  shutdownAll(): void {
    this.running().forEach(item => item.shutdown?.());
  }
}

/** The services that answer, for the panel that lists what runs. */
export class RunningServices implements IRunningSessions.IManager {
  constructor(
    private readonly _panel: IMlopsPanel,
    trans: TranslationBundle
  ) {
    this.name = trans.__('MLOps Services');
    this.shutdownLabel = trans.__('Stop');
    this.shutdownAllLabel = trans.__('Stop All');
    this.shutdownAllConfirmationText = trans.__(
      'Are you sure you want to stop all services? Their callers get no answer from then on.'
    );
  }

  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: string;

  get runningChanged(): ISignal<unknown, unknown> {
    return this._panel.model.mlops.services.changed;
  }

  running(): IRunningSessions.IRunningItem[] {
    const { services } = this._panel.model.mlops;
    return services.services.map(service => ({
      icon: () => serviceIcon,
      label: () => service.name,
      labelTitle: () => service.reference,
      detail: () => service.url,
      open: () => this._panel.show(),
      shutdown: () => void services.stop(service.id)
    }));
  }

  refreshRunning(): void {
    void this._panel.model.mlops.services.refresh();
  }

  shutdownAll(): void {
    this.running().forEach(item => item.shutdown?.());
  }
}
