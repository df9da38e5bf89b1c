import type { TranslationBundle } from '@jupyterlab/translation';
import { runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { CommandIDs } from '../../commands';
import { publishIcon, serviceIcon } from '../../icons';
import type { IJobView } from '../jobs/state';
import type { IMlopsPanel } from '../../tokens';
import { settleChanges } from './dirty';

/** What of the settings the commands look at, as it is when they run. */
export interface IPreferences {
  openPanel: boolean;
}

/** Add every command; each answers with the job it started, as JSON. */
export function addCommands(
  commands: CommandRegistry,
  panel: IMlopsPanel,
  preferences: IPreferences,
  trans: TranslationBundle
): void {
  const { model } = panel;
  const { notebook } = model;

  commands.addCommand(CommandIDs.publishNotebook, {
    label: trans.__('Publish Notebook'),
    caption: trans.__(
      'Publish the notebook as a pipeline, an image and a service'
    ),
    icon: publishIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          target: {
            type: 'string',
            description: trans.__(
              'Where to: registry/repository[:tag] or oci:DIRECTORY[:tag]; as in the panel when it is not given.'
            )
          }
        }
      }
    },
    isEnabled: () => notebook.path !== null && !model.isPublishing,
    execute: async args => {
      if (notebook.path === null || !notebook.panel) {
        return null;
      }
      if (typeof args.target === 'string') {
        model.target = args.target;
      }
      if (preferences.openPanel) {
        panel.show();
      }
      const goOn = await settleChanges(notebook.panel, trans);
      return goOn ? jobOf(await model.publish()) : null;
    }
  });

  commands.addCommand(CommandIDs.servePublication, {
    label: trans.__('Serve Publication'),
    caption: trans.__('Start a service that answers over HTTP'),
    icon: serviceIcon,
    describedBy: { args: referenceArgs(trans) },
    isEnabled: args => typeof args.reference === 'string',
    execute: async args => {
      panel.show();
      return jobOf(await model.serve(args.reference as string));
    }
  });

  commands.addCommand(CommandIDs.runPublication, {
    label: trans.__('Run Publication'),
    caption: trans.__('Run a publication with new parameters'),
    icon: runIcon,
    describedBy: {
      args: {
        ...referenceArgs(trans),
        properties: {
          ...referenceArgs(trans).properties,
          parameters: {
            type: 'object',
            description: trans.__('The values that differ from the defaults.')
          }
        }
      }
    },
    isEnabled: args => typeof args.reference === 'string',
    execute: async args => {
      panel.show();
      const reference = args.reference as string;
      const parameters = (args.parameters ?? {}) as Record<string, unknown>;
      return jobOf(await model.start('run', { reference, parameters }));
    }
  });

  commands.addCommand(CommandIDs.cancelJob, {
    label: trans.__('Cancel MLOps Job'),
    caption: trans.__('End a publish, a run or the start of a service'),
    icon: stopIcon,
    describedBy: { args: idArgs(trans.__('The id of the job.')) },
    isEnabled: args => typeof args.id === 'string',
    execute: args => model.cancel(args.id as string)
  });

  commands.addCommand(CommandIDs.stopService, {
    label: trans.__('Stop Service'),
    caption: trans.__('Stop a service that answers over HTTP'),
    icon: stopIcon,
    describedBy: { args: idArgs(trans.__('The id of the service.')) },
    isEnabled: args => typeof args.id === 'string',
    execute: args => model.mlops.services.stop(args.id as string)
  });
}

function referenceArgs(trans: TranslationBundle) {
  return {
    type: 'object',
    required: ['reference'],
    properties: {
      reference: {
        type: 'string',
        description: trans.__('The publication: registry/repository:tag.')
      }
    }
  };
}

function idArgs(description: string) {
  return {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string', description } }
  };
}

function jobOf(view: IJobView | null): ReadonlyPartialJSONObject | null {
  return view && (view.job as unknown as ReadonlyPartialJSONObject);
}
