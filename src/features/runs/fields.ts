import type { TranslationBundle } from '@jupyterlab/translation';
import type { IParameter, IProblem, ParameterType } from '../../models';

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
  return isTextual(type) && typeof value === 'string'
    ? value
    : JSON.stringify(value);
}

/** Whether the value is the text itself, not JSON. */
export function isTextual(type: ParameterType): boolean {
  return ['str', 'path', 'date', 'datetime'].includes(type);
}

/** What a moment looks like: ISO 8601; the time and its zone may be left out. */
const MOMENT =
  /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

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
  if (parameter.choices?.length) {
    return readChoice(parameter, field, trans);
  }
  if (parameter.type === 'str') {
    const isNull = text === '' && parameter.nullable;
    return isNull ? null : checkLength(parameter, field, trans);
  }
  if (text === '') {
    return empty(parameter, trans);
  }
  switch (parameter.type) {
    case 'path':
      return checkLength(parameter, text, trans);
    case 'date':
    case 'datetime':
      return readDate(parameter.type, text, trans);
    case 'int':
    case 'float':
      return inRange(parameter, readNumber(parameter.type, text, trans), trans);
    case 'bool':
      return readJson(parameter.type, text, trans);
    case 'list':
    case 'dict':
      return checkInside(
        parameter,
        readJson(parameter.type, text, trans) as Inside,
        trans
      );
    default:
      return tryJson(text);
  }
}

/** What is read from a list of choices is one of them, whatever its type. */
function readChoice(
  parameter: IParameter,
  text: string,
  trans: TranslationBundle
): unknown {
  const { type, choices = [] } = parameter;
  const place = choices.findIndex(choice => writeChoice(type, choice) === text);
  if (place >= 0) {
    return choices[place];
  }
  return text === '' ? empty(parameter, trans) : tryJson(text);
}

/** A choice as it stands in the list. */
export function writeChoice(type: ParameterType, choice: unknown): string {
  return isTextual(type) && typeof choice === 'string'
    ? choice
    : JSON.stringify(choice);
}

function readDate(
  type: 'date' | 'datetime',
  text: string,
  trans: TranslationBundle
): string {
  const isWhole = type === 'date' ? text.length === 10 : true;
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  const isDay =
    !Number.isNaN(day.getTime()) &&
    day.toISOString().slice(0, 10) === text.slice(0, 10);
  if (!MOMENT.test(text) || !isWhole || !isDay) {
    throw new Error(
      type === 'date'
        ? trans.__('Give a date such as 2024-01-31.')
        : trans.__('Give a date and time such as 2024-01-31T08:30.')
    );
  }
  return text;
}

type Inside = unknown[] | Record<string, unknown>;

function checkInside(
  parameter: IParameter,
  value: Inside,
  trans: TranslationBundle
): Inside {
  const { type, items, keys } = parameter;
  const isOdd = (item: unknown) => items && !isOfType(items, item);
  const odd = Object.entries(value).find(([, item]) => isOdd(item));
  if (odd) {
    const [key, item] = odd;
    const place = type === 'list' ? String(Number(key) + 1) : key;
    throw new Error(
      trans.__('%1: %2 is not of type %3.', place, JSON.stringify(item), items!)
    );
  }
  const word = Object.keys(value).find(key => !/^-?(0|[1-9]\d*)$/.test(key));
  if (type === 'dict' && keys === 'int' && word !== undefined) {
    throw new Error(trans.__('The key "%1" is not a whole number.', word));
  }
  checkLength(parameter, Object.keys(value), trans);
  return value;
}

function isOfType(type: ParameterType, value: unknown): boolean {
  switch (type) {
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return Number.isSafeInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'list':
      return Array.isArray(value);
    case 'dict':
      return isObject(value);
    case 'any':
      return true;
    default:
      return typeof value === 'string';
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkLength<T extends { length: number }>(
  { min_length: least, max_length: most }: IParameter,
  value: T,
  trans: TranslationBundle
): T {
  const { length } = value;
  if (typeof least === 'number' && length < least) {
    throw new Error(
      trans.__('Its length is %1; give at least %2.', length, least)
    );
  }
  if (typeof most === 'number' && length > most) {
    throw new Error(
      trans.__('Its length is %1; give at most %2.', length, most)
    );
  }
  return value;
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
  parameter: IParameter,
  value: number,
  trans: TranslationBundle
): number {
  const { minimum, maximum } = parameter;
  const { exclusive_minimum: above, exclusive_maximum: below } = parameter;
  if (typeof minimum === 'number' && value < minimum) {
    throw new Error(trans.__('Give %1 or more.', minimum));
  }
  if (typeof maximum === 'number' && value > maximum) {
    throw new Error(trans.__('Give %1 or less.', maximum));
  }
  if (typeof above === 'number' && value <= above) {
    throw new Error(trans.__('Give more than %1.', above));
  }
  if (typeof below === 'number' && value >= below) {
    throw new Error(trans.__('Give less than %1.', below));
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
  if (type === 'dict' && !isObject(value)) {
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
