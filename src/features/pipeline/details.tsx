import * as React from 'react';
import { CellLink } from '../../components/cellLink';
import { Facts } from '../../components/facts';
import { useTranslation } from '../../components/translation';
import type { IGraph } from './graph';
import { cellsText, linkText, notesOf, stepTitle } from './words';

/** What goes into a step and out of it, and what is particular about it. */
export function StepDetails(props: {
  graph: IGraph;
  index: number;
}): JSX.Element {
  const trans = useTranslation();
  const { graph, index } = props;
  const step = graph.steps[index];
  const name: [string, React.ReactNode][] = step.title
    ? [[trans.__('Name'), <code key="name">{step.name}</code>]]
    : [];
  const before: [string, React.ReactNode][] = graph.links
    .filter(({ to }) => to === index)
    .map(link => [
      trans.__('After %1', stepTitle(graph.steps[link.from])),
      <code key="names">{linkText(link, trans)}</code>
    ]);
  const rows = [...name, ...before];
  const names: [string, readonly string[] | undefined][] = [
    [trans.__('Gives'), step.outputs],
    [trans.__('Parameters'), graph.parameters[index]],
    [trans.__('Reads'), step.files_read],
    [trans.__('Writes'), step.files_written]
  ];
  for (const [label, list] of names) {
    if (list?.length) {
      rows.push([label, <code key="names">{list.join(', ')}</code>]);
    }
  }
  return (
    <section
      className="jp-Mlops-card jp-Mlops-stepDetails"
      aria-label={trans.__('Step %1', stepTitle(step))}
    >
      <div className="jp-Mlops-cardHeader">
        <span className="jp-Mlops-cardTitle">{stepTitle(step)}</span>
        <CellLink cell={step.cells[0]}>{cellsText(step, trans)}</CellLink>
      </div>
      <Facts facts={rows} />
      {notesOf(step, trans).map(note => (
        <p key={note} className="jp-Mlops-help">
          {note}
        </p>
      ))}
    </section>
  );
}
