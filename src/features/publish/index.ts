import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from '../../commands';
import type { ServeWith } from '../../models';
import { IMlopsPanel } from '../../tokens';
import type { PanelModel } from '../panel/model';
import { addCommands } from './commands';

const PLUGIN_ID = 'jupyter-mlops:publish';

/** What can be asked for from the toolbar, the menus, the palette and the panel. */
export const publishPlugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'The commands that publish, run and serve, and their settings.',
  autoStart: true,
  requires: [IMlopsPanel],
  optional: [ITranslator, ISettingRegistry, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    panel: IMlopsPanel,
    translator: ITranslator | null,
    settingRegistry: ISettingRegistry | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    const preferences = { openPanel: true };
    addCommands(app.commands, panel, preferences, trans);
    palette?.addItem({
      command: CommandIDs.publishNotebook,
      category: trans.__('MLOps')
    });

    const read = (settings: ISettingRegistry.ISettings) => {
      preferences.openPanel = settings.get('openPanel').composite !== false;
      readChoices(panel.model, settings);
    };
    settingRegistry
      ?.load(PLUGIN_ID)
      .then(settings => {
        settings.changed.connect(read);
        read(settings);
      })
      .catch(reason => {
        console.warn(`The settings of ${PLUGIN_ID} cannot be read.`, reason);
      });
  }
};

function readChoices(
  model: PanelModel,
  settings: ISettingRegistry.ISettings
): void {
  model.choices = {
    defaultRegistry: (settings.get('defaultRegistry').composite ??
      '') as string,
    serveWith: (settings.get('serveWith').composite ?? 'process') as ServeWith,
    allowPickle: settings.get('allowPickle').composite === true
  };
}
