import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';

/**
 * Bring a code cell of a notebook to the front: select it, scroll to it and
 * give it the focus.
 *
 * @param number counts code cells from 1, as everywhere in the panel
 */
export async function revealCell(
  shell: Pick<JupyterFrontEnd.IShell, 'activateById'>,
  panel: NotebookPanel,
  number: number
): Promise<void> {
  const notebook = panel.content;
  const codeCells = [...notebook.widgets.keys()].filter(
    index => notebook.widgets[index].model.type === 'code'
  );
  const index = codeCells[number - 1];
  if (index === undefined) {
    return;
  }
  NotebookActions.expandParent(notebook.widgets[index], notebook);
  notebook.deselectAll();
  notebook.mode = 'command';
  notebook.activeCellIndex = index;
  shell.activateById(panel.id);
  try {
    await notebook.scrollToItem(index, 'smart');
  } catch {
    // Another jump came before this one had ended.
  }
}
