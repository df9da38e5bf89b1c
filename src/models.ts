/**
 * The nouns of the REST interface, as the server extension writes them.
 */

import type { ICapture, IPredictor, ISignature } from './captureModels';
import type { IServiceCode } from './serviceModels';

export * from './captureModels';
export * from './serviceModels';

/** One thing that is wrong: what, why, what to do next, and where. */
export interface IProblem {
  problem: string;
  why: string;
  remedy: string;
  where: string;
  /** The fingerprint of what looks like a secret; empty of other problems. */
  fingerprint?: string;
}

export type ParameterType =
  | 'bool'
  | 'int'
  | 'float'
  | 'str'
  | 'date'
  | 'datetime'
  | 'path'
  | 'list'
  | 'dict'
  | 'any';

/**
 * A typed input of the notebook. Dates, moments and paths travel as texts;
 * `items` is the type of what is in a list or a mapping.
 */
export interface IParameter {
  name: string;
  type: ParameterType;
  default?: unknown;
  nullable?: boolean;
  required?: boolean;
  description?: string;
  choices?: unknown[];
  minimum?: number | null;
  maximum?: number | null;
  exclusive_minimum?: number | null;
  exclusive_maximum?: number | null;
  min_length?: number | null;
  max_length?: number | null;
  items?: ParameterType | null;
  keys?: 'str' | 'int';
}

/** A constant of the notebook that could be a parameter. */
export interface ICandidate {
  name: string;
  type: ParameterType;
  default: unknown;
  cell: number;
  why: string;
}

/** A named group of cells; cells are code cells, counted from 1. */
export interface IStep {
  name: string;
  cells: number[];
  title?: string;
  inputs?: string[];
  outputs?: string[];
  parameters?: string[];
  /** The names of the steps whose work it needs. */
  after?: string[];
  files_read?: string[];
  files_written?: string[];
  /** Why cells are together that would be apart. */
  merged?: string[];
  /** Whether running it again gives the same; else `reason` says why not. */
  cacheable?: boolean;
  reason?: string;
  key?: string;
}

/** The cell `target` needs `key` from the cell `source`. */
export interface IEdge {
  source: number;
  target: number;
  key: string;
  kind: 'value' | 'definition' | 'state' | 'file';
  evidence: 'static' | 'traced' | 'both';
}

/** A sign that other cells, or another order, made what the notebook shows. */
export interface IHiddenState {
  kind: 'order' | 'repeated' | 'deleted' | 'undefined' | 'not run';
  cell: number;
  problem: string;
  remedy: string;
  name: string;
}

/** What the text of a notebook says of its pipeline. */
export interface IPipeline {
  title: string;
  parameters: IParameter[];
  parameters_source: 'tagged' | 'proposed' | 'none';
  candidates?: ICandidate[];
  notes?: string[];
  steps: IStep[];
  edges?: IEdge[];
  /** Where a run showed what the code does not tell. */
  contradictions?: string[];
  /** The cells that a change of each parameter reaches. */
  reached?: Record<string, number[]>;
  hidden_state?: IHiddenState[];
  service_code: IServiceCode;
  problems: IProblem[];
}

/** What was found in a notebook that is being typed. */
export interface IDraft extends IPipeline {
  /** The cells that are not valid Python. */
  unreadable: number[];
}

/** A distribution that the notebook uses itself, with its pin. */
export interface IDependency {
  name: string;
  /** What the kernel has; empty when it has none. */
  version: string;
  modules: string[];
  cells: number[];
  source: 'kernel' | 'mapping' | 'requirements' | 'user' | 'runtime';
  /** Why, in one phrase. */
  why?: string;
  extras?: string[];
  /** What a line or a file beside the notebook asks for. */
  specifier?: string;
  /** Where it comes from when that is no index. */
  url?: string;
}

/** How to lock; what is left out is as the kernel has it. */
export interface ILockOptions {
  platform?: string;
  python?: string;
  /** A date or a time: nothing that was uploaded later is taken. */
  exclude_newer?: string;
  accelerator?: string;
  /** A distribution to another version, or to bounds. */
  overrides?: Record<string, string>;
  /** Requirements as pip writes them. */
  additions?: string[];
  removals?: string[];
}

/** A notebook with a person's edits; `system` asks for what the base lacks. */
export interface IEditedEnvironment {
  path: string;
  options: ILockOptions;
  /** A distribution for each module in question. */
  answers: Record<string, string>;
  system: boolean;
}

/** A distribution of the lock; `size` is its wheel's, where that is known. */
export interface ILocked {
  name: string;
  version: string;
  size: number | null;
  direct: boolean;
}

/** A module that nobody can name the distribution of for sure. */
export interface IQuestion {
  module: string;
  /** The likeliest first, possibly none. */
  candidates: string[];
  cells: number[];
  why: string;
}

/** What must be in the image beside Python packages. */
export interface ISystemNeed {
  kind: 'library' | 'executable';
  name: string;
  needed_by: string;
  /** The Debian package that has it; empty where none is known. */
  package: string;
  /** False where the code does without. */
  sure: boolean;
  /** Whether unpacking the package is not enough. */
  scripts: boolean;
}

/** What the environment of a notebook is made of. */
export interface IEnvironmentReport {
  python: string;
  platform: string;
  /** Of the lock; empty while there are problems. */
  sha256: string;
  direct: IDependency[];
  locked: ILocked[];
  size: number;
  /** Null when it was not looked at. */
  system: ISystemNeed[] | null;
  questions: IQuestion[];
  problems: IProblem[];
  notes: string[];
}

/** What was found in a saved notebook. */
export interface IAnalysis extends IPipeline {
  name: string;
  path: string;
  kernel: { name: string; display_name: string; python: string } | null;
  dependencies: IDependency[];
  captures: ICapture[];
  predictor: IPredictor;
  target: string;
}

export type JobKind = 'publish' | 'run' | 'serve';

export type JobState =
  'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export type StageState = 'started' | 'finished' | 'skipped' | 'failed';

/** One line of a job's journal; `seq` orders the lines of one job. */
export type IJobEvent = { seq: number; time: string } & (
  | { type: 'stage'; name: string; state: StageState; seconds?: number | null }
  | {
      type: 'progress';
      stage: string;
      done: number;
      total: number;
      unit: string;
      label?: string;
    }
  | { type: 'log'; level: LogLevel; text: string }
  | ({ type: 'problem' } & IProblem)
  | { type: 'result'; value: Record<string, unknown> }
  | { type: 'state'; state: JobState }
);

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** Long work that outlives the server which started it. */
export interface IJob {
  id: string;
  kind: JobKind;
  title: string;
  state: JobState;
  request: IJobRequest;
  created: string;
  started: string | null;
  ended: string | null;
  result: Record<string, unknown> | null;
  problems: IProblem[];
}

/** The fields that the three kinds of request share, all optional. */
export interface IJobRequest {
  path?: string;
  target?: string;
  reference?: string;
  parameters?: Record<string, unknown>;
  with?: ServeWith;
  port?: number;
  /** A person's edits of the environment: only what is edited. */
  environment?: ILockOptions;
  answers?: Record<string, string>;
  /** The fingerprints of what looks like a secret and is none. */
  allowed_secrets?: string[];
  /** Whether what has no safe format is pickled. */
  allow_pickle?: boolean;
  /** Names to save beyond those that the service needs. */
  captures?: string[];
  /** The id of the kernel whose live objects are saved; nothing is run then. */
  from_kernel?: string;
  /** What becomes of what the base image lacks; by default it is asked. */
  system_packages?: SystemPackages;
  /** Of an image each, the kernel's own among them; none is the kernel's own alone. */
  platforms?: string[];
}

export type SystemPackages = 'auto' | 'ask' | 'none';

export type ServeWith = 'process' | 'docker';

export type Verified = 'full' | 'loaded' | 'none' | 'elsewhere';

export type Metrics = Record<string, number>;

/** What is known of the locked packages' vulnerabilities. */
export interface IAudit {
  /** `clean` only when all of them were checked. */
  state: 'clean' | 'found' | 'not checked';
  /** How many are locked. */
  packages: number;
  found: IAdvisory[];
  unchecked: { why: string; packages: string[] }[];
  /** Who was asked, and when (ISO 8601); empty when nobody was. */
  service: string;
  date: string;
}

/** A known vulnerability of a package; `fixed` are the versions that end it. */
export interface IAdvisory {
  package: string;
  version: string;
  id: string;
  aliases: string[];
  fixed: string[];
  summary: string;
}

export interface IPublishResult {
  reference: string;
  digest: string;
  version: number | null;
  verified: Verified;
  stages: { name: string; seconds: number }[];
  pushed_bytes: number;
  name: string;
  metrics: Metrics;
  captures: ICapture[];
  /** The reference by version, which never moves; `reference` may. */
  versioned?: string;
  /** As published, whatever the notebook became since. */
  parameters?: IParameter[];
  /** Publishes of earlier versions have none. */
  audit?: IAudit;
  /** What its service accepts; without one it has none, or nothing is known. */
  signature?: ISignature | null;
}

export interface IRunResult {
  id: string;
  state: string;
  parameters: Record<string, unknown>;
  metrics: Metrics;
  output: string;
}

/** A publication that answers HTTP. */
export interface IService {
  id: string;
  reference: string;
  digest: string;
  name: string;
  url: string;
  with: ServeWith;
  state: 'ready' | 'starting' | 'stopped' | 'failed';
  started: string;
}

/** A publication as the catalog lists it. */
export interface IPublication {
  name: string;
  title: string;
  reference: string;
  digest: string;
  version: number | null;
  tags: string[];
  authors: string[];
  created: string;
  verified: Verified;
  metrics: Metrics;
  parameters: IParameter[];
  captures: ICapture[];
  predictor: IPredictor | null;
  size: number;
  /** What it has images for; what is said above is of the one for the server's platform. */
  platforms: string[];
}

export interface ICatalog {
  registry: string;
  publications: IPublication[];
}
