import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MlopsApi } from '../../api';
import { problemsOf } from '../../errors';
import type { IEnvironmentReport, IJobRequest, IProblem } from '../../models';
import type { NotebookFollower } from '../notebook/follower';
import type { Edit, Edits, IAnswer } from './edits';
import {
  answersOf,
  optionsOf,
  requestOf,
  withEdit,
  withoutEdit
} from './edits';
import { rememberAnswer, rememberedAnswer } from './remembered';

/** What the server is doing: locking, or also looking at the base image. */
export type Work = 'lock' | 'system';

/** What is known of the environment of one notebook, and what was edited. */
interface IKnown {
  edits: Edits;
  report: IEnvironmentReport | null;
  problems: readonly IProblem[];
  work: Work | null;
  question: number;
  /** The edits that the report is of, and the file. */
  asked: string;
  modified: string | undefined;
}

/**
 * The environment of the current notebook: asked for when somebody looks,
 * because that locks it. Edits stay with their notebook, and the server keeps
 * none of them: they go with every question, and with a publish.
 */
export class EnvironmentModel implements IDisposable {
  constructor(
    private readonly _api: MlopsApi,
    private readonly _notebook: NotebookFollower
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get report(): IEnvironmentReport | null {
    return this._current.report;
  }

  /** Why there is no newer report. */
  get problems(): readonly IProblem[] {
    return this._current.problems;
  }

  get work(): Work | null {
    return this._current.work;
  }

  get edits(): Edits {
    return this._current.edits;
  }

  /** Whether there are edits that are not in the report. */
  get isEdited(): boolean {
    const { report, asked, edits } = this._current;
    return report !== null && asked !== lockText(edits);
  }

  /** Whether the report is of an older file than the notebook's. */
  get isOlder(): boolean {
    const { report, modified } = this._current;
    const isKnown = report !== null && modified !== undefined;
    return isKnown && modified !== this._notebook.modified;
  }

  /** What a publish is told of the edits. */
  get request(): Partial<IJobRequest> {
    return requestOf(this._current.edits);
  }

  /** Ask, unless that was done for this notebook. */
  async look(): Promise<void> {
    const { report, problems, work } = this._current;
    if (!report && problems.length === 0 && !work) {
      await this.lock();
    }
  }

  /** Lock with all edits; a newer question makes an older answer void. */
  async lock(work: Work = 'lock'): Promise<void> {
    const { path } = this._notebook;
    if (path === null) {
      return;
    }
    const known = this._known(path);
    const question = ++known.question;
    const { edits } = known;
    const { modified } = this._notebook;
    known.work = work;
    this._emit();
    let report: IEnvironmentReport | null = null;
    let problems: IProblem[] = [];
    try {
      report = await this._ask(path, edits, work === 'system');
    } catch (reason) {
      problems = problemsOf(reason);
    }
    if (question !== known.question) {
      return;
    }
    known.work = null;
    known.problems = problems;
    if (report) {
      Object.assign(known, { report, asked: lockText(edits), modified });
    }
    this._emit();
  }

  /** Make an edit; nothing is locked before it is asked for. */
  edit(edit: Edit): void {
    const known = this._current;
    known.edits = withEdit(known.edits, edit);
    if (edit.kind === 'answer' && this._remembered(edit) !== undefined) {
      this._remember(edit.module, edit.distribution);
    }
    this._emit();
  }

  /** Take an edit back; what the notebook keeps of it goes, too. */
  undo(edit: Edit): void {
    const known = this._current;
    known.edits = withoutEdit(known.edits, edit);
    if (edit.kind === 'answer' && this.isRemembered(edit)) {
      this._remember(edit.module, null);
    }
    this._emit();
  }

  /** Whether the notebook keeps this answer in its metadata. */
  isRemembered(answer: IAnswer): boolean {
    return this._remembered(answer) === answer.distribution;
  }

  /** Keep an answer in the notebook, or do not: the user decides, and saves. */
  remember(answer: IAnswer, isKept: boolean): void {
    this._remember(answer.module, isKept ? answer.distribution : null);
    this._emit();
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _ask(
    path: string,
    edits: Edits,
    system: boolean
  ): Promise<IEnvironmentReport> {
    const options = optionsOf(edits);
    const answers = answersOf(edits);
    return system || lockText(edits) !== lockText([])
      ? this._api.editEnvironment({ path, options, answers, system })
      : this._api.describeEnvironment(path);
  }

  private _remembered({ module }: IAnswer): string | undefined {
    const model = this._notebook.panel?.context.model;
    return model && rememberedAnswer(model, module);
  }

  private _remember(module: string, distribution: string | null): void {
    const model = this._notebook.panel?.context.model;
    if (model) {
      rememberAnswer(model, module, distribution);
    }
  }

  private get _current(): IKnown {
    return this._known(this._notebook.path ?? '');
  }

  private _known(path: string): IKnown {
    let known = this._notebooks.get(path);
    if (!known) {
      known = {
        edits: [],
        report: null,
        problems: [],
        work: null,
        question: 0,
        asked: '',
        modified: undefined
      };
      this._notebooks.set(path, known);
    }
    return known;
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _notebooks = new Map<string, IKnown>();
  private _isDisposed = false;
}

/** What of the edits a lock depends on. */
function lockText(edits: Edits): string {
  return JSON.stringify([optionsOf(edits), answersOf(edits)]);
}
