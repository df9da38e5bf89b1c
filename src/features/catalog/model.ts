import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MlopsApi } from '../../api';
import { problemsOf } from '../../errors';
import type { IProblem, IPublication } from '../../models';

/** The publications of one registry, fetched when somebody looks. */
export class CatalogModel implements IDisposable {
  constructor(private readonly _api: MlopsApi) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The registry that is listed; empty for the server's own default. */
  get registry(): string {
    return this._registry;
  }

  /** The words that are looked for; empty for all publications. */
  get search(): string {
    return this._search;
  }

  get publications(): readonly IPublication[] | null {
    return this._publications;
  }

  get problems(): readonly IProblem[] {
    return this._problems;
  }

  get isLoading(): boolean {
    return this._isLoading;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** List what fits in a registry; a newer question makes an older answer void. */
  async list(
    registry: string = this._registry,
    search: string = this._search
  ): Promise<void> {
    const question = ++this._question;
    this._isLoading = true;
    this._search = search;
    this._emit();
    try {
      const catalog = await this._api.listPublications(registry, search);
      if (question === this._question) {
        this._registry = catalog.registry;
        this._publications = catalog.publications;
        this._problems = [];
      }
    } catch (reason) {
      if (question === this._question) {
        this._registry = registry;
        this._publications = null;
        this._problems = problemsOf(reason);
      }
    }
    if (question === this._question) {
      this._isLoading = false;
      this._emit();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _registry = '';
  private _search = '';
  private _publications: IPublication[] | null = null;
  private _problems: IProblem[] = [];
  private _isLoading = false;
  private _question = 0;
  private _isDisposed = false;
}
