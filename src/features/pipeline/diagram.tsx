import { linkIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { RevealContext } from '../../components/cellLink';
import { useTranslation } from '../../components/translation';
import type { IGraph } from './graph';
import type { IRoute } from './layout';
import { layOut, pathOf } from './layout';
import { useRovingFocus } from './roving';
import { cellsText, linkText, notesOf, stepText, stepTitle } from './words';

/** Before anything is measured. */
const SIZE = { width: 240, height: 56 };

/** How a step stands to what the user points at. */
export type Role = 'active' | 'upstream' | 'downstream' | 'reached' | 'other';

/** The steps and what is handed over between them, drawn from top to bottom. */
export function Diagram(props: {
  graph: IGraph;
  /** The role of each step; empty when the user points at nothing. */
  roles: readonly Role[];
  selected: number;
  onPoint: (index: number | null) => void;
  onFocus: (index: number | null) => void;
}): JSX.Element {
  const trans = useTranslation();
  const { graph, roles, selected } = props;
  const list = React.useRef<HTMLOListElement>(null);
  const { width, heights } = useSizes(list, graph.steps.length);
  const layout = React.useMemo(
    () => layOut(width, heights, graph.links),
    [width, heights, graph]
  );
  const roving = useRovingFocus(graph.steps.length);
  return (
    <div className="jp-Mlops-diagram" data-pointing={roles.length > 0}>
      <svg
        className="jp-Mlops-lines"
        width={layout.width}
        height={layout.height}
        aria-hidden="true"
      >
        {drawingOrder(layout.routes, roles).map(index => (
          <Line
            key={index}
            route={layout.routes[index]}
            isActive={isOnPath(layout.routes[index], roles)}
            isCode={isCode(graph, index)}
            title={linkText(graph.links[index], trans)}
          />
        ))}
      </svg>
      <ol
        ref={list}
        className="jp-Mlops-steps"
        aria-label={trans.__('Steps')}
        style={{ height: layout.height }}
        onKeyDown={roving.onKeyDown}
        onFocus={roving.onFocus}
        onMouseLeave={() => props.onPoint(null)}
      >
        {graph.steps.map((step, index) => (
          <StepBox
            key={step.name}
            graph={graph}
            index={index}
            role={roles[index]}
            isSelected={index === selected}
            tabIndex={roving.tabIndex(index)}
            box={layout.boxes[index]}
            onPoint={props.onPoint}
            onFocus={props.onFocus}
          />
        ))}
      </ol>
    </div>
  );
}

function StepBox(props: {
  graph: IGraph;
  index: number;
  role: Role | undefined;
  isSelected: boolean;
  tabIndex: number;
  box: { x: number; y: number; width: number };
  onPoint: (index: number | null) => void;
  onFocus: (index: number | null) => void;
}): JSX.Element {
  const trans = useTranslation();
  const id = React.useId();
  const reveal = React.useContext(RevealContext);
  const { graph, index, role, box, onPoint, onFocus } = props;
  const step = graph.steps[index];
  const parameters = graph.parameters[index].join(', ');
  const { x, y, width } = box;
  return (
    <li style={{ transform: `translate(${x}px, ${y}px)`, width }}>
      <button
        type="button"
        className="jp-Mlops-step"
        data-role={role}
        data-step={step.name}
        aria-current={props.isSelected || undefined}
        aria-labelledby={`${id}-name`}
        aria-describedby={`${id}-text`}
        tabIndex={props.tabIndex}
        onMouseEnter={() => onPoint(index)}
        onFocus={() => onFocus(index)}
        onBlur={() => onFocus(null)}
        onClick={() => reveal?.(step.cells[0])}
      >
        <span id={`${id}-name`} className="jp-Mlops-stepHead">
          <span className="jp-Mlops-stepName" title={stepTitle(step)}>
            {stepTitle(step)}
          </span>{' '}
          <span className="jp-Mlops-stepCells">{cellsText(step, trans)}</span>
        </span>
        <span className="jp-Mlops-stepFoot" aria-hidden="true">
          <span className="jp-Mlops-stepParameters" title={parameters}>
            {parameters}
          </span>
          <Signs index={index} graph={graph} />
        </span>
      </button>
      <span id={`${id}-text`} hidden>
        {stepText(graph, index, trans)}
      </span>
    </li>
  );
}

/** What is out of the ordinary with a step, as icons that say it. */
function Signs(props: { graph: IGraph; index: number }): JSX.Element {
  const trans = useTranslation();
  const step = props.graph.steps[props.index];
  const { cacheable = true, merged = [] } = step;
  const [again, together] = [
    notesOf({ ...step, merged: [] }, trans)[0],
    notesOf({ ...step, cacheable: true }, trans)[0]
  ];
  return (
    <>
      {merged.length > 0 && (
        <span className="jp-Mlops-sign" title={together}>
          <linkIcon.react tag="span" />
        </span>
      )}
      {!cacheable && (
        <span className="jp-Mlops-sign" title={again}>
          <refreshIcon.react tag="span" />
        </span>
      )}
    </>
  );
}

function Line(props: {
  route: IRoute;
  isActive: boolean;
  isCode: boolean;
  title: string;
}): JSX.Element {
  const { route, isActive, isCode, title } = props;
  const path = pathOf(route.points);
  const [x, y] = route.points[route.points.length - 1];
  return (
    <g
      className="jp-Mlops-line"
      data-active={isActive}
      data-code={isCode}
      data-link={`${route.from}-${route.to}`}
    >
      <path className="jp-Mlops-lineArea" d={path}>
        <title>{title}</title>
      </path>
      <path className="jp-Mlops-lineWay" d={path} />
      <path className="jp-Mlops-lineEnd" d={`M${x},${y}l-3.5,-6h7z`} />
    </g>
  );
}

/** Lines that lie on the way come last: they are drawn over the others. */
function drawingOrder(
  routes: readonly IRoute[],
  roles: readonly Role[]
): number[] {
  const rank = (index: number) => Number(isOnPath(routes[index], roles));
  return [...routes.keys()].sort((one, other) => rank(one) - rank(other));
}

/** Whether nothing but definitions goes along a line: they travel as text. */
function isCode(graph: IGraph, index: number): boolean {
  const { names, files, state, definitions } = graph.links[index];
  return definitions.length > 0 && [names, files, state].every(l => !l.length);
}

/** Whether a line lies on a way to or from the step that is pointed at. */
function isOnPath({ from, to }: IRoute, roles: readonly Role[]): boolean {
  const is = (index: number, ...known: Role[]) => known.includes(roles[index]);
  return (
    (is(from, 'upstream') && is(to, 'upstream', 'active')) ||
    (is(from, 'active', 'downstream') && is(to, 'downstream')) ||
    (is(from, 'reached') && is(to, 'reached'))
  );
}

/** Measure the room for the drawing, and how high each box becomes in it. */
function useSizes(
  list: React.RefObject<HTMLOListElement>,
  count: number
): { width: number; heights: number[] } {
  const [sizes, setSizes] = React.useState<readonly number[]>([]);
  const measure = React.useCallback(() => {
    const room = list.current?.parentElement?.clientWidth || SIZE.width;
    const boxes = [...(list.current?.children ?? [])] as HTMLElement[];
    const found = [
      room,
      ...boxes.map(box => Math.ceil(box.offsetHeight) || SIZE.height)
    ];
    setSizes(known => (String(known) === String(found) ? known : found));
  }, [list]);
  React.useLayoutEffect(measure);
  React.useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(list.current!.parentElement!);
    for (const box of list.current!.children) {
      observer.observe(box);
    }
    return () => observer.disconnect();
  }, [list, measure, count]);
  return React.useMemo(() => {
    const [width = SIZE.width, ...measured] = sizes;
    const heights = Array.from(
      { length: count },
      (_, index) => measured[index] ?? SIZE.height
    );
    return { width, heights };
  }, [sizes, count]);
}
