import { ApiError, problemOf } from '../../errors';
import type { IAnalysis } from '../../models';
import {
  ANALYSIS,
  DRAFT,
  FakeNotebook,
  aModel,
  paused,
  settled
} from '../../testing/fakes';

describe('NotebookFollower', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('analyzes the notebook in front', async () => {
    const { api, tracker, notebook } = aModel();
    expect(notebook.path).toBeNull();
    tracker.show(new FakeNotebook('work/iris.ipynb'));
    await settled();
    expect(api.analyze.mock.calls).toEqual([['work/iris.ipynb']]);
    expect(notebook.analysis).toEqual(ANALYSIS);
    tracker.show(null);
    expect(notebook.path).toBeNull();
    expect(notebook.analysis).toBeNull();
  });

  it('strips the drive of real-time collaboration', async () => {
    const { api, tracker, notebook } = aModel();
    tracker.show(new FakeNotebook('RTC:work/iris.ipynb'));
    await settled();
    expect(notebook.path).toBe('work/iris.ipynb');
    expect(api.analyze).toHaveBeenCalledWith('work/iris.ipynb');
  });

  it('does not take a file of another drive for one of the server', async () => {
    const { api, tracker, notebook } = aModel();
    tracker.show(new FakeNotebook('S3:iris.ipynb'));
    await settled();
    expect(notebook.path).toBeNull();
    expect(notebook.problems[0].problem).toContain('"S3"');
    expect(api.analyze).not.toHaveBeenCalled();
  });

  it('looks again once for a save, and after a rename', async () => {
    const { api, tracker, notebook } = aModel();
    const document = new FakeNotebook('a.ipynb');
    tracker.show(document);
    await settled();
    document.context.contentsModel = { last_modified: '2' };
    document.context.fileChanged.emit({});
    document.context.saveState.emit('completed');
    await settled();
    expect(api.analyze).toHaveBeenCalledTimes(2);
    document.context.path = 'b.ipynb';
    document.context.pathChanged.emit('b.ipynb');
    await settled();
    expect(notebook.path).toBe('b.ipynb');
    expect(api.analyze).toHaveBeenLastCalledWith('b.ipynb');
  });

  it('stops listening to a notebook that left the front', async () => {
    const { api, tracker } = aModel();
    const [first, second] = ['a.ipynb', 'b.ipynb'].map(
      path => new FakeNotebook(path)
    );
    tracker.show(first);
    tracker.show(second);
    await settled();
    api.analyze.mockClear();
    first.context.contentsModel = { last_modified: '9' };
    first.context.saveState.emit('completed');
    await settled();
    expect(api.analyze).not.toHaveBeenCalled();
  });

  it('drops an answer about a notebook that left the front', async () => {
    const { api, tracker, notebook } = aModel();
    let answerFirst: (analysis: IAnalysis) => void = () => undefined;
    api.analyze.mockReturnValueOnce(
      new Promise(resolve => {
        answerFirst = resolve;
      })
    );
    tracker.show(new FakeNotebook('slow.ipynb'));
    await settled();
    const fast = { ...ANALYSIS, name: 'fast' };
    api.analyze.mockResolvedValueOnce(fast);
    tracker.show(new FakeNotebook('fast.ipynb'));
    await settled();
    answerFirst({ ...ANALYSIS, name: 'slow' });
    await settled();
    expect(notebook.analysis).toEqual(fast);
  });

  it('keeps why a notebook cannot be read', async () => {
    const { api, tracker, notebook } = aModel();
    const problem = problemOf('This is nbformat 3.', 'Save it again.');
    api.analyze.mockRejectedValue(new ApiError(400, [problem]));
    tracker.show(new FakeNotebook('old.ipynb'));
    await settled();
    expect(notebook.problems).toEqual([problem]);
    expect(notebook.isLoading).toBe(false);
  });

  describe('while it is typed', () => {
    const problem = (text: string, where = '') => ({
      ...problemOf(text),
      where
    });

    it('draws the text at once, then what is saved', async () => {
      const { api, tracker, notebook } = aModel();
      let answer: (analysis: IAnalysis) => void = () => undefined;
      api.analyze.mockReturnValue(new Promise(resolve => (answer = resolve)));
      tracker.show(new FakeNotebook('a.ipynb'));
      await settled();
      expect(notebook.isDraft).toBe(true);
      expect(notebook.pipeline).toEqual(DRAFT);
      answer(ANALYSIS);
      await settled();
      expect(notebook.isDraft).toBe(false);
      expect(notebook.pipeline).toEqual(ANALYSIS);
    });

    it('shows the text while it is not saved, with what the kernel said', async () => {
      const { api, tracker, notebook } = aModel();
      const old = problem('This line was wrong', 'cell 1');
      const kernel = problem('Nothing provides "foo"', 'cell 2');
      const now = problem('That line is wrong', 'cell 3');
      api.analyze.mockResolvedValue({ ...ANALYSIS, problems: [old, kernel] });
      api.analyzeDraft.mockResolvedValue({ ...DRAFT, problems: [old] });
      const document = new FakeNotebook('a.ipynb');
      tracker.show(document);
      await settled();
      expect(notebook.findings).toEqual([old, kernel]);

      api.analyzeDraft.mockResolvedValue({ ...DRAFT, problems: [now] });
      document.type('x = 1');
      await paused();
      expect(notebook.isDraft).toBe(true);
      expect(notebook.findings).toEqual([now, kernel]);

      await document.context.save();
      await settled();
      expect(notebook.isDraft).toBe(false);
    });

    it('says why typing cannot be followed, and shows what is saved', async () => {
      const { api, tracker, notebook } = aModel();
      const document = new FakeNotebook('a.ipynb');
      tracker.show(document);
      await settled();
      const long = problem('The text is too long');
      api.analyzeDraft.mockRejectedValue(new ApiError(413, [long]));
      document.type('x = 1');
      await paused();
      expect(notebook.findings).toEqual([long]);
      expect(notebook.pipeline).toEqual(ANALYSIS);
    });

    it('does not say of typed text what was wrong with the file', async () => {
      const { api, tracker, notebook } = aModel();
      const empty = problem('The notebook has no code');
      api.analyze.mockRejectedValue(new ApiError(400, [empty]));
      api.analyzeDraft.mockRejectedValueOnce(new ApiError(400, [empty]));
      const document = new FakeNotebook('new.ipynb');
      tracker.show(document);
      await settled();
      expect(notebook.findings).toEqual([empty]);
      document.type('x = 1');
      await paused();
      expect(notebook.findings).toEqual([]);
      expect(notebook.pipeline).toEqual(DRAFT);
    });
  });
});
