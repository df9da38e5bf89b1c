import type { INotebookModel } from '@jupyterlab/notebook';

/** Where a notebook keeps answers; the server reads them from its file. */
const NAMESPACE = 'jupyter_mlops';
const KEY = 'distributions';

type Table = Record<string, unknown>;

/** Return the distribution that an open notebook keeps for a module, if any. */
export function rememberedAnswer(
  model: INotebookModel,
  module: string
): string | undefined {
  const kept = tableOf(tableOf(model.getMetadata(NAMESPACE))[KEY])[module];
  return typeof kept === 'string' ? kept : undefined;
}

/**
 * Keep an answer in the metadata of an open notebook, or, when it is null,
 * keep none. It gets into the file when the user saves.
 */
export function rememberAnswer(
  model: INotebookModel,
  module: string,
  distribution: string | null
): void {
  const ours = { ...tableOf(model.getMetadata(NAMESPACE)) };
  const kept = { ...tableOf(ours[KEY]) };
  if (distribution === null) {
    delete kept[module];
  } else {
    kept[module] = distribution;
  }
  if (Object.keys(kept).length > 0) {
    ours[KEY] = kept;
  } else {
    delete ours[KEY];
  }
  if (Object.keys(ours).length > 0) {
    model.setMetadata(NAMESPACE, ours);
  } else {
    model.deleteMetadata(NAMESPACE);
  }
}

function tableOf(value: unknown): Table {
  const isTable =
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return isTable ? (value as Table) : {};
}
