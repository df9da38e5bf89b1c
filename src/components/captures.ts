import type { TranslationBundle } from '@jupyterlab/translation';
import type { ICapture } from '../models';

/** Write the names of captures; a pickle, which runs its code when loaded, is called one. */
export function captureNames(
  captures: readonly ICapture[],
  trans: TranslationBundle
): string {
  const names = captures.map(({ name, format }) =>
    format === 'pickle' ? trans.__('%1 (pickle)', name) : name
  );
  return names.join(', ');
}
