import { NotebookActions } from '@jupyterlab/notebook';
import { revealCell } from './reveal';

function aPanel() {
  const content = {
    widgets: ['markdown', 'code', 'markdown', 'code'].map(type => ({
      model: { type }
    })),
    mode: 'edit',
    activeCellIndex: 0,
    deselectAll: jest.fn(),
    scrollToItem: jest.fn(async () => undefined)
  };
  return { id: 'the-notebook', content };
}

describe('revealCell', () => {
  const shell = { activateById: jest.fn() };

  beforeEach(() => {
    shell.activateById.mockClear();
    jest.spyOn(NotebookActions, 'expandParent').mockImplementation();
  });

  it('counts code cells: selects, scrolls and gives the focus', async () => {
    const panel = aPanel();
    await revealCell(shell, panel as never, 2);
    expect(panel.content.activeCellIndex).toBe(3);
    expect(panel.content.mode).toBe('command');
    expect(panel.content.deselectAll).toHaveBeenCalled();
    expect(panel.content.scrollToItem).toHaveBeenCalledWith(3, 'smart');
    expect(shell.activateById).toHaveBeenCalledWith('the-notebook');
    expect(NotebookActions.expandParent).toHaveBeenCalledWith(
      panel.content.widgets[3],
      panel.content
    );
  });

  it('stays where it is when the cell is gone', async () => {
    const panel = aPanel();
    await revealCell(shell, panel as never, 3);
    expect(panel.content.activeCellIndex).toBe(0);
    expect(shell.activateById).not.toHaveBeenCalled();
  });

  it('does not mind that another jump comes in between', async () => {
    const panel = aPanel();
    panel.content.scrollToItem.mockRejectedValue(new Error('superseded'));
    await expect(revealCell(shell, panel as never, 1)).resolves.toBeUndefined();
  });
});
