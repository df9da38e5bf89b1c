import { runIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Button } from '../../components/button';
import { captureNames } from '../../components/captures';
import { CopyButton } from '../../components/copyButton';
import { Facts } from '../../components/facts';
import {
  formatBytes,
  formatNumber,
  shortDigest
} from '../../components/format';
import { useTranslation } from '../../components/translation';
import { VerifiedBadge } from '../../components/verifiedBadge';
import { serviceIcon } from '../../icons';
import type { IPublishResult, Metrics } from '../../models';
import { SignatureView } from '../captures/signature';
import { AuditLine } from './audit';

/** What a publish came to: the card with the reference and what to do with it. */
export function ResultCard(props: {
  result: IPublishResult;
  onServe: () => void;
  onRun: () => void;
  isServing: boolean;
}): JSX.Element {
  const trans = useTranslation();
  const { result } = props;
  const facts: [string, React.ReactNode][] = [
    [
      trans.__('Digest'),
      <Copyable
        key="digest"
        text={result.digest}
        shown={shortDigest(result.digest)}
        label={trans.__('Copy the digest')}
      />
    ],
    [trans.__('Pushed'), formatBytes(result.pushed_bytes)]
  ];
  if (result.captures?.length) {
    facts.push([trans.__('Captured'), captureNames(result.captures, trans)]);
  }
  if (result.audit) {
    const audit = <AuditLine key="audit" audit={result.audit} />;
    facts.push([trans.__('Vulnerabilities'), audit]);
  }
  return (
    <section
      className="jp-Mlops-card"
      aria-label={trans.__('Published %1', result.name)}
    >
      <header className="jp-Mlops-cardHeader">
        <span className="jp-Mlops-cardTitle">{result.name}</span>
        {typeof result.version === 'number' && (
          <span className="jp-Mlops-version">
            {trans.__('version %1', result.version)}
          </span>
        )}
        <VerifiedBadge verified={result.verified} />
      </header>
      <Copyable
        text={result.reference}
        label={trans.__('Copy the reference')}
      />
      <Facts facts={facts} />
      <MetricFacts metrics={result.metrics} />
      {result.signature && <SignatureView signature={result.signature} />}
      <div className="jp-Mlops-actions">
        <Button
          label={trans.__('Serve')}
          icon={serviceIcon}
          disabled={props.isServing}
          onClick={props.onServe}
        />
        <Button
          label={trans.__('Run with New Parameters')}
          icon={runIcon}
          onClick={props.onRun}
        />
      </div>
    </section>
  );
}

/** The metrics of a run, if it logged any. */
export function MetricFacts(props: { metrics?: Metrics }): JSX.Element | null {
  const trans = useTranslation();
  const metrics = Object.entries(props.metrics ?? {});
  if (metrics.length === 0) {
    return null;
  }
  return (
    <div className="jp-Mlops-metrics">
      <h4 className="jp-Mlops-heading">{trans.__('Metrics')}</h4>
      <Facts
        label={trans.__('Metrics')}
        facts={metrics.map(([name, value]) => [name, formatNumber(value)])}
      />
    </div>
  );
}

/** A name for machines, to be read and to be copied. */
export function Copyable(props: {
  text: string;
  label: string;
  shown?: string;
}): JSX.Element {
  const { text, label, shown = text } = props;
  return (
    <span className="jp-Mlops-copyable">
      <code title={text}>{shown}</code>
      <CopyButton text={text} label={label} />
    </span>
  );
}
