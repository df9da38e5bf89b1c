import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Fold } from '../../components/facts';
import { LineForm } from '../../components/lineForm';
import { useTranslation } from '../../components/translation';
import type { IEnvironmentReport } from '../../models';
import type { TargetOption } from './edits';
import { optionsOf, requirementName } from './edits';
import type { EnvironmentModel } from './model';
import { optionLabel } from './words';

/** The platforms that images are made for. */
const PLATFORMS = ['linux/amd64', 'linux/arm64'];

/** Adds a requirement, as pip writes it. */
export function AdditionForm(props: { model: EnvironmentModel }): JSX.Element {
  const trans = useTranslation();
  return (
    <LineForm
      label={trans.__('Add a package')}
      placeholder={trans.__('name or name==1.2')}
      value=""
      isEmptied
      action={trans.__('Add')}
      onSubmit={requirement => {
        if (requirementName(requirement) === '') {
          return trans.__(
            'Write it as pip does: name, name==1.2 or name>=1,<2.'
          );
        }
        props.model.edit({ kind: 'addition', requirement });
      }}
    />
  );
}

/** What the lock is for, where that is not this machine and today. */
export function TargetForm(props: {
  model: EnvironmentModel;
  report: IEnvironmentReport;
}): JSX.Element {
  const trans = useTranslation();
  const id = React.useId();
  const { model, report } = props;
  const { platform = '' } = optionsOf(model.edits);
  return (
    <Fold title={trans.__('Target and Date')}>
      <div className="jp-Mlops-form">
        <div className="jp-Mlops-field">
          <label htmlFor={id}>{optionLabel('platform', trans)}</label>
          <HTMLSelect
            id={id}
            value={platform}
            onChange={event =>
              model.edit({
                kind: 'option',
                option: 'platform',
                value: event.target.value
              })
            }
          >
            <option value="">{trans.__('as this machine')}</option>
            {PLATFORMS.map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </HTMLSelect>
        </div>
        <OptionField model={model} option="python" hint={report.python} />
        <OptionField
          model={model}
          option="exclude_newer"
          hint={trans.__('a date, such as 2024-05-31')}
        />
        <OptionField
          model={model}
          option="accelerator"
          hint={trans.__('cpu, or such as cu124')}
        />
      </div>
    </Fold>
  );
}

/** An option that is typed: it counts when the field is left, or at Enter. */
function OptionField(props: {
  model: EnvironmentModel;
  option: TargetOption;
  hint: string;
}): JSX.Element {
  const trans = useTranslation();
  const id = React.useId();
  const { model, option, hint } = props;
  const value = optionsOf(model.edits)[option] ?? '';
  const [text, setText] = React.useState(value);
  React.useEffect(() => setText(value), [value]);
  const commit = () => {
    if (text.trim() !== value) {
      model.edit({ kind: 'option', option, value: text.trim() });
    }
  };
  return (
    <div className="jp-Mlops-field">
      <label htmlFor={id}>{optionLabel(option, trans)}</label>
      <input
        id={id}
        className="jp-mod-styled"
        type="text"
        spellCheck={false}
        autoComplete="off"
        placeholder={hint}
        value={text}
        onChange={event => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={event => event.key === 'Enter' && commit()}
      />
    </div>
  );
}
