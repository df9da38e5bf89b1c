import type { IPipeline, IStep } from '../../models';

/** What one step hands to a later one. */
export interface ILink {
  /** The indices of the two steps. */
  from: number;
  to: number;
  names: string[];
  files: string[];
  /** State that nobody names, such as `rng:numpy`. */
  state: string[];
  /** Functions, classes and imports: they travel as text. */
  definitions: string[];
}

/** The steps in program order, and what is handed over between them. */
export interface IGraph {
  steps: readonly IStep[];
  links: readonly ILink[];
  /** The parameters that reach each step, in the order of their declaration. */
  parameters: readonly (readonly string[])[];
}

/** Return the graph that is drawn of a pipeline. */
export function graphOf(pipeline: IPipeline): IGraph {
  const { steps } = pipeline;
  const indices = new Map(steps.map(({ name }, index) => [name, index]));
  const links = steps.flatMap((step, to) =>
    (step.after ?? [])
      .map(name => indices.get(name) ?? to)
      .filter(from => from < to)
      .sort((one, other) => one - other)
      .map(from => linkOf(pipeline, from, to))
  );
  const parameters = steps.map((): string[] => []);
  for (const { name } of pipeline.parameters) {
    reachedBy(pipeline, name).forEach(index => parameters[index].push(name));
  }
  return { steps, links, parameters };
}

function linkOf(pipeline: IPipeline, from: number, to: number): ILink {
  const giver = pipeline.steps[from];
  const taker = pipeline.steps[to];
  const link: ILink = {
    from,
    to,
    names: common(giver.outputs, taker.inputs),
    files: common(giver.files_written, taker.files_read),
    state: [],
    definitions: []
  };
  for (const { source, target, key, kind } of pipeline.edges ?? []) {
    if (!giver.cells.includes(source) || !taker.cells.includes(target)) {
      continue;
    }
    if (kind === 'file') {
      link.files.push(key.replace(/^<files?:?(.*)>$/, '$1'));
    } else if (kind === 'state') {
      link.state.push(key.replace(/^<(.*)>$/, '$1'));
    } else if (kind === 'definition') {
      link.definitions.push(key);
    }
  }
  return {
    ...link,
    files: unique(link.files),
    state: unique(link.state),
    definitions: unique(link.definitions)
  };
}

/** Return the steps that a step needs, and those that need it, at any distance. */
export function relativesOf(
  graph: IGraph,
  index: number
): { upstream: Set<number>; downstream: Set<number> } {
  const walk = (one: 'from' | 'to', other: 'from' | 'to') => {
    const found = new Set<number>();
    const waiting = [index];
    for (const step of waiting) {
      for (const link of graph.links) {
        if (link[one] === step && !found.has(link[other])) {
          found.add(link[other]);
          waiting.push(link[other]);
        }
      }
    }
    return found;
  };
  return { upstream: walk('to', 'from'), downstream: walk('from', 'to') };
}

/** Return the steps whose work changes when a parameter does. */
export function reachedBy(pipeline: IPipeline, parameter: string): Set<number> {
  const cells = new Set(pipeline.reached?.[parameter] ?? []);
  const found = new Set<number>();
  pipeline.steps.forEach((step, index) => {
    if (step.cells.some(cell => cells.has(cell))) {
      found.add(index);
    }
  });
  return found;
}

/** Write numbers of cells for people: `1–3, 5`. */
export function formatCells(cells: readonly number[]): string {
  const spans: [first: number, last: number][] = [];
  for (const cell of [...cells].sort((one, other) => one - other)) {
    const span = spans[spans.length - 1];
    if (span && cell === span[1] + 1) {
      span[1] = cell;
    } else {
      spans.push([cell, cell]);
    }
  }
  return spans
    .map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`))
    .join(', ');
}

function common(some: string[] = [], others: string[] = []): string[] {
  return some.filter(name => others.includes(name));
}

function unique(texts: string[]): string[] {
  return [...new Set(texts)].filter(Boolean);
}
