import { checkIcon, errorIcon, infoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { Verified } from '../models';
import { useTranslation } from './translation';

/** Says how a publication was proven, in words and by an icon. */
export function VerifiedBadge(props: { verified: Verified }): JSX.Element {
  const trans = useTranslation();
  const { verified } = props;
  const [Icon, text, caption] = {
    full: [
      checkIcon,
      trans.__('Verified'),
      trans.__('It was run from its own lock before it was pushed.')
    ] as const,
    loaded: [
      infoIcon,
      trans.__('Loaded'),
      trans.__('Its captures come from a live kernel and load from its lock.')
    ] as const,
    elsewhere: [
      infoIcon,
      trans.__('Verified elsewhere'),
      trans.__(
        'It was run on another platform, with packages of the same versions.'
      )
    ] as const,
    none: [
      errorIcon,
      trans.__('Not verified'),
      trans.__('It was published without being run from its own lock.')
    ] as const
  }[verified];
  return (
    <span className={`jp-Mlops-badge jp-mod-${verified}`} title={caption}>
      <Icon.react tag="span" className="jp-Mlops-badgeIcon" />
      {text}
    </span>
  );
}
