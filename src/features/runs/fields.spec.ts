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
