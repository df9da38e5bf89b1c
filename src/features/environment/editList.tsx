import { undoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IconButton } from '../../components/button';
import { useTranslation } from '../../components/translation';
import { editKey } from './edits';
import type { EnvironmentModel } from './model';
import { editText } from './words';

/** What is wanted otherwise than it was found; each can be undone. */
export function EditList(props: {
  model: EnvironmentModel;
}): JSX.Element | null {
  const trans = useTranslation();
  const id = React.useId();
  const { model } = props;
  if (model.edits.length === 0) {
    return null;
  }
  return (
    <section className="jp-Mlops-card jp-Mlops-edits" aria-labelledby={id}>
      <h4 className="jp-Mlops-heading" id={id}>
        {trans.__('Your Edits')}
      </h4>
      <ul className="jp-Mlops-list" aria-labelledby={id}>
        {model.edits.map(edit => {
          const text = editText(edit, trans);
          return (
            <li key={editKey(edit)}>
              <div className="jp-Mlops-edit">
                <span>{text}</span>
                <IconButton
                  icon={undoIcon}
                  label={trans.__('Undo: %1', text)}
                  onClick={() => model.undo(edit)}
                />
              </div>
              {edit.kind === 'answer' && (
                <label className="jp-Mlops-choice">
                  <input
                    type="checkbox"
                    checked={model.isRemembered(edit)}
                    onChange={event =>
                      model.remember(edit, event.target.checked)
                    }
                  />
                  {trans.__("Remember it in the notebook's metadata")}
                </label>
              )}
            </li>
          );
        })}
      </ul>
      <p className="jp-Mlops-help">
        {trans.__(
          'A publish of this notebook uses them; its cells are not changed.'
        )}
      </p>
    </section>
  );
}
