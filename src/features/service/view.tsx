import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Cells } from '../../components/cellLink';
import { Code } from '../../components/code';
import { CopyButton } from '../../components/copyButton';
import { Facts, Fold } from '../../components/facts';
import { useTranslation } from '../../components/translation';
import type { IServiceCode } from '../../models';

/** What the image calls it. */
const FILE = 'service.py';

/** What will answer, and its code as it would be published. */
export function ServiceCodeView(props: { code: IServiceCode }): JSX.Element {
  const trans = useTranslation();
  const { code } = props;
  return (
    <Fold title={trans.__('Service Code')}>
      <p className="jp-Mlops-help">{kindText(code, trans)}</p>
      {code.kind !== 'none' && <Facts facts={factsOf(code, trans)} />}
      {code.source && (
        <div className="jp-Mlops-serviceCode">
          <div className="jp-Mlops-copyable">
            <code>{FILE}</code>
            <CopyButton
              text={code.source}
              label={trans.__('Copy the Service Code')}
            />
          </div>
          <Code source={code.source} label={trans.__('Service code')} />
        </div>
      )}
    </Fold>
  );
}

/** Say what answers, and how sure that is. */
function kindText(code: IServiceCode, trans: TranslationBundle): string {
  switch (code.kind) {
    case 'function':
      return trans.__(
        "The notebook's own function answers, with the code that it needs."
      );
    case 'candidate':
      return trans.__(
        "A candidate, made from the cells that lead to %1: the run proves this one or another against the notebook's own predictions; where none is proven, the model answers itself.",
        code.model
      );
    case 'estimator':
      return trans.__('The model answers itself: there is no code.');
    default:
      return trans.__('Nothing answers: it is run with parameters.');
  }
}

function factsOf(
  code: IServiceCode,
  trans: TranslationBundle
): [string, React.ReactNode][] {
  const { call, model, captured, cells } = code;
  const facts: [string, React.ReactNode][] = [
    [trans.__('Answers'), <code key="call">{call || model}</code>],
    [
      trans.__('Captured'),
      captured.length > 0 ? (
        <code key="captured">{captured.join(', ')}</code>
      ) : (
        trans.__('nothing: the code is all that it needs')
      )
    ]
  ];
  if (cells.length > 0) {
    facts.push([trans.__('From'), <Cells key="cells" cells={cells} />]);
  }
  return facts;
}
