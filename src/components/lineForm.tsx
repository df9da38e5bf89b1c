import * as React from 'react';
import { Button } from './button';

interface ILineFormProps {
  /** What is asked for. */
  label: string;
  /** What stands in the field at first, and whenever it changes. */
  value: string;
  placeholder: string;
  /** The text of the button. */
  action: string;
  /** What the button is called where its text alone does not say enough. */
  actionLabel?: string;
  /** What the form is called where its label alone does not say enough. */
  formLabel?: string;
  /** Takes the line, without spaces around it; returns what is wrong with it, if something is. */
  onSubmit: (line: string) => string | void;
  /** Whether the field is emptied once its line is taken. */
  isEmptied?: boolean;
}

/** A form of one line: a label, a field, and the button that takes what is in it. */
export function LineForm(props: ILineFormProps): JSX.Element {
  const { label, value, placeholder, action, onSubmit } = props;
  const id = React.useId();
  const [line, setLine] = React.useState(value);
  const [wrong, setWrong] = React.useState('');
  React.useEffect(() => setLine(value), [value]);
  return (
    <form
      className="jp-Mlops-form"
      aria-label={props.formLabel}
      onSubmit={event => {
        event.preventDefault();
        const found = onSubmit(line.trim()) ?? '';
        setWrong(found);
        if (!found && props.isEmptied) {
          setLine('');
        }
      }}
    >
      <label htmlFor={id}>{label}</label>
      <div className="jp-Mlops-row">
        <input
          id={id}
          className="jp-mod-styled"
          type="text"
          spellCheck={false}
          autoComplete="off"
          placeholder={placeholder}
          title={line}
          aria-invalid={wrong !== ''}
          aria-describedby={wrong ? `${id}-error` : undefined}
          value={line}
          onChange={event => setLine(event.target.value)}
        />
        <Button
          type="submit"
          label={action}
          aria-label={props.actionLabel}
          onClick={() => undefined}
        />
      </div>
      {wrong && (
        <div id={`${id}-error`} className="jp-Mlops-error" role="alert">
          {wrong}
        </div>
      )}
    </form>
  );
}
