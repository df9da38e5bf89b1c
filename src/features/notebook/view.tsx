import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { CellLink, RevealContext } from '../../components/cellLink';
import { Facts, Fold, Placeholder } from '../../components/facts';
import { formatRange, formatType, formatValue } from '../../components/format';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import type {
  IAnalysis,
  ICandidate,
  ICapture,
  IParameter,
  IPipeline
} from '../../models';
import { HiddenStateList } from '../pipeline/hidden';
import { PipelineView } from '../pipeline/view';
import { ServiceCodeView } from '../service/view';
import type { NotebookFollower } from './follower';

/** What was found in the notebook: all that a publication will be made of. */
export function NotebookView(props: {
  notebook: NotebookFollower;
  /** Bring a code cell, counted from 1, to the front. */
  onCell: (cell: number) => void;
}): JSX.Element {
  const trans = useTranslation();
  const { notebook, onCell } = props;
  const { analysis, pipeline, isLoading } = notebook;
  return (
    <RevealContext.Provider value={onCell}>
      <div aria-busy={isLoading}>
        <Problems problems={notebook.findings} />
        {isLoading && !pipeline && (
          <Placeholder>{trans.__('Reading the notebook…')}</Placeholder>
        )}
        {pipeline && (
          <TextFindings
            pipeline={pipeline}
            unfinished={notebook.unfinished}
            file={notebook.path ?? ''}
          />
        )}
        {analysis && (
          <KernelFindings analysis={analysis} isOlder={notebook.isDraft} />
        )}
        {!analysis && pipeline && !isLoading && (
          <p className="jp-Mlops-help">
            {trans.__('Save the notebook to see its packages and captures.')}
          </p>
        )}
      </div>
    </RevealContext.Provider>
  );
}

/** What the text says, which follows typing. */
function TextFindings(props: {
  pipeline: IPipeline;
  unfinished: readonly number[];
  file: string;
}): JSX.Element {
  const trans = useTranslation();
  const { pipeline, unfinished, file } = props;
  const { parameters, steps, candidates = [], notes = [] } = pipeline;
  return (
    <>
      <HiddenStateList found={pipeline.hidden_state ?? []} />
      <Fold title={trans.__('Steps')} count={steps.length} open>
        <PipelineView key={file} pipeline={pipeline} unfinished={unfinished} />
        {(pipeline.contradictions ?? []).map(contradiction => (
          <p key={contradiction} className="jp-Mlops-help">
            {contradiction}
          </p>
        ))}
      </Fold>
      <Fold title={trans.__('Parameters')} count={parameters.length} open>
        <p className="jp-Mlops-help">{sourceText(pipeline, trans)}</p>
        {parameters.length > 0 && <ParameterTable parameters={parameters} />}
        {notes.map(note => (
          <p key={note} className="jp-Mlops-help">
            {note}
          </p>
        ))}
      </Fold>
      {candidates.length > 0 && <CandidateList candidates={candidates} />}
      <ServiceCodeView code={pipeline.service_code} />
    </>
  );
}

/** What only the saved file and its kernel can say. */
function KernelFindings(props: {
  analysis: IAnalysis;
  isOlder: boolean;
}): JSX.Element {
  const trans = useTranslation();
  const { analysis, isOlder } = props;
  const { kernel, dependencies, captures } = analysis;
  const facts: [string, string][] = [];
  if (kernel) {
    facts.push([trans.__('Kernel'), kernel.display_name]);
    facts.push([trans.__('Python'), kernel.python]);
  }
  facts.push([trans.__('Predictor'), predictorText(analysis, trans)]);
  return (
    <>
      <Fold title={trans.__('Dependencies')} count={dependencies.length} open>
        <DependencyTable analysis={analysis} />
      </Fold>
      <Fold title={trans.__('Captures')} count={captures.length} open>
        {captures.length > 0 ? (
          <CaptureTable captures={captures} />
        ) : (
          <p className="jp-Mlops-help">
            {trans.__(
              'No model found: it is published to be run with parameters.'
            )}
          </p>
        )}
      </Fold>
      <Fold title={trans.__('Kernel')} open>
        <Facts facts={facts} />
      </Fold>
      {isOlder && (
        <p className="jp-Mlops-help">
          {trans.__(
            'Dependencies, captures and kernel are those of the saved file.'
          )}
        </p>
      )}
    </>
  );
}

function ParameterTable(props: {
  parameters: readonly IParameter[];
}): JSX.Element {
  const trans = useTranslation();
  return (
    <table className="jp-Mlops-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Type')}</th>
          <th scope="col">{trans.__('Default')}</th>
        </tr>
      </thead>
      <tbody>
        {props.parameters.map(parameter => (
          <tr key={parameter.name} title={hint(parameter) || undefined}>
            <th scope="row">{parameter.name}</th>
            <td>{formatType(parameter)}</td>
            <td>
              <code>
                {parameter.required
                  ? trans.__('required')
                  : formatValue(parameter.default)}
              </code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a parameter is for, and what it may be. */
function hint(parameter: IParameter): string {
  const choices = parameter.choices?.map(formatValue).join(', ');
  return [parameter.description, formatRange(parameter), choices]
    .filter(Boolean)
    .join('; ');
}

function CandidateList(props: {
  candidates: readonly ICandidate[];
}): JSX.Element {
  const trans = useTranslation();
  const { candidates } = props;
  return (
    <Fold title={trans.__('Could Be Parameters')} count={candidates.length}>
      <p className="jp-Mlops-help">
        {trans.__(
          'Move those that you want into one cell, and tag it "parameters".'
        )}
      </p>
      <table className="jp-Mlops-table">
        <tbody>
          {candidates.map(({ name, default: value, cell, why }) => (
            <tr key={name} title={why}>
              <th scope="row">{name}</th>
              <td>
                <code>{formatValue(value)}</code>
              </td>
              <td>
                <CellLink cell={cell}>{trans.__('cell %1', cell)}</CellLink>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Fold>
  );
}

function DependencyTable(props: { analysis: IAnalysis }): JSX.Element {
  const trans = useTranslation();
  const { dependencies } = props.analysis;
  if (dependencies.length === 0) {
    return (
      <p className="jp-Mlops-help">
        {trans.__('It imports only the standard library.')}
      </p>
    );
  }
  return (
    <table className="jp-Mlops-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('Package')}</th>
          <th scope="col">{trans.__('Pin')}</th>
        </tr>
      </thead>
      <tbody>
        {dependencies.map(({ name, version, modules, source }) => (
          <tr
            key={name}
            title={
              source === 'kernel'
                ? trans.__(
                    'Imported as %1; the version the kernel has',
                    modules.join(', ')
                  )
                : trans.__(
                    'Imported as %1; not installed in the kernel',
                    modules.join(', ')
                  )
            }
          >
            <th scope="row">{name}</th>
            <td>
              <code>{version || trans.__('newest')}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function CaptureTable(props: { captures: readonly ICapture[] }): JSX.Element {
  const trans = useTranslation();
  return (
    <table className="jp-Mlops-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Type')}</th>
        </tr>
      </thead>
      <tbody>
        {props.captures.map(({ name, type }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{type}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sourceText(pipeline: IPipeline, trans: TranslationBundle): string {
  switch (pipeline.parameters_source) {
    case 'tagged':
      return trans.__('From the cell tagged "parameters".');
    case 'proposed':
      return trans.__(
        'Proposed: tag a cell "parameters" to choose them yourself.'
      );
    default:
      return trans.__('None: tag a cell "parameters" to declare some.');
  }
}

function predictorText(analysis: IAnalysis, trans: TranslationBundle): string {
  const { kind, name } = analysis.predictor;
  switch (kind) {
    case 'function':
      return trans.__('the function %1()', name);
    case 'estimator':
      return trans.__('the estimator %1', name);
    default:
      return trans.__('nothing: it is run with parameters');
  }
}
