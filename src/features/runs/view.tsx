import { closeIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IconButton } from '../../components/button';
import { Caret, Facts, Placeholder } from '../../components/facts';
import { formatTime, formatValue } from '../../components/format';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import type { IRunResult } from '../../models';
import { LogView } from '../jobs/logView';
import { LiveStatus, StageList, statusText } from '../jobs/progressView';
import type { IJobView } from '../jobs/state';
import { isActive } from '../jobs/state';
import type { PanelModel } from '../panel/model';
import { Copyable, MetricFacts } from '../publish/result';
import { RunForm } from './form';

/** The form to run something again, and the runs, the newest first. */
export function RunsView(props: { model: PanelModel }): JSX.Element {
  const trans = useTranslation();
  const { model } = props;
  const { runForm, runs } = model;
  return (
    <>
      {runForm && (
        <RunForm
          key={JSON.stringify(runForm.source)}
          form={runForm}
          problems={model.problems('run')}
          isStarting={model.isStarting('run')}
          onRun={values => void model.run(values)}
          onCancel={() => model.closeRunForm()}
        />
      )}
      {!runForm && <Problems problems={model.problems('run')} alert />}
      {!runForm && runs.length === 0 && (
        <Placeholder>
          {trans.__(
            'No runs yet. Publish a notebook, then run it with new parameters.'
          )}
        </Placeholder>
      )}
      <ul className="jp-Mlops-list" aria-label={trans.__('Runs')}>
        {runs.map((view, index) => (
          <RunItem
            key={view.job.id}
            model={model}
            view={view}
            isFirst={index === 0}
          />
        ))}
      </ul>
    </>
  );
}

function RunItem(props: {
  model: PanelModel;
  view: IJobView;
  isFirst: boolean;
}): JSX.Element {
  const trans = useTranslation();
  const { model, view } = props;
  const { job } = view;
  const active = isActive(job);
  const parameters = Object.entries(job.request.parameters ?? {});
  const summary = parameters
    .map(([name, value]) => `${name}=${formatValue(value)}`)
    .join(', ');
  return (
    <li className="jp-Mlops-item" data-state={job.state}>
      <details
        open={props.isFirst}
        onToggle={() => void model.mlops.jobs.load(job.id)}
      >
        <summary>
          <Caret />
          <span className="jp-Mlops-itemText">
            <span className="jp-Mlops-itemTitle">
              {statusText(view, trans)}
            </span>
            <span className="jp-Mlops-itemDetail">
              {summary || trans.__('default parameters')}
            </span>
          </span>
        </summary>
        <div className="jp-Mlops-foldBody">
          <LiveStatus view={view} />
          <RunDetails view={view} model={model} />
        </div>
      </details>
      <IconButton
        icon={active ? stopIcon : closeIcon}
        label={
          active
            ? trans.__('Cancel %1', job.title)
            : trans.__('Forget %1', job.title)
        }
        onClick={() =>
          void (active ? model.cancel(job.id) : model.forget(job.id))
        }
      />
    </li>
  );
}

function RunDetails(props: { view: IJobView; model: PanelModel }): JSX.Element {
  const trans = useTranslation();
  const { view, model } = props;
  const { job } = view;
  const result = job.result as unknown as IRunResult | null;
  const values = Object.entries(
    result?.parameters ?? job.request.parameters ?? {}
  );
  return (
    <>
      <Problems problems={job.problems} />
      <StageList view={view} />
      <MetricFacts metrics={result?.metrics} />
      {values.length > 0 && (
        <>
          <h4 className="jp-Mlops-heading">{trans.__('Parameters')}</h4>
          <Facts
            label={trans.__('Parameters')}
            facts={values.map(([name, value]) => [name, formatValue(value)])}
          />
        </>
      )}
      {result?.output && (
        <>
          <h4 className="jp-Mlops-heading">{trans.__('Executed notebook')}</h4>
          <Copyable
            text={result.output}
            label={trans.__('Copy the path of the executed notebook')}
          />
        </>
      )}
      <div className="jp-Mlops-help">
        {trans.__('Started %1', formatTime(job.started ?? job.created))}
      </div>
      <LogView
        lines={view.log}
        readLog={() => model.mlops.jobs.readLog(job.id)}
      />
    </>
  );
}
