import * as React from 'react';
import { Button } from '../../components/button';
import { Caret } from '../../components/facts';
import { formatBytes } from '../../components/format';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import type { IPickable } from '../../models';
import type { CapturesModel } from './model';

/** Which names are captured: those that are needed, and those a person picks. */
export function CapturesView(props: { model: CapturesModel }): JSX.Element {
  const trans = useTranslation();
  const { model } = props;
  const id = React.useId();
  const { names, count } = model;
  return (
    <details
      className="jp-Mlops-fold jp-Mlops-captures"
      onToggle={event => {
        if (event.currentTarget.open && !model.names) {
          void model.look();
        }
      }}
    >
      <summary>
        <Caret />
        <span className="jp-Mlops-foldTitle">{trans.__('Captured')}</span>
        {count > 0 && (
          <span className="jp-Mlops-count">{trans.__('%1 more', count)}</span>
        )}
      </summary>
      <div className="jp-Mlops-foldBody" aria-busy={model.isLooking}>
        <label className="jp-Mlops-check">
          <input
            type="checkbox"
            checked={model.live}
            disabled={model.kernel === null}
            aria-describedby={`${id}-live`}
            onChange={event => (model.live = event.target.checked)}
          />
          {trans.__('Save the objects of the running kernel')}
        </label>
        <p id={`${id}-live`} className="jp-Mlops-help">
          {model.kernel === null
            ? trans.__('No kernel runs for this notebook.')
            : trans.__(
                'The notebook is not run again: the objects are saved, and proved by loading them (Loaded, not Verified).'
              )}
        </p>
        <div aria-live="polite">
          {model.isLooking && (
            <p className="jp-Mlops-help">{trans.__('Looking…')}</p>
          )}
          {model.note && <p className="jp-Mlops-hint">{model.note}</p>}
        </div>
        <Problems problems={model.problems} alert />
        {names && names.length === 0 && (
          <p className="jp-Mlops-help">
            {trans.__('No cell gives a name a value.')}
          </p>
        )}
        {names && names.length > 0 && (
          <ul
            className="jp-Mlops-picks"
            aria-label={trans.__('Names to capture')}
          >
            {names.map(name => (
              <Name key={name.name} model={model} name={name} />
            ))}
          </ul>
        )}
        <Button
          label={trans.__('Look Again')}
          busy={model.isLooking}
          onClick={() => void model.look()}
        />
      </div>
    </details>
  );
}

function Name(props: { model: CapturesModel; name: IPickable }): JSX.Element {
  const trans = useTranslation();
  const id = React.useId();
  const { model, name } = props;
  const fixed = model.isFixed(name);
  const why = name.needed
    ? trans.__('The service needs it.')
    : trans.__('A cell asks for it.');
  return (
    <li className="jp-Mlops-pick">
      <label className="jp-Mlops-check">
        <input
          type="checkbox"
          checked={model.isPicked(name)}
          // It stays in reach of the keyboard, so that its reason can be read.
          aria-disabled={fixed || name.reason !== ''}
          aria-describedby={`${id}-facts`}
          onChange={() => {
            if (!fixed && name.reason === '') {
              model.toggle(name);
            }
          }}
        />
        <code>{name.name}</code>
      </label>
      <div id={`${id}-facts`}>
        <span className="jp-Mlops-help">{factsOf(name, trans)}</span>
        {fixed && <span className="jp-Mlops-help"> {why}</span>}
        {name.reason && <p className="jp-Mlops-hint">{name.reason}</p>}
      </div>
    </li>
  );
}

/** Say `ndarray, 3 × 2, 48 B, as npy, made in cell 4`, as far as it is known. */
function factsOf(
  name: IPickable,
  trans: ReturnType<typeof useTranslation>
): string {
  const facts = [
    name.type.split('.').pop() ?? '',
    (name.shape ?? []).join(' × '),
    typeof name.size === 'number' ? formatBytes(name.size) : '',
    name.format && trans.__('as %1', name.format),
    typeof name.cell === 'number' ? trans.__('made in cell %1', name.cell) : ''
  ];
  return facts.filter(Boolean).join(', ');
}
