import { nullTranslator } from '@jupyterlab/translation';
import { captureNames } from './captures';

const trans = nullTranslator.load('jupyter-mlops');

describe('captureNames', () => {
  it('calls a pickle a pickle', () => {
    const common = { kind: 'value', type: 'Scale' };
    const captures = [
      { ...common, name: 'scale', format: 'pickle' },
      { ...common, name: 'factor', format: 'json' },
      { ...common, name: 'unknown' }
    ];
    const text = 'scale (pickle), factor, unknown';
    expect(captureNames(captures, trans)).toBe(text);
  });
});
