import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IMlopsPanel } from '../../tokens';
import { RunningJobs, RunningServices } from './running';

/** Lists jobs and services beside kernels and terminals. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:running',
  description: 'Lists jobs and services in the Running panel.',
  autoStart: true,
  requires: [IMlopsPanel],
  optional: [IRunningSessionManagers, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    panel: IMlopsPanel,
    managers: IRunningSessionManagers | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    managers?.add(new RunningJobs(panel, trans));
    managers?.add(new RunningServices(panel, trans));
  }
};
