import { Signal } from '@lumino/signaling';
import { problemsOf } from '../../errors';
import type { MlopsApi } from '../../api';
import type { IJobRequest, IPick, IPickable, IProblem } from '../../models';
import type { NotebookFollower } from '../notebook/follower';

/** What this needs of the REST interface. */
type Api = Pick<MlopsApi, 'listCaptures'>;

/** What a person chose for a notebook. */
interface IChoice {
  /** Names that are captured beyond what is captured anyway. */
  picked: ReadonlySet<string>;
  /** Whether the live objects are saved, and nothing is run. */
  live: boolean;
}

const NOTHING: IChoice = { picked: new Set(), live: false };

/** The names of the current notebook that can be captured, and which are. */
export class CapturesModel {
  constructor(
    private readonly _api: Api,
    private readonly _notebook: NotebookFollower
  ) {}

  /** Emitted when anything that is shown has changed. */
  get changed(): Signal<this, void> {
    return this._changed;
  }

  /** What there is to pick from; null until it was looked at. */
  get names(): readonly IPickable[] | null {
    return this._found?.names ?? null;
  }

  /** Why types and sizes are not known, or nothing. */
  get note(): string {
    return this._found?.note ?? '';
  }

  get problems(): readonly IProblem[] {
    return this._isCurrent ? this._problems : [];
  }

  get isLooking(): boolean {
    return this._isLooking;
  }

  /** The id of the kernel that runs the current notebook, if one does. */
  get kernel(): string | null {
    const session = this._notebook.panel?.sessionContext?.session;
    return session?.kernel?.id ?? null;
  }

  /** Whether the objects of the live kernel are what is published. */
  get live(): boolean {
    return this._choice.live && this.kernel !== null;
  }

  set live(live: boolean) {
    this._choose({ ...this._choice, live });
  }

  /** How many names were picked beyond those that are captured anyway. */
  get count(): number {
    return this._choice.picked.size;
  }

  /** Whether a name is captured: needed, asked for by a cell, or picked. */
  isPicked(name: IPickable): boolean {
    return this.isFixed(name) || this._choice.picked.has(name.name);
  }

  /** Whether a name is captured whatever is picked here. */
  isFixed(name: IPickable): boolean {
    return name.needed || name.declared;
  }

  toggle(name: IPickable): void {
    const picked = new Set(this._choice.picked);
    if (!picked.delete(name.name)) {
      picked.add(name.name);
    }
    this._choose({ ...this._choice, picked });
  }

  /** What a publish is asked for besides. */
  get request(): Partial<IJobRequest> {
    const captures = [...this._choice.picked].sort();
    return {
      ...(captures.length > 0 && { captures }),
      ...(this.live && { from_kernel: this.kernel ?? undefined })
    };
  }

  /** Look at the saved notebook, and at its kernel, if one runs. */
  async look(): Promise<void> {
    const { path } = this._notebook;
    if (path === null || this._isLooking) {
      return;
    }
    this._isLooking = true;
    this._problems = [];
    this._changed.emit();
    try {
      const found = await this._api.listCaptures(path, this.kernel ?? '');
      this._answer = { path, found };
    } catch (reason) {
      this._problems = problemsOf(reason);
      this._answer = { path, found: null };
    }
    this._isLooking = false;
    this._changed.emit();
  }

  private get _isCurrent(): boolean {
    return this._answer !== null && this._answer.path === this._notebook.path;
  }

  private get _found(): IPick | null {
    return this._isCurrent ? (this._answer?.found ?? null) : null;
  }

  private get _choice(): IChoice {
    return this._choices.get(this._notebook.path ?? '') ?? NOTHING;
  }

  private _choose(choice: IChoice): void {
    this._choices.set(this._notebook.path ?? '', choice);
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _choices = new Map<string, IChoice>();
  private _answer: { path: string; found: IPick | null } | null = null;
  private _problems: readonly IProblem[] = [];
  private _isLooking = false;
}
