import type { TranslationBundle } from '@jupyterlab/translation';
import type { IStep } from '../../models';
import type { IGraph, ILink } from './graph';
import { formatCells } from './graph';

/** What a step is called: as its heading, else by its name. */
export function stepTitle(step: IStep): string {
  return step.title || step.name;
}

export function cellsText(step: IStep, trans: TranslationBundle): string {
  const cells = formatCells(step.cells);
  return step.cells.length === 1
    ? trans.__('cell %1', cells)
    : trans.__('cells %1', cells);
}

/** What is handed over: names, files and state; definitions if nothing else. */
export function linkText(link: ILink, trans: TranslationBundle): string {
  const said = [
    ...link.names,
    ...link.files,
    ...link.state.map(key => stateText(key, trans))
  ];
  if (said.length > 0) {
    return said.join(', ');
  }
  return link.definitions.length > 0
    ? trans.__('the code of %1', link.definitions.join(', '))
    : trans.__('its effects');
}

/** Name state that has no name in the notebook. */
function stateText(key: string, trans: TranslationBundle): string {
  const [kind, of] = key.split(/:(.*)/);
  switch (kind) {
    case 'rng':
      return trans.__('the random numbers of %1', of);
    case 'module':
    case 'patched':
      return trans.__('the module %1', of);
    case 'figure':
      return trans.__('the current figure');
    case 'environ':
      return trans.__('the environment variables');
    case 'cwd':
      return trans.__('the working directory');
    default:
      return key;
  }
}

/** All that the drawing shows of a step, in words. */
export function stepText(
  graph: IGraph,
  index: number,
  trans: TranslationBundle
): string {
  const step = graph.steps[index];
  const before = graph.links
    .filter(({ to }) => to === index)
    .map(link => {
      const title = stepTitle(graph.steps[link.from]);
      return `${title} (${linkText(link, trans)})`;
    });
  const parameters = graph.parameters[index];
  return [
    trans.__('Step %1 of %2.', index + 1, graph.steps.length),
    before.length > 0
      ? trans.__('After %1.', before.join(', '))
      : trans.__('After nothing.'),
    parameters.length > 0 && trans.__('Parameters: %1.', parameters.join(', ')),
    ...notesOf(step, trans)
  ]
    .filter(Boolean)
    .join(' ');
}

/** What is out of the ordinary with a step. */
export function notesOf(step: IStep, trans: TranslationBundle): string[] {
  const notes = [];
  if (step.cacheable === false) {
    notes.push(trans.__('Not cacheable, because %1.', step.reason ?? ''));
  }
  if (step.merged?.length) {
    notes.push(
      trans.__('Cells that stay together: %1.', step.merged.join('; '))
    );
  }
  return notes;
}
