import * as React from 'react';
import { Button } from '../../components/button';
import { RevealContext } from '../../components/cellLink';
import { Placeholder } from '../../components/facts';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import type { IEnvironmentReport } from '../../models';
import { EditList } from './editList';
import { useKeptFocus } from './focus';
import { AdditionForm, TargetForm } from './forms';
import type { EnvironmentModel } from './model';
import { PackageLists } from './packageList';
import { Questions } from './questions';
import { SystemNeeds } from './system';
import { staleText, statusText } from './words';

/** What the notebook runs on: each package with its reason, and how to edit it. */
export function EnvironmentView(props: {
  model: EnvironmentModel;
  isDirty: boolean;
  /** Bring a code cell, counted from 1, to the front. */
  onCell: (cell: number) => void;
}): JSX.Element {
  const trans = useTranslation();
  const { model, isDirty, onCell } = props;
  const { report, problems, work } = model;
  const actions = React.useRef<HTMLDivElement>(null);
  const focus = useKeptFocus(() => actions.current?.querySelector('button'));
  const stale = staleText(model, trans);
  return (
    <RevealContext.Provider value={onCell}>
      <div
        className="jp-Mlops-environment"
        aria-busy={work !== null}
        {...focus}
      >
        <div role="status">
          <p className="jp-Mlops-help">{statusText(model, trans)}</p>
          {stale && <p className="jp-Mlops-hint">{stale}</p>}
        </div>
        {work && (
          <div className="jp-Mlops-progress">
            <progress aria-label={trans.__('Locking')} />
          </div>
        )}
        {isDirty && (
          <p className="jp-Mlops-hint">
            {trans.__(
              'The notebook has unsaved changes: this is of the saved file.'
            )}
          </p>
        )}
        <Problems problems={problems} alert />
        {report && <Report key="report" model={model} report={report} />}
        {!report && !work && problems.length === 0 && (
          <Placeholder>
            {trans.__('Lock it to see what this notebook needs, and why.')}
          </Placeholder>
        )}
        <EditList model={model} />
        <div className="jp-Mlops-actions jp-Mlops-lock" ref={actions}>
          <Button
            kind={stale || !report ? 'accept' : 'reject'}
            label={work === 'lock' ? trans.__('Locking…') : trans.__('Lock')}
            title={trans.__('Lock the environment, with all edits')}
            busy={work !== null}
            onClick={() => void model.lock()}
          />
        </div>
        <SystemNeeds model={model} needs={report?.system ?? null} />
      </div>
    </RevealContext.Provider>
  );
}

function Report(props: {
  model: EnvironmentModel;
  report: IEnvironmentReport;
}): JSX.Element {
  const { model, report } = props;
  return (
    <>
      <Problems problems={report.problems} alert />
      <Questions model={model} questions={report.questions} />
      {report.notes.map(note => (
        <p key={note} className="jp-Mlops-help">
          {note}
        </p>
      ))}
      <PackageLists model={model} report={report} />
      <AdditionForm model={model} />
      <TargetForm model={model} report={report} />
    </>
  );
}
