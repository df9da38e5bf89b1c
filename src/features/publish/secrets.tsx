import * as React from 'react';
import { Button } from '../../components/button';
import { useTranslation } from '../../components/translation';
import type { IProblem } from '../../models';
import type { PanelModel } from '../panel/model';

/** Lets a person say that what looks like a secret is none. */
export function AllowSecret(props: {
  model: PanelModel;
  problem: IProblem;
}): JSX.Element | null {
  const trans = useTranslation();
  const { model, problem } = props;
  const { fingerprint, where } = problem;
  if (!fingerprint) {
    return null;
  }
  if (model.allowedSecrets.includes(fingerprint)) {
    return <p className="jp-Mlops-help">{trans.__('Said to be no secret.')}</p>;
  }
  return (
    <Button
      label={trans.__('It is no secret')}
      aria-label={trans.__('It is no secret: %1', where)}
      title={trans.__(
        'Publish it with the next publish. The publication records that %1 was allowed.',
        where
      )}
      onClick={() => {
        model.allowedSecrets = [...model.allowedSecrets, fingerprint];
      }}
    />
  );
}

/** Says what goes out with the next publish, and takes it back. */
export function AllowedSecrets(props: {
  model: PanelModel;
}): JSX.Element | null {
  const trans = useTranslation();
  const { model } = props;
  const count = model.allowedSecrets.length;
  if (count === 0) {
    return null;
  }
  return (
    <p className="jp-Mlops-hint">
      {trans._n(
        'With %1 text that looks like a secret.',
        'With %1 texts that look like secrets.',
        count
      )}{' '}
      <button
        type="button"
        className="jp-Mlops-link"
        onClick={() => {
          model.allowedSecrets = [];
        }}
      >
        {trans.__('Stop at them again')}
      </button>
    </p>
  );
}
