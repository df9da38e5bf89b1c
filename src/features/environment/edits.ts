import type { IJobRequest, ILockOptions } from '../../models';

/** The options of a lock that are one value each. */
export type TargetOption =
  'platform' | 'python' | 'exclude_newer' | 'accelerator';

/** The distribution that a module in question comes from. */
export interface IAnswer {
  kind: 'answer';
  module: string;
  distribution: string;
}

/** One thing that a person wants otherwise than it was found. */
export type Edit =
  | { kind: 'addition'; requirement: string }
  | { kind: 'removal'; name: string }
  | { kind: 'override'; name: string; version: string }
  | IAnswer
  | { kind: 'option'; option: TargetOption; value: string }
  | { kind: 'system' };

/** Edits in the order in which they were made, one of each thing. */
export type Edits = readonly Edit[];

/** Write the name of a distribution in the one way in which names are compared. */
export function normalName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** Return what a requirement names, as it is written; empty if it names nothing. */
export function requirementName(requirement: string): string {
  const name = /^\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)(?![\w.-])/;
  return name.exec(requirement)?.[1] ?? '';
}

/** Name what an edit is about: another edit of the same thing takes its place. */
export function editKey(edit: Edit): string {
  switch (edit.kind) {
    case 'addition':
      return `addition ${normalName(requirementName(edit.requirement))}`;
    case 'removal':
    case 'override':
      return `${edit.kind} ${normalName(edit.name)}`;
    case 'answer':
      return `answer ${edit.module}`;
    case 'option':
      return `option ${edit.option}`;
    default:
      return edit.kind;
  }
}

/** Make an edit; one without a value takes back what was edited. */
export function withEdit(edits: Edits, edit: Edit): Edits {
  const others = withoutEdit(edits, edit);
  if (isEmpty(edit)) {
    return others;
  }
  const key = opposite(edit);
  return [...others.filter(other => editKey(other) !== key), edit];
}

export function withoutEdit(edits: Edits, edit: Edit): Edits {
  const key = editKey(edit);
  return edits.filter(other => editKey(other) !== key);
}

/** Find the edit of a kind that is about a distribution. */
export function findEdit<K extends 'addition' | 'removal' | 'override'>(
  edits: Edits,
  kind: K,
  name: string
): Extract<Edit, { kind: K }> | undefined {
  const key = `${kind} ${normalName(name)}`;
  const found = edits.find(edit => editKey(edit) === key);
  return found as Extract<Edit, { kind: K }> | undefined;
}

/** Return the options of a lock, only those that are edited. */
export function optionsOf(edits: Edits): ILockOptions {
  const options: ILockOptions = {};
  for (const edit of edits) {
    if (edit.kind === 'addition') {
      options.additions = [...(options.additions ?? []), edit.requirement];
    } else if (edit.kind === 'removal') {
      options.removals = [...(options.removals ?? []), edit.name];
    } else if (edit.kind === 'override') {
      options.overrides = { ...options.overrides, [edit.name]: edit.version };
    } else if (edit.kind === 'option') {
      options[edit.option] = edit.value;
    }
  }
  return options;
}

/** Return the distribution that was chosen for each module in question. */
export function answersOf(edits: Edits): Record<string, string> {
  const answers: Record<string, string> = {};
  for (const edit of edits) {
    if (edit.kind === 'answer') {
      answers[edit.module] = edit.distribution;
    }
  }
  return answers;
}

/** Return what of a publish request the edits change: nothing without edits. */
export function requestOf(
  edits: Edits
): Pick<IJobRequest, 'environment' | 'answers' | 'system_packages'> {
  const options = optionsOf(edits);
  const answers = answersOf(edits);
  const isSystem = edits.some(edit => edit.kind === 'system');
  return {
    ...(Object.keys(options).length > 0 && { environment: options }),
    ...(Object.keys(answers).length > 0 && { answers }),
    ...(isSystem && { system_packages: 'auto' as const })
  };
}

function isEmpty(edit: Edit): boolean {
  switch (edit.kind) {
    case 'override':
      return edit.version === '';
    case 'answer':
      return edit.distribution === '';
    case 'option':
      return edit.value === '';
    default:
      return false;
  }
}

/** What an edit cannot be together with: nobody adds what he removes. */
function opposite(edit: Edit): string {
  switch (edit.kind) {
    case 'addition':
      return `removal ${normalName(requirementName(edit.requirement))}`;
    case 'removal':
      return `addition ${normalName(edit.name)}`;
    default:
      return '';
  }
}
