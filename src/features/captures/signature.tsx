import * as React from 'react';
import { Facts, Fold } from '../../components/facts';
import { formatNumber } from '../../components/format';
import { useTranslation } from '../../components/translation';
import type { IColumn, ISignature } from '../../models';

/** What a service accepts: each column with its type and range. */
export function SignatureView(props: {
  signature: ISignature;
}): JSX.Element | null {
  const trans = useTranslation();
  const { inputs } = props.signature;
  if (inputs.length === 0) {
    return null;
  }
  const facts = inputs.map((column): [string, React.ReactNode] => [
    column.name,
    columnText(column, trans)
  ]);
  return (
    <Fold title={trans.__('Accepts')} count={inputs.length}>
      <Facts facts={facts} label={trans.__('Columns')} />
      <p className="jp-Mlops-help">
        {trans.__(
          'To narrow it, write it with "jupyter mlops signature" to a file beside the notebook, NAME.signature.json, and edit that.'
        )}
      </p>
    </Fold>
  );
}

/** Write `float64, 4.3..7.9, may be missing`. */
function columnText(
  column: IColumn,
  trans: ReturnType<typeof useTranslation>
): string {
  const { dtype, minimum, maximum, allowed, categories, description } = column;
  const values = allowed ?? categories;
  const ends = [minimum, maximum].map(end =>
    typeof end === 'number' ? formatNumber(end) : ''
  );
  const range = ends.some(Boolean) ? ends.join('..') : '';
  const facts = [
    dtype,
    range && column.limit ? trans.__('only %1', range) : range,
    values ? values.map(String).join(' | ') : '',
    column.required === false ? trans.__('may be missing') : '',
    description ?? ''
  ];
  return facts.filter(Boolean).join(', ');
}
