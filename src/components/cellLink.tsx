import * as React from 'react';
import { useTranslation } from './translation';

/** Brings a code cell, counted from 1, to the front; null where none can be. */
export const RevealContext = React.createContext<
  ((cell: number) => void) | null
>(null);

/** A text about a cell: a click on it goes there. */
export function CellLink(props: {
  cell: number;
  children: React.ReactNode;
}): JSX.Element {
  const trans = useTranslation();
  const reveal = React.useContext(RevealContext);
  const { cell, children } = props;
  if (!reveal) {
    return <>{children}</>;
  }
  return (
    <button
      type="button"
      className="jp-Mlops-link"
      title={trans.__('Go to cell %1', cell)}
      onClick={() => reveal(cell)}
    >
      {children}
    </button>
  );
}

/** A list of cells, each a link. */
export function Cells(props: { cells: readonly number[] }): JSX.Element {
  const trans = useTranslation();
  return (
    <>
      {props.cells.map((cell, index) => (
        <React.Fragment key={cell}>
          {index > 0 && ', '}
          <CellLink cell={cell}>{trans.__('cell %1', cell)}</CellLink>
        </React.Fragment>
      ))}
    </>
  );
}

/** Where something is: a link, if that is a cell. */
export function Place(props: { where: string }): JSX.Element {
  const { where } = props;
  const cell = /^(?:code )?cell (\d+)(?:, line \d+)?$/i.exec(where)?.[1];
  return cell ? <CellLink cell={Number(cell)}>{where}</CellLink> : <>{where}</>;
}
