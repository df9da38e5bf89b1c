import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { MlopsApi } from './api';
import type { IJobView } from './features/jobs/state';
import type { PanelModel } from './features/panel/model';
import type { ServicesModel } from './features/services/model';
import type { IJobRequest, JobKind } from './models';

/** What happened to a job. */
export interface IJobChange {
  type: 'added' | 'updated' | 'removed';
  view: IJobView;
}

/** The jobs of the server, live. */
export interface IJobTracker {
  /** Emitted for each job that appears, goes on or is forgotten. */
  readonly changed: ISignal<IJobTracker, IJobChange>;
  /** Every known job, the newest first. */
  readonly jobs: IJobView[];
  get(id: string): IJobView | undefined;
  refresh(): Promise<void>;
  /** Fetch the events of a job that ended before anybody watched it. */
  load(id: string): Promise<void>;
  start(kind: JobKind, request: IJobRequest): Promise<IJobView>;
  cancel(id: string): Promise<void>;
  forget(id: string): Promise<void>;
  readLog(id: string): Promise<string>;
}

/** What the features share: the REST interface, the jobs and the services. */
export interface IMlops {
  readonly api: MlopsApi;
  readonly jobs: IJobTracker;
  readonly services: ServicesModel;
}

export const IMlops = new Token<IMlops>(
  'jupyter-mlops:IMlops',
  'The jobs and services of the jupyter_mlops server extension.'
);

/** The side panel: what it shows and how to bring it up. */
export interface IMlopsPanel {
  readonly model: PanelModel;
  /** Reveal the panel. */
  show(): void;
}

export const IMlopsPanel = new Token<IMlopsPanel>(
  'jupyter-mlops:IMlopsPanel',
  'The side panel that publishes the current notebook.'
);
