import type { IParameter } from '../models';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Write a number of bytes for people: 1234567 is 1.2 MB. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Write a duration for people: 0.04 is 40 ms, 75 is 1 min 15 s. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Write a metric with the digits that matter. */
export function formatNumber(value: number): string {
  return Number.isInteger(value)
    ? String(value)
    : String(+value.toPrecision(5));
}

/** Write a value of a parameter as Python would, near enough. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Write a type as Python would: `dict[str, float] | None`. */
export function formatType(parameter: IParameter): string {
  const { type, nullable, items, keys } = parameter;
  let text: string = type;
  if (type === 'list' && items) {
    text = `list[${items}]`;
  } else if (type === 'dict' && (items || keys === 'int')) {
    text = `dict[${keys ?? 'str'}, ${items ?? 'any'}]`;
  }
  return nullable && type !== 'any' ? `${text} | None` : text;
}

/** Write the range of a parameter: `0..1`, `> 0, ≤ 1`; empty without one. */
export function formatRange(parameter: IParameter): string {
  const { minimum, maximum } = parameter;
  if (typeof minimum === 'number' && typeof maximum === 'number') {
    return `${minimum}..${maximum}`;
  }
  const bounds: [string, number | null | undefined][] = [
    ['≥', minimum],
    ['>', parameter.exclusive_minimum],
    ['≤', maximum],
    ['<', parameter.exclusive_maximum]
  ];
  return bounds
    .filter(([, value]) => typeof value === 'number')
    .map(([sign, value]) => `${sign} ${value}`)
    .join(', ');
}

/** Shorten a digest as container tools do. */
export function shortDigest(digest: string): string {
  const [algorithm, hex] = digest.split(':');
  return hex ? `${algorithm}:${hex.slice(0, 12)}` : digest;
}

/** Write a moment in the reader's own way. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? iso
    : time.toLocaleString(undefined, {
        dateStyle: 'medium',
        timeStyle: 'short'
      });
}
