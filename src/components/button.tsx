import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IButtonProps {
  label: string;
  onClick: () => void;
  icon?: LabIcon;
  disabled?: boolean;
  title?: string;
  /** How much it stands out. */
  kind?: 'accept' | 'reject' | 'warn';
  type?: 'button' | 'submit';
  /** What it is called where its text alone does not say enough. */
  'aria-label'?: string;
  /** Whether it does nothing for now, and still keeps the focus. */
  busy?: boolean;
}

/** A button with a text. */
export function Button(props: IButtonProps): JSX.Element {
  const { label, icon, kind = 'reject', type = 'button', ...others } = props;
  const { busy = false, onClick, ...rest } = others;
  return (
    <button
      className={`jp-Mlops-button jp-mod-styled jp-mod-${kind}`}
      type={type}
      aria-disabled={busy || undefined}
      onClick={busy ? undefined : onClick}
      {...rest}
    >
      {icon && <icon.react tag="span" className="jp-Mlops-buttonIcon" />}
      {label}
    </button>
  );
}

interface IIconButtonProps {
  label: string;
  icon: LabIcon;
  onClick: () => void;
  disabled?: boolean;
}

/** A button with an icon; the label is its tooltip and its name. */
export function IconButton(props: IIconButtonProps): JSX.Element {
  const { label, icon: Icon, ...rest } = props;
  return (
    <button
      className="jp-Mlops-iconButton"
      type="button"
      title={label}
      aria-label={label}
      {...rest}
    >
      <Icon.react tag="span" />
    </button>
  );
}
