import { caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A list of names and values, as in a property sheet. */
export function Facts(props: {
  facts: readonly [name: string, value: React.ReactNode][];
  label?: string;
}): JSX.Element {
  return (
    <dl className="jp-Mlops-facts" aria-label={props.label}>
      {props.facts.map(([name, value]) => (
        <div key={name} className="jp-Mlops-fact">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A part that folds, with the number of things in it. */
export function Fold(props: {
  title: string;
  count?: number;
  open?: boolean;
  children: React.ReactNode;
}): JSX.Element {
  const { title, count, open = false } = props;
  return (
    <details className="jp-Mlops-fold" open={open}>
      <summary>
        <Caret />
        <span className="jp-Mlops-foldTitle">{title}</span>
        {count !== undefined && <span className="jp-Mlops-count">{count}</span>}
      </summary>
      <div className="jp-Mlops-foldBody">{props.children}</div>
    </details>
  );
}

/** Points down when the part it belongs to is open. */
export function Caret(): JSX.Element {
  return <caretRightIcon.react tag="span" className="jp-Mlops-caret" />;
}

/** What a section says when it has nothing to show. */
export function Placeholder(props: { children: React.ReactNode }): JSX.Element {
  return <div className="jp-Mlops-placeholder">{props.children}</div>;
}
