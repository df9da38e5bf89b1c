import type { INotebookModel } from '@jupyterlab/notebook';

/**
 * Return what of an open notebook says what it computes: sources, tags and
 * execution counts in nbformat's own form, without outputs.
 */
export function contentOf(model: INotebookModel): object {
  const cells = [...model.cells].map(cell => {
    const tags: unknown = cell.getMetadata('tags');
    const shared = {
      id: cell.id,
      cell_type: cell.type,
      metadata: Array.isArray(tags) ? { tags } : {},
      source: cell.sharedModel.getSource()
    };
    if (cell.type !== 'code') {
      return shared;
    }
    const { executionCount } = cell as unknown as {
      executionCount: number | null;
    };
    return { ...shared, execution_count: executionCount, outputs: [] };
  });
  const metadata: Record<string, unknown> = {};
  for (const key of ['kernelspec', 'language_info']) {
    const value: unknown = model.getMetadata(key);
    if (value) {
      metadata[key] = value;
    }
  }
  // The first version in which cells have ids.
  return { nbformat: 4, nbformat_minor: 5, metadata, cells };
}
