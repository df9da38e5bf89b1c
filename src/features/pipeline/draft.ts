import type { INotebookModel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MlopsApi } from '../../api';
import { problemsOf } from '../../errors';
import type { IDraft, IProblem } from '../../models';
import { contentOf } from './content';

/** How long nothing must be typed before it is looked at, in milliseconds. */
const PAUSE = 300;

/**
 * Follows what is typed into a notebook: its text is analyzed when it is opened
 * and after each pause, one question at a time. Nothing is saved for that.
 */
export class DraftFollower implements IDisposable {
  constructor(private readonly _api: MlopsApi) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * What the text says, or said before cells were left half typed: then
   * `unfinished` are these cells.
   */
  get draft(): IDraft | null {
    return this._shown;
  }

  get unfinished(): readonly number[] {
    return this._shown === this._latest ? [] : this._latest!.unreadable;
  }

  /** What is wrong with the text as it is now. */
  get textProblems(): readonly IProblem[] {
    return this._latest?.problems ?? [];
  }

  /** Why the text as it is now could not be analyzed. */
  get problems(): readonly IProblem[] {
    return this._problems;
  }

  /** Whether anybody looks; while nobody does, nothing is asked. */
  get isWatched(): boolean {
    return this._isWatched;
  }

  set isWatched(isWatched: boolean) {
    this._isWatched = isWatched;
    void this._ask();
  }

  /** Follow a notebook, whose file is at `path`; forget the one before. */
  follow(model: INotebookModel | null, path: string | null): void {
    if (model === this._model && path === this._path) {
      return;
    }
    this._model?.contentChanged.disconnect(this._onContent, this);
    window.clearTimeout(this._timer);
    this._model = path === null ? null : model;
    this._path = path;
    this._text = '';
    this._shown = null;
    this._latest = null;
    this._problems = [];
    this._model?.contentChanged.connect(this._onContent, this);
    void this._ask();
  }

  /** Show what the text says, even if it is half typed: it was saved so. */
  settle(): void {
    this._shown = this._latest;
    this._changed.emit();
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private _onContent(): void {
    window.clearTimeout(this._timer);
    this._timer = window.setTimeout(() => void this._ask(), PAUSE);
  }

  private async _ask(): Promise<void> {
    const model = this._model;
    const path = this._path;
    const isIdle = this._isWatched && !this._isAsking && !this._isDisposed;
    if (!model || path === null || !isIdle) {
      return;
    }
    const content = contentOf(model);
    const text = JSON.stringify(content);
    if (text === this._text) {
      return;
    }
    this._text = text;
    this._isAsking = true;
    let draft: IDraft | null = null;
    let problems: IProblem[] = [];
    try {
      draft = await this._api.analyzeDraft(path, content);
    } catch (reason) {
      problems = problemsOf(reason);
    }
    this._isAsking = false;
    if (model === this._model && path === this._path && !this._isDisposed) {
      this._take(draft, problems);
    }
    // What was typed, or came to the front, in the meantime.
    await this._ask();
  }

  private _take(draft: IDraft | null, problems: IProblem[]): void {
    const known = this._shown?.unreadable;
    const isUnfinished =
      known && draft?.unreadable.some(cell => !known.includes(cell));
    this._latest = draft;
    this._problems = problems;
    if (!isUnfinished) {
      this._shown = draft;
    }
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _model: INotebookModel | null = null;
  private _path: string | null = null;
  private _timer = 0;
  private _isWatched = true;
  private _text = '';
  private _isAsking = false;
  private _shown: IDraft | null = null;
  private _latest: IDraft | null = null;
  private _problems: IProblem[] = [];
  private _isDisposed = false;
}
