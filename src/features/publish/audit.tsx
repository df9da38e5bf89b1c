import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Fold } from '../../components/facts';
import { useTranslation } from '../../components/translation';
import type { IAdvisory, IAudit } from '../../models';

/** Says what is known of the packages' vulnerabilities; it unfolds where there is more to say. */
export function AuditLine(props: { audit: IAudit }): JSX.Element {
  const trans = useTranslation();
  const { audit } = props;
  const head = headline(audit, trans);
  if (audit.state === 'clean') {
    return <>{head}</>;
  }
  return (
    <Fold title={head}>
      <ul className="jp-Mlops-audit">
        {audit.found.map(advisory => (
          <li key={`${advisory.package} ${advisory.id}`}>
            <Advisory advisory={advisory} />
          </li>
        ))}
        {audit.unchecked.map(({ why, packages }) => (
          <li key={why}>
            {trans.__('Not checked: %1 (%2)', packages.join(', '), why)}
          </li>
        ))}
      </ul>
    </Fold>
  );
}

function Advisory(props: { advisory: IAdvisory }): JSX.Element {
  const trans = useTranslation();
  const {
    aliases,
    fixed,
    id,
    summary,
    version,
    package: name
  } = props.advisory;
  const ids = [id, ...aliases].join(', ');
  return (
    <>
      <strong>{`${name} ${version}`}</strong>{' '}
      {fixed.length > 0
        ? trans.__('%1, fixed in %2.', ids, fixed.join(', '))
        : trans.__('%1, not fixed yet.', ids)}{' '}
      {summary}
    </>
  );
}

function headline(audit: IAudit, trans: TranslationBundle): string {
  const { found, packages, service, unchecked } = audit;
  const day = audit.date.slice(0, 10);
  const missing = unchecked.reduce(
    (sum, each) => sum + each.packages.length,
    0
  );
  switch (audit.state) {
    case 'clean':
      return trans.__('None known (%1, %2)', service, day);
    case 'found': {
      const bad = new Set(found.map(each => each.package)).size;
      return missing > 0
        ? trans.__(
            '%1 known, in %2 of %3 packages; %4 not checked',
            found.length,
            bad,
            packages,
            missing
          )
        : trans.__(
            '%1 known, in %2 of %3 packages',
            found.length,
            bad,
            packages
          );
    }
    case 'not checked':
      return trans.__('Not checked: %1 of %2 packages', missing, packages);
  }
}
