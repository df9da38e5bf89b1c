import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from '../../commands';
import { publishIcon } from '../../icons';
import { IMlops, IMlopsPanel } from '../../tokens';
import { CatalogModel } from '../catalog/model';
import { EnvironmentModel } from '../environment/model';
import { NotebookFollower } from '../notebook/follower';
import { revealCell } from '../pipeline/reveal';
import { PanelModel } from './model';
import { MlopsPanel } from './panel';

/** Where the panel stands among those of other extensions. */
const RANK = 610;

/** The side panel of the current notebook. */
export const panelPlugin: JupyterFrontEndPlugin<IMlopsPanel> = {
  id: 'jupyter-mlops:panel',
  description: 'The side panel that publishes, runs and serves notebooks.',
  autoStart: true,
  provides: IMlopsPanel,
  requires: [IMlops, INotebookTracker],
  optional: [
    ITranslator,
    ILayoutRestorer,
    ICommandPalette,
    IEditorLanguageRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    languages: IEditorLanguageRegistry | null
  ): IMlopsPanel => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    const { commands, serviceManager, shell } = app;
    const { contents } = serviceManager;
    const { api } = mlops;
    const notebook = new NotebookFollower({ api, tracker, contents, trans });
    const model = new PanelModel(
      mlops,
      notebook,
      new CatalogModel(api),
      new EnvironmentModel(api, notebook)
    );
    const panel = new MlopsPanel({
      model,
      translator: translator ?? nullTranslator,
      languages,
      onPublish: () => void commands.execute(CommandIDs.publishNotebook),
      onCell: cell =>
        notebook.panel && void revealCell(shell, notebook.panel, cell)
    });

    shell.add(panel, 'left', { rank: RANK, type: 'MLOps' });
    restorer?.add(panel, panel.id);

    const show = () => shell.activateById(panel.id);
    commands.addCommand(CommandIDs.openPanel, {
      label: trans.__('Show MLOps Panel'),
      caption: trans.__('Show what the current notebook would be published as'),
      icon: publishIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: show
    });
    palette?.addItem({
      command: CommandIDs.openPanel,
      category: trans.__('MLOps')
    });
    return { model, show };
  }
};
