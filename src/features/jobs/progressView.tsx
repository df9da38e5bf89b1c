import type { LabIcon } from '@jupyterlab/ui-components';
import {
  checkIcon,
  circleEmptyIcon,
  errorIcon,
  fastForwardIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { formatBytes, formatSeconds } from '../../components/format';
import { useTranslation } from '../../components/translation';
import type { StageState } from '../../models';
import { expectedStages, stageLabel } from './stages';
import type { IJobView, IProgress, IStage } from './state';
import { isActive } from './state';

type ShownState = StageState | 'waiting';

interface IShownStage {
  name: string;
  state: ShownState;
  seconds: number | null;
}

const ICONS: Record<Exclude<ShownState, 'started'>, LabIcon> = {
  finished: checkIcon,
  skipped: fastForwardIcon,
  failed: errorIcon,
  waiting: circleEmptyIcon
};

/** The stages of a job, each with its state and time, and how far the current one is. */
export function StageList(props: { view: IJobView }): JSX.Element {
  const trans = useTranslation();
  const { view } = props;
  return (
    <ol className="jp-Mlops-stages" aria-label={trans.__('Stages')}>
      {shownStages(view).map(stage => (
        <StageItem
          key={stage.name}
          stage={stage}
          progress={
            view.progress?.stage === stage.name && stage.state === 'started'
              ? view.progress
              : null
          }
        />
      ))}
    </ol>
  );
}

function StageItem(props: {
  stage: IShownStage;
  progress: IProgress | null;
}): JSX.Element {
  const trans = useTranslation();
  const { stage, progress } = props;
  const label = stageLabel(stage.name, trans);
  return (
    <li
      className="jp-Mlops-stage"
      data-stage={stage.name}
      data-state={stage.state}
      aria-current={stage.state === 'started' ? 'step' : undefined}
    >
      <StateIcon state={stage.state} />
      <span className="jp-Mlops-stageLabel">
        {label}
        <span className="jp-Mlops-hidden">{stateText(stage.state, trans)}</span>
      </span>
      <span className="jp-Mlops-stageTime">
        {stage.seconds !== null && formatSeconds(stage.seconds)}
      </span>
      {progress && <ProgressBar label={label} progress={progress} />}
    </li>
  );
}

function StateIcon(props: { state: ShownState }): JSX.Element {
  if (props.state === 'started') {
    return <span className="jp-Mlops-stateIcon jp-Mlops-spinner" />;
  }
  const Icon = ICONS[props.state];
  return <Icon.react tag="span" className="jp-Mlops-stateIcon" />;
}

function ProgressBar(props: {
  label: string;
  progress: IProgress;
}): JSX.Element {
  const trans = useTranslation();
  const { label, progress } = props;
  const text = progressText(progress, trans);
  return (
    <div className="jp-Mlops-progress">
      <progress
        aria-label={label}
        aria-valuetext={text}
        max={progress.total || 1}
        value={progress.done}
      />
      <span className="jp-Mlops-progressText" title={progress.label}>
        {progress.label && progress.unit === 'bytes'
          ? `${text} · ${progress.label}`
          : text}
      </span>
    </div>
  );
}

/** Says each change of stage once to those who do not see it. */
export function LiveStatus(props: { view: IJobView }): JSX.Element {
  const trans = useTranslation();
  return (
    <div className="jp-Mlops-hidden" role="status" aria-live="polite">
      {statusText(props.view, trans)}
    </div>
  );
}

/** One line that says where a job is. */
export function statusText(view: IJobView, trans: TranslationBundle): string {
  const { job, stages } = view;
  switch (job.state) {
    case 'queued':
      return trans.__('%1: waiting to start', job.title);
    case 'succeeded':
      return trans.__('%1: done', job.title);
    case 'failed':
      return trans.__('%1: failed', job.title);
    case 'cancelled':
      return trans.__('%1: cancelled', job.title);
    default: {
      const current = stages.find(({ state }) => state === 'started');
      return current
        ? trans.__('%1: %2', job.title, stageLabel(current.name, trans))
        : trans.__('%1: running', job.title);
    }
  }
}

/** How much of a job is done, from 0 to 1, as far as its stages tell. */
export function fractionDone(view: IJobView): number {
  const stages = shownStages(view);
  const ended = stages.filter(
    ({ state }) => state !== 'waiting' && state !== 'started'
  ).length;
  const { progress } = view;
  const part = progress?.total ? progress.done / progress.total : 0;
  return stages.length ? Math.min(1, (ended + part) / stages.length) : 0;
}

/**
 * The stages seen, then those still to come while the job goes on. A stage that
 * was under way when the job ended did not finish.
 */
function shownStages(view: IJobView): IShownStage[] {
  const active = isActive(view.job);
  const seen: IStage[] = view.stages.map(stage =>
    !active && stage.state === 'started' ? { ...stage, state: 'failed' } : stage
  );
  if (!active) {
    return seen;
  }
  const names = new Set(seen.map(({ name }) => name));
  const coming = expectedStages(view.job.kind)
    .filter(name => !names.has(name))
    .map(name => ({ name, state: 'waiting' as const, seconds: null }));
  return [...seen, ...coming];
}

function progressText(progress: IProgress, trans: TranslationBundle): string {
  const { done, total, unit } = progress;
  switch (unit) {
    case 'bytes':
      return trans.__('%1 of %2', formatBytes(done), formatBytes(total));
    case 'cells':
      return trans.__('Cell %1 of %2', done, total);
    case 'layers':
      return trans.__('Layer %1 of %2', done, total);
    default:
      return trans.__('%1 of %2', done, total);
  }
}

function stateText(state: ShownState, trans: TranslationBundle): string {
  switch (state) {
    case 'started':
      return trans.__('under way');
    case 'finished':
      return trans.__('finished');
    case 'skipped':
      return trans.__('skipped');
    case 'failed':
      return trans.__('failed');
    default:
      return trans.__('to come');
  }
}
