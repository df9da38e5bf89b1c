import { errorIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { IProblem } from '../models';
import { Place } from './cellLink';

/** All that is wrong, each with what to do next. */
export function Problems(props: {
  problems: readonly IProblem[];
  /** Whether it is news to be read out at once. */
  alert?: boolean;
  /** What can be done about a problem at once. */
  action?: (problem: IProblem) => React.ReactNode;
}): JSX.Element | null {
  const { problems, alert = false, action } = props;
  if (problems.length === 0) {
    return null;
  }
  return (
    <ul className="jp-Mlops-problems" role={alert ? 'alert' : undefined}>
      {problems.map((problem, index) => (
        <li key={index} className="jp-Mlops-problem">
          <errorIcon.react tag="span" className="jp-Mlops-problemIcon" />
          <div>
            {problem.where && (
              <div className="jp-Mlops-problemWhere">
                <Place where={problem.where} />
              </div>
            )}
            <Sentence className="jp-Mlops-problemText" text={problem.problem} />
            <Sentence className="jp-Mlops-problemWhy" text={problem.why} />
            <Sentence
              className="jp-Mlops-problemRemedy"
              text={problem.remedy}
            />
            {action?.(problem)}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Sentence(props: { className: string; text: string }) {
  return props.text ? <p className={props.className}>{props.text}</p> : null;
}
