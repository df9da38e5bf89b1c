import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IMlops, IMlopsPanel } from '../../tokens';
import { JobNotifier } from './notifications';

/** Tells how jobs go on, wherever the user looks. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:notifications',
  description: 'Notifies of jobs under way and of their end.',
  autoStart: true,
  requires: [IMlops, IMlopsPanel],
  optional: [ITranslator],
  activate: (
    _: JupyterFrontEnd,
    mlops: IMlops,
    panel: IMlopsPanel,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    new JobNotifier(mlops.jobs, panel, trans);
  }
};
