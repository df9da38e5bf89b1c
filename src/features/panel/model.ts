import { VDomModel } from '@jupyterlab/ui-components';
import { problemsOf } from '../../errors';
import type {
  IJobRequest,
  IParameter,
  IProblem,
  IPublishResult,
  JobKind,
  ServeWith
} from '../../models';
import type { IMlops } from '../../tokens';
import type { CatalogModel } from '../catalog/model';
import { CapturesModel } from '../captures/model';
import type { EnvironmentModel } from '../environment/model';
import type { IJobView } from '../jobs/state';
import { isActive } from '../jobs/state';
import type { NotebookFollower } from '../notebook/follower';

/** What the user chose in the settings. */
export interface IChoices {
  /** Where a notebook goes that was not published yet; empty: ask the server. */
  defaultRegistry: string;
  /** How publications are served. */
  serveWith: ServeWith;
  /** Whether what has no safe format is pickled. */
  allowPickle?: boolean;
}

/** A form to run something with other parameters. */
export interface IRunForm {
  /** What is run: a publication, or a notebook that is not published. */
  source: { reference: string } | { path: string };
  title: string;
  parameters: readonly IParameter[];
}

/** What the panel shows of the current notebook, and what its buttons do. */
export class PanelModel extends VDomModel {
  constructor(
    readonly mlops: IMlops,
    readonly notebook: NotebookFollower,
    readonly catalog: CatalogModel,
    readonly environment: EnvironmentModel
  ) {
    super();
    this.captures = new CapturesModel(mlops.api, notebook);
    this.captures.changed.connect(this._emit, this);
    notebook.changed.connect(this._onNotebook, this);
    catalog.changed.connect(this._emit, this);
    environment.changed.connect(this._emit, this);
    mlops.jobs.changed.connect(this._onJobs, this);
    mlops.services.changed.connect(this._emit, this);
  }

  /** What is captured of the current notebook. */
  readonly captures: CapturesModel;

  get choices(): IChoices {
    return this._choices;
  }

  set choices(choices: IChoices) {
    this._choices = choices;
    this._emit();
  }

  /** Where the current notebook goes: typed, or as last time, or by default. */
  get target(): string {
    const { path, analysis } = this.notebook;
    const typed = this._targets.get(path ?? '');
    if (typed !== undefined) {
      return typed;
    }
    const registry = this._choices.defaultRegistry.replace(/\/+$/, '');
    const separator = registry.startsWith('oci:') ? ':' : '/';
    const preferred =
      registry && analysis ? `${registry}${separator}${analysis.name}` : '';
    return (
      this.lastPublish?.job.request.target ||
      preferred ||
      analysis?.target ||
      ''
    );
  }

  set target(target: string) {
    this._targets.set(this.notebook.path ?? '', target);
    this._emit();
  }

  /** What looks like a secret and is none: as said here, or as last time. */
  get allowedSecrets(): readonly string[] {
    return (
      this._allowedSecrets.get(this.notebook.path ?? '') ??
      this.lastPublish?.job.request.allowed_secrets ??
      []
    );
  }

  set allowedSecrets(fingerprints: readonly string[]) {
    this._allowedSecrets.set(this.notebook.path ?? '', fingerprints);
    this._emit();
  }

  /** The last publish of the current notebook: under way, or how it ended. */
  get lastPublish(): IJobView | null {
    const isOurs = ({ job }: IJobView) =>
      job.kind === 'publish' && this._isCurrent(job.request);
    return this.mlops.jobs.jobs.find(isOurs) ?? null;
  }

  /** Whether Publish would start what is already under way. */
  get isPublishing(): boolean {
    const isSame = ({ job }: IJobView) =>
      job.kind === 'publish' &&
      isActive(job) &&
      this._isCurrent(job.request) &&
      (!job.request.target || job.request.target === this.target);
    return this._starting.has('publish') || this.mlops.jobs.jobs.some(isSame);
  }

  /** The runs of the server, the newest first. */
  get runs(): IJobView[] {
    return this.mlops.jobs.jobs.filter(({ job }) => job.kind === 'run');
  }

  /** The serve jobs worth showing: under way, or failed. */
  get starts(): IJobView[] {
    return this.mlops.jobs.jobs.filter(
      ({ job }) =>
        job.kind === 'serve' && (isActive(job) || job.state === 'failed')
    );
  }

  get runForm(): IRunForm | null {
    return this._runForm;
  }

  /** Why the last work of a kind did not start. */
  problems(kind: JobKind): readonly IProblem[] {
    return this._problems.get(kind) ?? [];
  }

  isStarting(kind: JobKind): boolean {
    return this._starting.has(kind);
  }

  /** Publish the saved file of the current notebook, with its edits. */
  publish(): Promise<IJobView | null> {
    const { path } = this.notebook;
    if (path === null || this.isPublishing) {
      return Promise.resolve(null);
    }
    const target = this.target.trim();
    const allowed = [...this.allowedSecrets];
    return this.start('publish', {
      path,
      ...(target && { target }),
      ...(allowed.length > 0 && { allowed_secrets: allowed }),
      ...(this._choices.allowPickle && { allow_pickle: true }),
      ...this.captures.request,
      ...this.environment.request
    });
  }

  serve(reference: string): Promise<IJobView | null> {
    const request = { reference, with: this._choices.serveWith };
    return this.start('serve', request);
  }

  /** Run what the form is about. It stays open when it does not start. */
  async run(values: Record<string, unknown>): Promise<IJobView | null> {
    if (!this._runForm) {
      return null;
    }
    const { source } = this._runForm;
    const view = await this.start('run', { ...source, parameters: values });
    if (view) {
      this.closeRunForm();
    }
    return view;
  }

  openRunForm(form: IRunForm): void {
    this._runForm = form;
    this._problems.delete('run');
    this._emit();
  }

  closeRunForm(): void {
    this._runForm = null;
    this._problems.delete('run');
    this._emit();
  }

  async cancel(id: string): Promise<void> {
    const kind = this.mlops.jobs.get(id)?.job.kind ?? 'publish';
    await this._attempt(kind, () => this.mlops.jobs.cancel(id));
  }

  async forget(id: string): Promise<void> {
    const kind = this.mlops.jobs.get(id)?.job.kind ?? 'publish';
    await this._attempt(kind, () => this.mlops.jobs.forget(id));
  }

  /** Start work; null when it did not start, and `problems` says why. */
  async start(kind: JobKind, request: IJobRequest): Promise<IJobView | null> {
    let view: IJobView | null = null;
    this._starting.add(kind);
    await this._attempt(kind, async () => {
      view = await this.mlops.jobs.start(kind, request);
    });
    this._starting.delete(kind);
    this._emit();
    return view;
  }

  private async _attempt(
    kind: JobKind,
    action: () => Promise<unknown>
  ): Promise<void> {
    this._problems.delete(kind);
    this._emit();
    try {
      await action();
    } catch (reason) {
      this._problems.set(kind, problemsOf(reason));
      this._emit();
    }
  }

  private _isCurrent({ path }: IJobRequest): boolean {
    return path !== undefined && path === this.notebook.path;
  }

  private _onNotebook(): void {
    if (this.notebook.path !== this._path) {
      this._path = this.notebook.path;
      this._problems.delete('publish');
    }
    this._onJobs();
  }

  private _onJobs(): void {
    // A job that ended before this page was open has a story to fetch.
    const last = this.lastPublish;
    if (last?.seq === 0 && !isActive(last.job)) {
      void this.mlops.jobs.load(last.job.id);
    }
    this._emit();
  }

  private _emit(): void {
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _targets = new Map<string, string>();
  private readonly _allowedSecrets = new Map<string, readonly string[]>();
  private readonly _problems = new Map<JobKind, readonly IProblem[]>();
  private readonly _starting = new Set<JobKind>();
  private _choices: IChoices = { defaultRegistry: '', serveWith: 'process' };
  private _runForm: IRunForm | null = null;
  private _path: string | null = null;
}

/** The result of a publish that succeeded. */
export function publishResult(view: IJobView | null): IPublishResult | null {
  const isDone = view?.job.state === 'succeeded' && view.job.result;
  return isDone ? (view.job.result as unknown as IPublishResult) : null;
}
