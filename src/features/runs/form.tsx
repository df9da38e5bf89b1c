import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Button } from '../../components/button';
import { Placeholder } from '../../components/facts';
import { formatType } from '../../components/format';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import type { IParameter, IProblem } from '../../models';
import type { IRunForm } from '../panel/model';
import type { FieldErrors, FormValues } from './fields';
import { initialValues, isFlag, readValues, sortProblems } from './fields';

/** A typed form of the parameters; what is wrong stands at its field. */
export function RunForm(props: {
  form: IRunForm;
  problems: readonly IProblem[];
  isStarting: boolean;
  onRun: (values: Record<string, unknown>) => void;
  onCancel: () => void;
}): JSX.Element {
  const trans = useTranslation();
  const { parameters, title } = props.form;
  const [values, setValues] = React.useState<FormValues>(() =>
    initialValues(parameters)
  );
  const [typed, setTyped] = React.useState<FieldErrors>({});
  const server = sortProblems(parameters, props.problems);
  const errors = { ...server.errors, ...typed };
  const form = React.useRef<HTMLFormElement>(null);

  React.useEffect(() => {
    form.current?.querySelector<HTMLElement>('input, select, button')?.focus();
  }, []);

  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    const read = readValues(parameters, values, trans);
    setTyped(read.errors);
    if (Object.keys(read.errors).length === 0) {
      props.onRun(read.values);
    }
  };

  return (
    <form
      ref={form}
      className="jp-Mlops-form jp-Mlops-card"
      aria-label={trans.__('Run %1', title)}
      onSubmit={submit}
      noValidate
    >
      <h4 className="jp-Mlops-heading">{trans.__('Run %1', title)}</h4>
      {parameters.length === 0 && (
        <Placeholder>{trans.__('It has no parameters.')}</Placeholder>
      )}
      {parameters.map(parameter => (
        <Field
          key={parameter.name}
          parameter={parameter}
          value={values[parameter.name]}
          error={errors[parameter.name]}
          onChange={value => {
            setValues(old => ({ ...old, [parameter.name]: value }));
          }}
        />
      ))}
      <Problems problems={server.others} alert />
      <div className="jp-Mlops-actions">
        <Button
          kind="accept"
          type="submit"
          label={trans.__('Run')}
          disabled={props.isStarting}
          onClick={() => undefined}
        />
        <Button label={trans.__('Cancel')} onClick={props.onCancel} />
      </div>
    </form>
  );
}

interface IFieldProps {
  parameter: IParameter;
  value: string | boolean;
  error?: string;
  onChange: (value: string | boolean) => void;
}

function Field(props: IFieldProps): JSX.Element {
  const id = React.useId();
  const { parameter, error } = props;
  const isCheckbox = isFlag(parameter);
  const described = [
    parameter.description && `${id}-help`,
    error && `${id}-error`
  ].filter(Boolean);
  const common = {
    id,
    'aria-invalid': Boolean(error),
    'aria-describedby': described.join(' ') || undefined
  };
  return (
    <div className={`jp-Mlops-field${isCheckbox ? ' jp-mod-flag' : ''}`}>
      <label htmlFor={id}>
        {parameter.name}
        <span className="jp-Mlops-type">{formatType(parameter)}</span>
      </label>
      <Input {...props} common={common} />
      {parameter.description && (
        <div id={`${id}-help`} className="jp-Mlops-help">
          {parameter.description}
        </div>
      )}
      {error && (
        <div id={`${id}-error`} className="jp-Mlops-error" role="alert">
          {error}
        </div>
      )}
    </div>
  );
}

function Input(
  props: IFieldProps & { common: React.AriaAttributes & { id: string } }
): JSX.Element {
  const { parameter, value, common, onChange } = props;
  if (isFlag(parameter)) {
    return (
      <input
        {...common}
        className="jp-mod-styled"
        type="checkbox"
        checked={value === true}
        onChange={event => onChange(event.target.checked)}
      />
    );
  }
  if (parameter.choices?.length) {
    return <Choice {...props} />;
  }
  const isNumber = parameter.type === 'int' || parameter.type === 'float';
  return (
    <input
      {...common}
      className="jp-mod-styled"
      type="text"
      inputMode={isNumber ? 'decimal' : undefined}
      spellCheck={false}
      autoComplete="off"
      value={String(value)}
      onChange={event => onChange(event.target.value)}
    />
  );
}

function Choice(
  props: IFieldProps & { common: React.AriaAttributes & { id: string } }
): JSX.Element {
  const trans = useTranslation();
  const { parameter, value, common, onChange } = props;
  const choices = (parameter.choices ?? []).map(choice =>
    parameter.type === 'str' ? String(choice) : JSON.stringify(choice)
  );
  const text = String(value);
  return (
    <HTMLSelect
      {...common}
      value={text}
      onChange={event => onChange(event.target.value)}
    >
      {!choices.includes(text) && (
        <option value={text}>{text || trans.__('Choose…')}</option>
      )}
      {choices.map(choice => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </HTMLSelect>
  );
}
