import { render, screen } from '@testing-library/react';
import * as React from 'react';
import type { IAdvisory, IAudit } from '../../models';
import { RESULT } from '../../testing/fakes';
import { ResultCard } from './result';

const CLEAN: IAudit = {
  state: 'clean',
  packages: 87,
  found: [],
  unchecked: [],
  service: 'pypi.org',
  date: '2026-11-21T20:53:29Z'
};

const ADVISORY: IAdvisory = {
  package: 'requests',
  version: '2.19.1',
  id: 'PYSEC-2018-28',
  aliases: ['CVE-2018-18074'],
  fixed: ['2.20.0'],
  summary: 'It sends what it should keep.'
};

/** The card of a publish with this audit; returns what it says of vulnerabilities. */
function shown(audit?: IAudit): HTMLElement | null {
  const result = { ...RESULT, audit };
  const nothing = () => undefined;
  render(
    <ResultCard
      result={result}
      onServe={nothing}
      onRun={nothing}
      isServing={false}
    />
  );
  return (screen.queryByText('Vulnerabilities')?.nextElementSibling ??
    null) as HTMLElement | null;
}

describe('the audit of what was published', () => {
  it('is clean: by whom it was checked, and when', () => {
    expect(shown(CLEAN)).toHaveTextContent(
      /^None known \(pypi\.org, 2026-11-21\)$/
    );
    expect(screen.queryByRole('list')).toBeNull();
  });

  it('names what was found, and what ends it', () => {
    const other = { ...ADVISORY, id: 'PYSEC-2', aliases: [], fixed: [] };
    const audit = {
      ...CLEAN,
      state: 'found' as const,
      found: [ADVISORY, other]
    };
    const line = shown(audit);
    expect(line).toHaveTextContent('2 known, in 1 of 87 packages');
    expect(line).not.toHaveTextContent('not checked');
    const items = [...line!.querySelectorAll('li')].map(li => li.textContent);
    expect(items).toEqual([
      'requests 2.19.1 PYSEC-2018-28, CVE-2018-18074, fixed in 2.20.0. It sends what it should keep.',
      'requests 2.19.1 PYSEC-2, not fixed yet. It sends what it should keep.'
    ]);
  });

  it('never says clean of what was not checked, and names it', () => {
    const unchecked = [
      { why: 'pypi.org does not know it', packages: ['ours 1.0', 'b 2'] },
      { why: 'pypi.org did not answer in time', packages: ['c 3'] }
    ];
    const line = shown({ ...CLEAN, state: 'not checked', unchecked });
    expect(line).toHaveTextContent('Not checked: 3 of 87 packages');
    expect(line).not.toHaveTextContent('None known');
    const items = [...line!.querySelectorAll('li')].map(li => li.textContent);
    expect(items).toEqual([
      'Not checked: ours 1.0, b 2 (pypi.org does not know it)',
      'Not checked: c 3 (pypi.org did not answer in time)'
    ]);
  });

  it('says of what was found that it is not all', () => {
    const unchecked = [{ why: 'unknown', packages: ['ours 1.0'] }];
    const line = shown({
      ...CLEAN,
      state: 'found',
      found: [ADVISORY],
      unchecked
    });
    expect(line).toHaveTextContent(
      '1 known, in 1 of 87 packages; 1 not checked'
    );
    expect(line!.querySelectorAll('li')).toHaveLength(2);
  });

  it('is left out where an earlier version published', () => {
    expect(shown(undefined)).toBeNull();
  });
});
