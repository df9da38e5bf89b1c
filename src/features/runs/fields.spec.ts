import { problemOf } from '../../errors';
import type { IParameter } from '../../models';
import { trans } from '../../testing/fakes';
import { initialValues, readValues, sortProblems } from './fields';

const PARAMETERS: IParameter[] = [
  { name: 'trees', type: 'int', default: 100, minimum: 1, maximum: 500 },
  { name: 'depth', type: 'int', default: 4, nullable: true },
  { name: 'rate', type: 'float', default: 0.5 },
  { name: 'label', type: 'str', default: 'a=b' },
  { name: 'shuffle', type: 'bool', default: true },
  { name: 'layers', type: 'list', default: [1, 2] },
  { name: 'options', type: 'dict', default: {} },
  { name: 'seed', type: 'any', default: null }
];

const read = (changes: Record<string, string | boolean>) =>
  readValues(PARAMETERS, { ...initialValues(PARAMETERS), ...changes }, trans);

describe('the fields of a run', () => {
  it('sends nothing for what stands at its default', () => {
    expect(read({})).toEqual({ values: {}, errors: {} });
  });

  it('reads each type', () => {
    const { values, errors } = read({
      trees: '7',
      depth: '',
      rate: '1e-3',
      label: ' quoted "x" ',
      shuffle: false,
      layers: '[3]',
      options: '{"a": null}',
      seed: 'free text'
    });
    expect(errors).toEqual({});
    expect(values).toEqual({
      trees: 7,
      depth: null,
      rate: 0.001,
      label: ' quoted "x" ',
      shuffle: false,
      layers: [3],
      options: { a: null },
      seed: 'free text'
    });
  });

  it('says all that is wrong at once, each at its field', () => {
    const { errors } = read({
      trees: '501',
      rate: 'fast',
      layers: '{}',
      options: '[]'
    });
    expect(Object.keys(errors)).toEqual(['trees', 'rate', 'layers', 'options']);
    expect(errors.trees).toBe('Give 500 or less.');
  });

  it.each(['1.5', '12345678901234567890', '', 'NaN'])(
    'does not take %p for a whole number',
    text => {
      expect(read({ trees: text }).errors).toHaveProperty('trees');
    }
  );

  it('sends a required value even if it looks like a default', () => {
    const required: IParameter[] = [
      { name: 'path', type: 'str', required: true }
    ];
    expect(readValues(required, { path: 'x' }, trans).values).toEqual({
      path: 'x'
    });
  });

  describe('of the richer types', () => {
    const MORE: IParameter[] = [
      { name: 'day', type: 'date', default: '2024-01-01' },
      { name: 'at', type: 'datetime', default: null, nullable: true },
      { name: 'file', type: 'path', default: 'a.csv', min_length: 1 },
      { name: 'sizes', type: 'list', items: 'int', default: [1, 2] },
      {
        name: 'pair',
        type: 'list',
        min_length: 2,
        max_length: 2,
        default: [1, 2]
      },
      {
        name: 'weights',
        type: 'dict',
        keys: 'int',
        items: 'float',
        default: { 0: 1 }
      },
      {
        name: 'rate',
        type: 'float',
        default: 0.5,
        exclusive_minimum: 0,
        exclusive_maximum: 1
      },
      { name: 'step', type: 'int', default: 2, choices: [2, 4] },
      {
        name: 'mode',
        type: 'str',
        default: null,
        nullable: true,
        choices: ['a', 'b']
      }
    ];
    const readMore = (changes: Record<string, string | boolean>) =>
      readValues(MORE, { ...initialValues(MORE), ...changes }, trans);

    it('sends nothing for what stands at its default', () => {
      expect(readMore({})).toEqual({ values: {}, errors: {} });
    });

    it('reads each', () => {
      const { values, errors } = readMore({
        day: '2024-02-29',
        at: '2024-02-29T08:30',
        file: ' data/x=1.csv ',
        sizes: '[3]',
        pair: '["a", null]',
        weights: '{"1": 0.5}',
        rate: '0.1',
        step: '4',
        mode: 'b'
      });
      expect(errors).toEqual({});
      expect(values).toEqual({
        day: '2024-02-29',
        at: '2024-02-29T08:30',
        file: 'data/x=1.csv',
        sizes: [3],
        pair: ['a', null],
        weights: { 1: 0.5 },
        rate: 0.1,
        step: 4,
        mode: 'b'
      });
    });

    it('says what is wrong with each', () => {
      const { errors } = readMore({
        day: '2023-02-29',
        at: 'soon',
        file: '',
        sizes: '[1, "a"]',
        pair: '[1]',
        weights: '{"a": 1}',
        rate: '1'
      });
      expect(errors).toEqual({
        day: 'Give a date such as 2024-01-31.',
        at: 'Give a date and time such as 2024-01-31T08:30.',
        file: 'Give a value.',
        sizes: '2: "a" is not of type int.',
        pair: 'Its length is 1; give at least 2.',
        weights: 'The key "a" is not a whole number.',
        rate: 'Give less than 1.'
      });
    });

    it.each(['2024-01-01T00:00:00', '2024-01-01 08:30:15.5+02:00'])(
      'takes %p for a moment, but not for a date',
      text => {
        expect(readMore({ at: text }).errors).toEqual({});
        expect(readMore({ day: text }).errors).toHaveProperty('day');
      }
    );
  });

  it('sorts what the server says to the fields it is about', () => {
    const general = problemOf('The registry is out of reach.');
    const { errors, others } = sortProblems(PARAMETERS, [
      problemOf('trees: 0 is less than the minimum, 1.'),
      { ...problemOf('This is not a number.'), where: 'rate' },
      problemOf("There is no column for 'layers'.", 'Give one.'),
      general
    ]);
    expect(errors).toEqual({
      trees: '0 is less than the minimum, 1.',
      rate: 'This is not a number.',
      layers: "There is no column for 'layers'. Give one."
    });
    expect(others).toEqual([general]);
  });
});
