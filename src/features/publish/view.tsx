import * as React from 'react';
import { Button } from '../../components/button';
import { Fold } from '../../components/facts';
import { formatSeconds, formatTime } from '../../components/format';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import { publishIcon } from '../../icons';
import type { IJob, IPublishResult } from '../../models';
import { CapturesView } from '../captures/view';
import { LogView } from '../jobs/logView';
import { LiveStatus, StageList } from '../jobs/progressView';
import type { IJobView } from '../jobs/state';
import { isActive } from '../jobs/state';
import type { PanelModel } from '../panel/model';
import { publishResult } from '../panel/model';
import { ResultCard } from './result';
import { AllowedSecrets, AllowSecret } from './secrets';

/** The target, the button, and what became of pressing it. */
export function PublishView(props: {
  model: PanelModel;
  onPublish: () => void;
}): JSX.Element {
  const { model, onPublish } = props;
  const last = model.lastPublish;
  return (
    <>
      <PublishForm model={model} onPublish={onPublish} />
      <Problems problems={model.problems('publish')} alert />
      {last && <LastPublish key={last.job.id} model={model} view={last} />}
    </>
  );
}

function PublishForm(props: {
  model: PanelModel;
  onPublish: () => void;
}): JSX.Element {
  const trans = useTranslation();
  const id = React.useId();
  const { model } = props;
  const { notebook } = model;
  const edits = model.environment.edits.length;
  return (
    <form
      className="jp-Mlops-form"
      onSubmit={event => {
        event.preventDefault();
        props.onPublish();
      }}
    >
      <label htmlFor={id}>{trans.__('Target')}</label>
      <input
        id={id}
        className="jp-mod-styled"
        type="text"
        spellCheck={false}
        autoComplete="off"
        aria-describedby={`${id}-help`}
        placeholder={trans.__('registry/repository[:tag]')}
        title={model.target}
        value={model.target}
        onChange={event => (model.target = event.target.value)}
      />
      <div id={`${id}-help`} className="jp-Mlops-help">
        {trans.__(
          'A registry and repository, or oci:DIRECTORY for a folder of images.'
        )}
      </div>
      {notebook.isDirty && (
        <p className="jp-Mlops-hint">
          {trans.__('The notebook has unsaved changes.')}
        </p>
      )}
      {edits > 0 && (
        <p className="jp-Mlops-hint">
          {trans._n(
            'With %1 edit of its environment.',
            'With %1 edits of its environment.',
            edits
          )}
        </p>
      )}
      <CapturesView model={model.captures} />
      <AllowedSecrets model={model} />
      <Button
        kind="accept"
        type="submit"
        icon={publishIcon}
        label={
          model.isPublishing ? trans.__('Publishing…') : trans.__('Publish')
        }
        disabled={model.isPublishing}
        onClick={() => undefined}
      />
    </form>
  );
}

function LastPublish(props: {
  model: PanelModel;
  view: IJobView;
}): JSX.Element {
  const trans = useTranslation();
  const { model, view } = props;
  const { job } = view;
  const result = publishResult(view);
  const active = isActive(job);
  return (
    <div className="jp-Mlops-job" data-state={job.state}>
      <LiveStatus view={view} />
      {!active && <h4 className="jp-Mlops-heading">{endText(job, trans)}</h4>}
      <Problems
        problems={job.problems}
        alert={!active}
        action={problem => <AllowSecret model={model} problem={problem} />}
      />
      {result && (
        <ResultCard
          result={result}
          isServing={model.isStarting('serve')}
          onServe={() => void model.serve(result.versioned ?? result.reference)}
          onRun={() => openRun(model, result)}
        />
      )}
      {result ? (
        <Fold title={trans.__('Stages')} count={view.stages.length}>
          <StageList view={view} />
        </Fold>
      ) : (
        <StageList view={view} />
      )}
      <LogView
        lines={view.log}
        readLog={() => model.mlops.jobs.readLog(job.id)}
      />
      {active && (
        <div className="jp-Mlops-actions">
          <Button
            label={trans.__('Cancel')}
            onClick={() => void model.cancel(job.id)}
          />
        </div>
      )}
    </div>
  );
}

/** Open the form for what was published. */
function openRun(model: PanelModel, result: IPublishResult): void {
  const { name } = result;
  const reference = result.versioned ?? result.reference;
  const parameters =
    result.parameters ?? model.notebook.analysis?.parameters ?? [];
  model.openRunForm({ source: { reference }, title: name, parameters });
}

function endText(job: IJob, trans: ReturnType<typeof useTranslation>): string {
  const when = formatTime(job.ended ?? job.created);
  const { started, ended } = job;
  const seconds =
    started && ended ? (Date.parse(ended) - Date.parse(started)) / 1000 : NaN;
  switch (job.state) {
    case 'succeeded':
      return Number.isFinite(seconds)
        ? trans.__('Published %1, in %2', when, formatSeconds(seconds))
        : trans.__('Published %1', when);
    case 'cancelled':
      return trans.__('Cancelled %1: nothing was tagged', when);
    default:
      return trans.__('Not published %1', when);
  }
}
