import type { TranslationBundle } from '@jupyterlab/translation';
import type { JobKind } from '../../models';

/** The stages of a publish, in order. */
export const PUBLISH_STAGES = [
  'read',
  'environment',
  'lock',
  'run',
  'capture',
  'assemble',
  'build',
  'push',
  'record'
];

/** The stages to expect of a job before it says so itself. */
export function expectedStages(kind: JobKind): string[] {
  return kind === 'publish' ? PUBLISH_STAGES : [];
}

/** Name a stage for people; one of a newer server keeps its own name. */
export function stageLabel(name: string, trans: TranslationBundle): string {
  switch (name) {
    case 'read':
      return trans.__('Read the notebook');
    case 'environment':
      return trans.__('Find the dependencies');
    case 'lock':
      return trans.__('Pin the dependencies');
    case 'run':
      return trans.__('Run from the pins');
    case 'capture':
      return trans.__('Capture the model');
    case 'assemble':
      return trans.__('Assemble the service');
    case 'build':
      return trans.__('Build the image');
    case 'push':
      return trans.__('Push to the registry');
    case 'record':
      return trans.__('Record the version');
    case 'fetch':
      return trans.__('Fetch the publication');
    case 'start':
      return trans.__('Start the service');
    default:
      return name.charAt(0).toUpperCase() + name.slice(1).replace(/[-_]/g, ' ');
  }
}
