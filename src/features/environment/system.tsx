import * as React from 'react';
import { Button } from '../../components/button';
import { useTranslation } from '../../components/translation';
import type { ISystemNeed } from '../../models';
import type { EnvironmentModel } from './model';
import { needText } from './words';

/** What the base image lacks, once that was looked for, and whether to add it. */
export function SystemNeeds(props: {
  model: EnvironmentModel;
  needs: readonly ISystemNeed[] | null;
}): JSX.Element {
  const trans = useTranslation();
  const { model, needs } = props;
  return (
    <>
      <div className="jp-Mlops-actions">
        <Button
          label={trans.__('Look for System Libraries')}
          title={trans.__(
            'Install the packages to see what the base image lacks'
          )}
          busy={model.work !== null}
          onClick={() => void model.lock('system')}
        />
      </div>
      {needs && <Lacking model={model} needs={needs} />}
    </>
  );
}

function Lacking(props: {
  model: EnvironmentModel;
  needs: readonly ISystemNeed[];
}): JSX.Element {
  const trans = useTranslation();
  const id = React.useId();
  const { model, needs } = props;
  const isAdded = model.edits.some(edit => edit.kind === 'system');
  const canAdd = needs.some(need => need.package && !need.scripts);
  return (
    <section className="jp-Mlops-system" aria-labelledby={id}>
      <h4 className="jp-Mlops-heading" id={id}>
        {trans.__('The Base Image Lacks')}
      </h4>
      {needs.length === 0 && (
        <p className="jp-Mlops-help" role="status">
          {trans.__('Nothing: it has all that is needed.')}
        </p>
      )}
      {needs.length > 0 && <NeedTable needs={needs} />}
      {canAdd && (
        <label className="jp-Mlops-choice">
          <input
            type="checkbox"
            checked={isAdded}
            onChange={() =>
              isAdded
                ? model.undo({ kind: 'system' })
                : model.edit({ kind: 'system' })
            }
          />
          {trans.__('Add them to the image')}
        </label>
      )}
    </section>
  );
}

function NeedTable(props: { needs: readonly ISystemNeed[] }): JSX.Element {
  const trans = useTranslation();
  return (
    <table className="jp-Mlops-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Needed by')}</th>
          <th scope="col">{trans.__('Debian package')}</th>
        </tr>
      </thead>
      <tbody>
        {props.needs.map(need => {
          const note = needText(need, trans);
          return (
            <tr key={`${need.name} ${need.needed_by}`}>
              <th scope="row">{need.name}</th>
              <td>{need.needed_by}</td>
              <td>
                {need.package && (
                  <code>{need.package.replace(/\+/g, ' + ')}</code>
                )}
                {note && <div className="jp-Mlops-help">{note}</div>}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
