import type { IDraft } from '../../models';
import {
  DRAFT,
  FakeNotebook,
  fakeApi,
  paused,
  settled
} from '../../testing/fakes';
import { DraftFollower } from './draft';

/** A notebook with one cell that is followed, and everything around it. */
async function aDraft() {
  const api = fakeApi();
  const draft = new DraftFollower(api);
  const notebook = new FakeNotebook('a.ipynb');
  notebook.type('x = 1');
  draft.follow(notebook.context.model as never, 'a.ipynb');
  await settled();
  api.analyzeDraft.mockClear();
  return { api, draft, notebook };
}

describe('DraftFollower', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('sends sources, tags and counts, and neither outputs nor other metadata', async () => {
    const { api, notebook } = await aDraft();
    notebook.type('y = 2');
    notebook.context.model.cells[1].executionCount = 7;
    await paused();
    const cell = { cell_type: 'code', outputs: [] };
    expect(api.analyzeDraft.mock.calls).toEqual([
      [
        'a.ipynb',
        {
          nbformat: 4,
          nbformat_minor: 5,
          metadata: {},
          cells: [
            {
              ...cell,
              id: 'cell-0',
              source: 'x = 1',
              metadata: { tags: ['parameters'] },
              execution_count: null
            },
            {
              ...cell,
              id: 'cell-1',
              source: 'y = 2',
              metadata: {},
              execution_count: 7
            }
          ]
        }
      ]
    ]);
  });

  it('waits for a pause, and asks once for what was typed before it', async () => {
    const { api, draft, notebook } = await aDraft();
    notebook.type('y = 2');
    notebook.type('z = 3');
    await settled();
    expect(api.analyzeDraft).not.toHaveBeenCalled();
    await paused();
    expect(api.analyzeDraft).toHaveBeenCalledTimes(1);
    expect(draft.draft).toEqual(DRAFT);
  });

  it('does not ask for a change of anything but the text', async () => {
    const { api, notebook } = await aDraft();
    notebook.context.model.contentChanged.emit();
    await paused();
    expect(api.analyzeDraft).not.toHaveBeenCalled();
  });

  it('asks one question at a time, the last one about the newest text', async () => {
    const { api, notebook } = await aDraft();
    let answer: (draft: IDraft) => void = () => undefined;
    api.analyzeDraft.mockReturnValueOnce(
      new Promise(resolve => (answer = resolve))
    );
    for (const source of ['b', 'c', 'd']) {
      notebook.type(source);
      await paused();
    }
    expect(api.analyzeDraft).toHaveBeenCalledTimes(1);
    answer(DRAFT);
    await settled();
    expect(api.analyzeDraft).toHaveBeenCalledTimes(2);
    const [, content] = api.analyzeDraft.mock.calls[1];
    expect((content as { cells: unknown[] }).cells).toHaveLength(4);
  });

  it('keeps what it shows while a cell is half typed, and says which', async () => {
    const { api, draft, notebook } = await aDraft();
    const half = { ...DRAFT, title: 'half', unreadable: [2] };
    api.analyzeDraft.mockResolvedValueOnce(half);
    notebook.type('y = (');
    await paused();
    expect(draft.draft).toEqual(DRAFT);
    expect(draft.unfinished).toEqual([2]);

    draft.settle();
    expect(draft.draft).toEqual(half);
    expect(draft.unfinished).toEqual([]);

    const typed = { ...half, title: 'another cell' };
    api.analyzeDraft.mockResolvedValueOnce(typed);
    notebook.type('z = 3');
    await paused();
    expect(draft.draft).toEqual(typed);
  });

  it('drops an answer about a notebook that left the front', async () => {
    const { api, draft, notebook } = await aDraft();
    let answer: (draft: IDraft) => void = () => undefined;
    api.analyzeDraft.mockReturnValueOnce(
      new Promise(resolve => (answer = resolve))
    );
    notebook.type('slow');
    await paused();
    const other = new FakeNotebook('b.ipynb');
    draft.follow(other.context.model as never, 'b.ipynb');
    const fast = { ...DRAFT, title: 'fast' };
    api.analyzeDraft.mockResolvedValueOnce(fast);
    answer({ ...DRAFT, title: 'slow' });
    await settled();
    expect(draft.draft).toEqual(fast);
    expect(api.analyzeDraft.mock.lastCall?.[0]).toBe('b.ipynb');
  });

  it('asks nothing while nobody looks, and at once when somebody does', async () => {
    const { api, draft, notebook } = await aDraft();
    draft.isWatched = false;
    notebook.type('y = 2');
    await paused();
    expect(api.analyzeDraft).not.toHaveBeenCalled();
    draft.isWatched = true;
    await settled();
    expect(api.analyzeDraft).toHaveBeenCalledTimes(1);
  });

  it('is silent once it is disposed of', async () => {
    const { api, draft, notebook } = await aDraft();
    notebook.type('y = 2');
    draft.dispose();
    await paused();
    notebook.type('z = 3');
    await paused();
    expect(api.analyzeDraft).not.toHaveBeenCalled();
  });
});
