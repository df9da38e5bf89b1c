import type {
  IJob,
  IJobEvent,
  IProblem,
  JobState,
  LogLevel,
  StageState
} from '../../models';

/** A stage of a job as far as its events tell. */
export interface IStage {
  name: string;
  state: StageState;
  seconds: number | null;
}

/** How far the current stage is. */
export interface IProgress {
  stage: string;
  done: number;
  total: number;
  unit: string;
  label: string;
}

export interface ILogLine {
  seq: number;
  time: string;
  level: LogLevel;
  text: string;
}

/** A job with what its events said so far. */
export interface IJobView {
  job: IJob;
  /** The number of the last event taken in; 0 before the first. */
  seq: number;
  stages: IStage[];
  progress: IProgress | null;
  log: ILogLine[];
}

/** The lines kept for display; the whole log stays on the server. */
export const LOG_LINES = 2000;

const ENDED: JobState[] = ['succeeded', 'failed', 'cancelled'];

/** Whether nothing follows a state. */
export function isEnded(state: JobState): boolean {
  return ENDED.includes(state);
}

/** Whether a job is still to do something. */
export function isActive(job: IJob): boolean {
  return !isEnded(job.state);
}

/** The view of a job of which no event was seen. */
export function viewOf(job: IJob): IJobView {
  return { job, seq: 0, stages: [], progress: null, log: [] };
}

/** Return the view after an event. Pure: the same events give the same view. */
export function applyEvent(view: IJobView, event: IJobEvent): IJobView {
  const next = { ...view, seq: Math.max(view.seq, event.seq) };
  switch (event.type) {
    case 'stage': {
      const { name, state } = event;
      const stage = { name, state, seconds: event.seconds ?? null };
      next.stages = withStage(view.stages, stage);
      next.progress = null;
      return next;
    }
    case 'progress':
      next.progress = { ...event, label: event.label ?? '' };
      return next;
    case 'log': {
      const { seq, time, level, text } = event;
      next.log = [...view.log, { seq, time, level, text }].slice(-LOG_LINES);
      return next;
    }
    case 'problem':
      next.job = { ...view.job, problems: withProblem(view.job, event) };
      return next;
    case 'result':
      next.job = { ...view.job, result: event.value };
      return next;
    case 'state':
      next.job = withState(view.job, event.state, event.time);
      return isEnded(event.state) ? { ...next, progress: null } : next;
    default:
      // An event of a newer server: its number counts, its content does not.
      return next;
  }
}

function withStage(stages: IStage[], stage: IStage): IStage[] {
  const known = stages.some(({ name }) => name === stage.name);
  return known
    ? stages.map(old => (old.name === stage.name ? stage : old))
    : [...stages, stage];
}

function withProblem(job: IJob, found: IProblem): IProblem[] {
  const { problem, why = '', remedy = '', where = '', fingerprint } = found;
  const seen = job.problems.some(
    old => old.problem === problem && old.where === where
  );
  return seen
    ? job.problems
    : [
        ...job.problems,
        { problem, why, remedy, where, ...(fingerprint && { fingerprint }) }
      ];
}

function withState(job: IJob, state: JobState, time: string): IJob {
  if (isEnded(state)) {
    return { ...job, state, ended: job.ended ?? time };
  }
  const started = state === 'running' ? (job.started ?? time) : job.started;
  return { ...job, state, started };
}
