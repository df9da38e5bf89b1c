import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MlopsApi } from '../../api';
import { problemOf, problemsOf } from '../../errors';
import type { IAnalysis, IPipeline, IProblem } from '../../models';
import { DraftFollower } from '../pipeline/draft';

/** Drives whose files are the server's own files under another prefix. */
const OWN_DRIVES = ['', 'RTC'];

/**
 * Follows the current notebook and keeps the analysis of its saved file: asked
 * for when another notebook comes to the front, and when this one is saved,
 * reloaded or renamed. What its text says follows typing.
 */
export class NotebookFollower implements IDisposable {
  constructor(
    private readonly _options: {
      api: MlopsApi;
      tracker: INotebookTracker;
      contents: Contents.IManager;
      trans: TranslationBundle;
    }
  ) {
    const { api, tracker } = _options;
    this._draft = new DraftFollower(api);
    this._draft.changed.connect(this._emit, this);
    tracker.currentChanged.connect(this._onCurrent, this);
    this._onCurrent(tracker, tracker.currentWidget);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The notebook in front, if any. */
  get panel(): NotebookPanel | null {
    return this._panel;
  }

  /** Its path on the server, without the prefix of a drive. */
  get path(): string | null {
    return this._path;
  }

  /** When its file was written, as the server says it. */
  get modified(): string | undefined {
    return this._modified;
  }

  /** Whether it has changes that are not in its file. */
  get isDirty(): boolean {
    return this._panel?.context.model.dirty ?? false;
  }

  get analysis(): IAnalysis | null {
    return this._analysis;
  }

  /** Why there is no analysis. */
  get problems(): readonly IProblem[] {
    return this._problems;
  }

  /** Whether typing is followed: only while somebody looks at what comes of it. */
  get isWatched(): boolean {
    return this._draft.isWatched;
  }

  set isWatched(isWatched: boolean) {
    this._draft.isWatched = isWatched;
  }

  /** Whether what is shown of the text is newer than the analysis. */
  get isDraft(): boolean {
    const isBehind = this.isDirty || this._isLoading || !this._analysis;
    return isBehind && this._draft.draft !== null;
  }

  /** What the text says: as it is typed, else as it is saved. */
  get pipeline(): IPipeline | null {
    return this.isDraft ? this._draft.draft : this._analysis;
  }

  /** The cells that are left half typed: `pipeline` is from before. */
  get unfinished(): readonly number[] {
    return this.isDraft ? this._draft.unfinished : [];
  }

  /** All that is wrong with the notebook as it is shown. */
  get findings(): readonly IProblem[] {
    if (!this.isDraft) {
      const saved = [...this._problems, ...(this._analysis?.problems ?? [])];
      return this.isDirty ? [...this._draft.problems, ...saved] : saved;
    }
    // Why the file could not be analyzed may no longer be so.
    const saved = this.isDirty ? [] : this._problems;
    const text = this._draft.draft?.problems ?? [];
    return [...text, ...saved, ...this._kernelProblems];
  }

  get isLoading(): boolean {
    return this._isLoading;
  }

  /** Ask for the analysis again; a newer question makes an older answer void. */
  async refresh(): Promise<void> {
    const path = this._path;
    const question = ++this._question;
    if (path === null) {
      return;
    }
    this._isLoading = true;
    this._emit();
    let analysis: IAnalysis | null = null;
    let problems: IProblem[] = [];
    try {
      analysis = await this._options.api.analyze(path);
    } catch (reason) {
      problems = problemsOf(reason);
    }
    if (question === this._question && !this._isDisposed) {
      this._analysis = analysis;
      this._problems = problems;
      this._isLoading = false;
      this._kernelProblems = without(
        analysis?.problems ?? [],
        this._draft.textProblems
      );
      this._emit();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this._draft.dispose();
    Signal.clearData(this);
  }

  private _onCurrent(_: INotebookTracker, panel: NotebookPanel | null): void {
    if (panel === this._panel) {
      return;
    }
    if (this._panel && !this._panel.isDisposed) {
      const { context } = this._panel;
      context.saveState.disconnect(this._onFile, this);
      context.pathChanged.disconnect(this._locate, this);
      context.fileChanged.disconnect(this._onFile, this);
      context.model.stateChanged.disconnect(this._emit, this);
    }
    this._panel = panel;
    if (panel) {
      const { context } = panel;
      context.saveState.connect(this._onFile, this);
      context.pathChanged.connect(this._locate, this);
      context.fileChanged.connect(this._onFile, this);
      context.model.stateChanged.connect(this._emit, this);
    }
    this._locate();
  }

  /** Find where the notebook is, and forget what was known of another one. */
  private _locate(): void {
    const { contents, trans } = this._options;
    const full = this._panel?.context.path ?? null;
    const drive = full === null ? '' : contents.driveName(full);
    const isOwn = OWN_DRIVES.includes(drive);
    const path = full !== null && isOwn ? contents.localPath(full) : null;
    if (path !== this._path || path === null) {
      this._path = path;
      this._analysis = null;
      this._kernelProblems = [];
      this._isLoading = false;
      this._problems = isOwn
        ? []
        : [
            problemOf(
              trans.__('This notebook is on the drive "%1".', drive),
              trans.__(
                'Only notebooks in the files of the Jupyter server can be published: copy it there.'
              )
            )
          ];
      this._emit();
    }
    void this._whenReady();
  }

  private async _whenReady(): Promise<void> {
    const panel = this._panel;
    this._draft.follow(null, null);
    await panel?.context.ready;
    if (panel && panel === this._panel && !panel.isDisposed) {
      this._draft.follow(panel.context.model, this._path);
      this._modified = panel.context.contentsModel?.last_modified;
      await this.refresh();
    }
  }

  /** Look again when the file is another one, by a save here or elsewhere. */
  private _onFile(): void {
    const context = this._panel?.context;
    const modified = context?.contentsModel?.last_modified;
    if (context?.isReady && modified !== this._modified) {
      this._modified = modified;
      this._draft.settle();
      void this.refresh();
    }
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _draft: DraftFollower;
  private _panel: NotebookPanel | null = null;
  private _path: string | null = null;
  private _analysis: IAnalysis | null = null;
  private _problems: IProblem[] = [];
  /** Those of the analysis that are not about the text. */
  private _kernelProblems: IProblem[] = [];
  private _isLoading = false;
  private _question = 0;
  private _modified: string | undefined;
  private _isDisposed = false;
}

function without(
  problems: readonly IProblem[],
  others: readonly IProblem[]
): IProblem[] {
  const known = new Set(others.map(other => JSON.stringify(other)));
  return problems.filter(problem => !known.has(JSON.stringify(problem)));
}
