import * as React from 'react';
import { CellLink } from '../../components/cellLink';
import { Fold } from '../../components/facts';
import { useTranslation } from '../../components/translation';
import type { IHiddenState } from '../../models';

/** What the notebook shows of cells, or of an order, that are not in it. */
export function HiddenStateList(props: {
  found: readonly IHiddenState[];
}): JSX.Element | null {
  const trans = useTranslation();
  const { found } = props;
  if (found.length === 0) {
    return null;
  }
  const byRemedy = new Map<string, IHiddenState[]>();
  for (const item of found) {
    byRemedy.set(item.remedy, [...(byRemedy.get(item.remedy) ?? []), item]);
  }
  return (
    <Fold title={trans.__('Hidden State')} count={found.length} open>
      {[...byRemedy].map(([remedy, items]) => (
        <div key={remedy} className="jp-Mlops-hiddenState">
          <ul className="jp-Mlops-list">
            {items.map(({ kind, cell, name, problem }) => (
              <li key={`${kind} ${cell} ${name}`}>
                <CellLink cell={cell}>{problem}</CellLink>
              </li>
            ))}
          </ul>
          <p className="jp-Mlops-help">{remedy}</p>
        </div>
      ))}
    </Fold>
  );
}
