import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Button } from '../../components/button';
import { Placeholder } from '../../components/facts';
import { formatRange, formatType } from '../../components/format';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import type { IParameter, IProblem } from '../../models';
import type { IRunForm } from '../panel/model';
import type { FieldErrors, FormValues } from './fields';
import {
  initialValues,
  isFlag,
  readValues,
  sortProblems,
  writeChoice
} from './fields';

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
    form.current
      ?.querySelector<HTMLElement>('input, select, textarea, button')
      ?.focus();
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
  const help = [parameter.description, formatRange(parameter)]
    .filter(Boolean)
    .join('; ');
  const described = [help && `${id}-help`, error && `${id}-error`].filter(
    Boolean
  );
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
      {help && (
        <div id={`${id}-help`} className="jp-Mlops-help">
          {help}
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
  if (parameter.type === 'list' || parameter.type === 'dict') {
    return (
      <textarea
        {...common}
        className="jp-mod-styled jp-Mlops-json"
        rows={Math.min(8, String(value).split('\n').length + 1)}
        spellCheck={false}
        value={String(value)}
        onChange={event => onChange(event.target.value)}
      />
    );
  }
  const isNumber = parameter.type === 'int' || parameter.type === 'float';
  return (
    <input
      {...common}
      className="jp-mod-styled"
      type={kindOf(parameter)}
      // Seconds too: without a step the browser refuses them.
      step={parameter.type === 'datetime' ? 'any' : undefined}
      inputMode={isNumber ? 'decimal' : undefined}
      spellCheck={false}
      autoComplete="off"
      value={String(value)}
      onChange={event => onChange(event.target.value)}
    />
  );
}

/** The browser's own fields for dates; its one for moments knows no zone. */
function kindOf({ type, default: value }: IParameter): string {
  if (type === 'date') {
    return 'date';
  }
  const hasZone = typeof value === 'string' && /(Z|[+-]\d\d:\d\d)$/.test(value);
  return type === 'datetime' && !hasZone ? 'datetime-local' : 'text';
}

function Choice(
  props: IFieldProps & { common: React.AriaAttributes & { id: string } }
): JSX.Element {
  const trans = useTranslation();
  const { parameter, value, common, onChange } = props;
  const choices = (parameter.choices ?? []).map(choice =>
    writeChoice(parameter.type, choice)
  );
  if (parameter.nullable && !choices.includes('null')) {
    choices.unshift('');
  }
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
          {choice || trans.__('None')}
        </option>
      ))}
    </HTMLSelect>
  );
}
