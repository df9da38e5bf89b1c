import type { TranslationBundle } from '@jupyterlab/translation';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';

/** The language of the views below it. */
export const TranslationContext = React.createContext<TranslationBundle>(
  nullTranslator.load('jupyter_mlops')
);

export function useTranslation(): TranslationBundle {
  return React.useContext(TranslationContext);
}
