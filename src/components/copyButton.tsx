import { Clipboard } from '@jupyterlab/apputils';
import { checkIcon, copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IconButton } from './button';
import { useTranslation } from './translation';

/** Copies a text, and says so until the pointer or the focus leaves. */
export function CopyButton(props: {
  text: string;
  label: string;
}): JSX.Element {
  const trans = useTranslation();
  const [copied, setCopied] = React.useState(false);
  const reset = () => setCopied(false);
  return (
    <span onMouseLeave={reset} onBlur={reset}>
      <IconButton
        label={copied ? trans.__('Copied') : props.label}
        icon={copied ? checkIcon : copyIcon}
        onClick={() => {
          Clipboard.copyToSystem(props.text);
          setCopied(true);
        }}
      />
    </span>
  );
}
