import type { TranslationBundle } from '@jupyterlab/translation';
import type { IParameter, IProblem } from '../../models';

/** What stands in the form, by the name of the parameter; flags are booleans. */
export type FormValues = Record<string, string | boolean>;

/** What is wrong, by the name of the parameter. */
export type FieldErrors = Record<string, string>;

/** The form as it opens: the defaults. */
export function initialValues(parameters: readonly IParameter[]): FormValues {
  return Object.fromEntries(
    parameters.map(parameter => [parameter.name, toField(parameter)])
  );
}

function toField({ type, default: value }: IParameter): string | boolean {
  if (type === 'bool' && typeof value === 'boolean') {
    return value;
  }
  if (value === null || value === undefined) {
    return '';
  }
  return type === 'str' && typeof value === 'string'
    ? value
    : JSON.stringify(value);
}

/** Whether a parameter is shown as a flag: true or false and nothing else. */
export function isFlag({
  type,
  default: value,
  nullable
}: IParameter): boolean {
  return type === 'bool' && typeof value === 'boolean' && !nullable;
}

/**
 * Read the form: the typed values that differ from the defaults, or what is
 * wrong with them. The server checks again, and has the last word.
 */
export function readValues(
  parameters: readonly IParameter[],
  values: FormValues,
  trans: TranslationBundle
): { values: Record<string, unknown>; errors: FieldErrors } {
  const read: Record<string, unknown> = {};
  const errors: FieldErrors = {};
  for (const parameter of parameters) {
    const { name } = parameter;
    try {
      const value = readValue(parameter, values[name] ?? '', trans);
      const isDefault =
        JSON.stringify(value) === JSON.stringify(parameter.default ?? null);
      if (!isDefault || parameter.required) {
        read[name] = value;
      }
    } catch (reason) {
      errors[name] = (reason as Error).message;
    }
  }
  return { values: read, errors };
}

function readValue(
  parameter: IParameter,
  field: string | boolean,
  trans: TranslationBundle
): unknown {
  if (typeof field === 'boolean') {
    return field;
  }
  const text = field.trim();
  if (text === '' && parameter.type !== 'str') {
    return empty(parameter, trans);
  }
  switch (parameter.type) {
    case 'str':
      return text === '' && parameter.nullable ? null : field;
    case 'int':
    case 'float':
      return inRange(parameter, readNumber(parameter.type, text, trans), trans);
    case 'bool':
    case 'list':
    case 'dict':
      return readJson(parameter.type, text, trans);
    default:
      return tryJson(text);
  }
}

function empty(parameter: IParameter, trans: TranslationBundle): null {
  const { nullable, required, default: value } = parameter;
  if (nullable || (!required && (value === null || value === undefined))) {
    return null;
  }
  throw new Error(trans.__('Give a value.'));
}

function readNumber(
  type: 'int' | 'float',
  text: string,
  trans: TranslationBundle
): number {
  const value = Number(text);
  if (!Number.isFinite(value)) {
    throw new Error(trans.__('Give a number.'));
  }
  if (type === 'int' && !Number.isSafeInteger(value)) {
    throw new Error(trans.__('Give a whole number.'));
  }
  return value;
}

function inRange(
  { minimum, maximum }: IParameter,
  value: number,
  trans: TranslationBundle
): number {
  if (typeof minimum === 'number' && value < minimum) {
    throw new Error(trans.__('Give %1 or more.', minimum));
  }
  if (typeof maximum === 'number' && value > maximum) {
    throw new Error(trans.__('Give %1 or less.', maximum));
  }
  return value;
}

function readJson(
  type: 'bool' | 'list' | 'dict',
  text: string,
  trans: TranslationBundle
): unknown {
  const value = tryJson(text);
  if (type === 'bool' && typeof value !== 'boolean') {
    throw new Error(trans.__('Give true or false.'));
  }
  if (type === 'list' && !Array.isArray(value)) {
    throw new Error(trans.__('Give a list as JSON, such as [1, 2].'));
  }
  const isObject =
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'dict' && !isObject) {
    throw new Error(trans.__('Give an object as JSON, such as {"a": 1}.'));
  }
  return value;
}

/** Read JSON; what is none stands for itself, as a text. */
function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Sort the problems the server found: those of a field by its name, and those
 * of the form as a whole.
 */
export function sortProblems(
  parameters: readonly IParameter[],
  problems: readonly IProblem[]
): { errors: FieldErrors; others: IProblem[] } {
  const errors: FieldErrors = {};
  const others: IProblem[] = [];
  for (const problem of problems) {
    const owner = parameters.find(({ name }) => isAbout(problem, name));
    if (owner) {
      const prefix = `${owner.name}: `;
      const said = problem.problem.startsWith(prefix)
        ? problem.problem.slice(prefix.length)
        : problem.problem;
      errors[owner.name] = [errors[owner.name], said, problem.remedy]
        .filter(Boolean)
        .join(' ');
    } else {
      others.push(problem);
    }
  }
  return { errors, others };
}

/** Whether a problem names a parameter: in front, as its place, or quoted. */
function isAbout({ problem, where }: IProblem, name: string): boolean {
  const quoted = ['"', "'", '`'].some(
    mark =>
      problem.includes(`${mark}${name}${mark}`) ||
      where.includes(`${mark}${name}${mark}`)
  );
  return quoted || where === name || problem.startsWith(`${name}: `);
}
