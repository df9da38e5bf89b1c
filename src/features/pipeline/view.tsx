import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { useTranslation } from '../../components/translation';
import type { IPipeline } from '../../models';
import { StepDetails } from './details';
import type { Role } from './diagram';
import { Diagram } from './diagram';
import type { IGraph } from './graph';
import { formatCells, graphOf, reachedBy, relativesOf } from './graph';
import { useRovingFocus } from './roving';
import { stepTitle } from './words';

/** What the user points at: a step or a parameter. */
type Mark = { step: number } | { parameter: string };

/** The whole pipeline: what each parameter reaches, the steps, and one of them. */
export function PipelineView(props: {
  pipeline: IPipeline;
  /** Cells that are left half typed; the pipeline is from before. */
  unfinished?: readonly number[];
}): JSX.Element {
  const trans = useTranslation();
  const { pipeline, unfinished = [] } = props;
  const graph = React.useMemo(() => graphOf(pipeline), [pipeline]);
  const [pointed, setPointed] = React.useState<Mark | null>(null);
  const [focused, setFocused] = React.useState<Mark | null>(null);
  const [pinned, setPinned] = React.useState<string | null>(null);
  const [name, setName] = React.useState<string | null>(null);
  const mark = pointed ?? focused ?? (pinned ? { parameter: pinned } : null);
  const selected = graph.steps.findIndex(step => step.name === name);
  const roles = React.useMemo(
    () => rolesOf(pipeline, graph, mark),
    [pipeline, graph, JSON.stringify(mark)]
  );
  if (graph.steps.length === 0) {
    return (
      <p className="jp-Mlops-help">{trans.__('There is no code cell yet.')}</p>
    );
  }
  return (
    <div className="jp-Mlops-pipeline">
      <Parameters
        pipeline={pipeline}
        graph={graph}
        marked={mark && 'parameter' in mark ? mark.parameter : null}
        pinned={pinned}
        onPin={setPinned}
        onPoint={parameter => setPointed(parameter ? { parameter } : null)}
        onFocus={parameter => setFocused(parameter ? { parameter } : null)}
      />
      <Diagram
        graph={graph}
        roles={roles}
        selected={selected}
        onPoint={step => setPointed(step === null ? null : { step })}
        onFocus={step => {
          setFocused(step === null ? null : { step });
          setName(known => (step === null ? known : graph.steps[step].name));
        }}
      />
      {unfinished.length > 0 && (
        <p className="jp-Mlops-help" role="status">
          {trans._n(
            'Cell %2 is not valid Python yet: this is how it was before.',
            'Cells %2 are not valid Python yet: this is how it was before.',
            unfinished.length,
            formatCells(unfinished)
          )}
        </p>
      )}
      {selected >= 0 && <StepDetails graph={graph} index={selected} />}
    </div>
  );
}

/** The parameters: each shows the steps that a change of it reaches. */
function Parameters(props: {
  pipeline: IPipeline;
  graph: IGraph;
  marked: string | null;
  pinned: string | null;
  onPin: (parameter: string | null) => void;
  onPoint: (parameter: string | null) => void;
  onFocus: (parameter: string | null) => void;
}): JSX.Element | null {
  const trans = useTranslation();
  const { pipeline, graph, marked, pinned, onPin, onPoint, onFocus } = props;
  const { parameters } = pipeline;
  const roving = useRovingFocus(parameters.length);
  if (parameters.length === 0) {
    return null;
  }
  return (
    <div className="jp-Mlops-reach">
      <ul
        className="jp-Mlops-chips"
        aria-label={trans.__('What parameters reach')}
        onKeyDown={roving.onKeyDown}
        onFocus={roving.onFocus}
        onMouseLeave={() => onPoint(null)}
      >
        {parameters.map(({ name }, index) => (
          <li key={name}>
            <button
              type="button"
              className="jp-Mlops-chip"
              data-marked={name === marked}
              aria-pressed={name === pinned}
              aria-description={reachText(pipeline, graph, name, trans)}
              tabIndex={roving.tabIndex(index)}
              onMouseEnter={() => onPoint(name)}
              onFocus={() => onFocus(name)}
              onBlur={() => onFocus(null)}
              onClick={() => onPin(name === pinned ? null : name)}
            >
              {name}
            </button>
          </li>
        ))}
      </ul>
      <p className="jp-Mlops-help jp-Mlops-reachText" aria-hidden="true">
        {marked
          ? reachText(pipeline, graph, marked, trans)
          : trans.__('Point at one to see what it reaches.')}
      </p>
    </div>
  );
}

function reachText(
  pipeline: IPipeline,
  graph: IGraph,
  parameter: string,
  trans: TranslationBundle
): string {
  const titles = [...reachedBy(pipeline, parameter)].map(index =>
    stepTitle(graph.steps[index])
  );
  return titles.length > 0
    ? trans.__('%1 reaches %2.', parameter, titles.join(', '))
    : trans.__('%1 reaches no step: nothing uses it.', parameter);
}

function rolesOf(
  pipeline: IPipeline,
  graph: IGraph,
  mark: Mark | null
): Role[] {
  if (!mark) {
    return [];
  }
  if ('parameter' in mark) {
    const reached = reachedBy(pipeline, mark.parameter);
    return graph.steps.map((_, index) =>
      reached.has(index) ? 'reached' : 'other'
    );
  }
  const { upstream, downstream } = relativesOf(graph, mark.step);
  return graph.steps.map((_, index) => {
    if (index === mark.step) {
      return 'active';
    }
    if (upstream.has(index)) {
      return 'upstream';
    }
    return downstream.has(index) ? 'downstream' : 'other';
  });
}
