import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { MlopsApi } from '../../api';
import { IMlops } from '../../tokens';
import { ServicesModel } from '../services/model';
import { ConnectionWatcher } from './connection';
import { JobTracker } from './tracker';

/** Follows the jobs of the server extension on the event bus. */
export const jobsPlugin: JupyterFrontEndPlugin<IMlops> = {
  id: 'jupyter-mlops:jobs',
  description: 'Follows the jobs and services of the server extension.',
  autoStart: true,
  provides: IMlops,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null): IMlops => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    const { serviceManager } = app;
    const api = new MlopsApi({
      serverSettings: serviceManager.serverSettings,
      trans
    });
    const jobs = new JobTracker(api, serviceManager.events.stream);
    const services = new ServicesModel(api, jobs);
    new ConnectionWatcher(jobs, serviceManager, () => {
      void services.refresh();
    });

    // Without the server extension there is nothing to follow; the panel says so.
    jobs.refresh().catch(() => undefined);
    void services.refresh();
    return { api, jobs, services };
  }
};
