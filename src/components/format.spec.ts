import type { IParameter } from '../models';
import { formatRange, formatType } from './format';

const NAME = { name: 'x' };

describe('how a parameter is written', () => {
  it.each<[IParameter, string]>([
    [{ ...NAME, type: 'date', nullable: true }, 'date | None'],
    [{ ...NAME, type: 'any', nullable: true }, 'any'],
    [{ ...NAME, type: 'list', items: 'int' }, 'list[int]'],
    [{ ...NAME, type: 'list' }, 'list'],
    [{ ...NAME, type: 'dict', items: 'float' }, 'dict[str, float]'],
    [{ ...NAME, type: 'dict', keys: 'int' }, 'dict[int, any]'],
    [{ ...NAME, type: 'dict', keys: 'str' }, 'dict']
  ])('writes the type of %j', (parameter, text) => {
    expect(formatType(parameter)).toBe(text);
  });

  it.each<[Partial<IParameter>, string]>([
    [{}, ''],
    [{ minimum: 0, maximum: 1 }, '0..1'],
    [{ exclusive_minimum: 0, maximum: 1 }, '> 0, ≤ 1'],
    [{ minimum: null, exclusive_maximum: 3 }, '< 3']
  ])('writes the range of %j', (limits, text) => {
    expect(formatRange({ ...NAME, type: 'float', ...limits })).toBe(text);
  });
});
