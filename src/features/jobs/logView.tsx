import { Clipboard } from '@jupyterlab/apputils';
import * as React from 'react';
import { Button } from '../../components/button';
import { Caret } from '../../components/facts';
import { useTranslation } from '../../components/translation';
import type { ILogLine } from './state';

/** The log of a job: folded, and rendered only while it is open. */
export function LogView(props: {
  lines: readonly ILogLine[];
  readLog: () => Promise<string>;
}): JSX.Element {
  const trans = useTranslation();
  const [open, setOpen] = React.useState(false);
  const end = React.useRef<HTMLDivElement>(null);
  const { lines } = props;

  React.useEffect(() => {
    if (open) {
      end.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [open, lines.length]);

  return (
    <details
      className="jp-Mlops-fold"
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>
        <Caret />
        <span className="jp-Mlops-foldTitle">{trans.__('Log')}</span>
        <span className="jp-Mlops-count">{lines.length}</span>
      </summary>
      {open && (
        <>
          <div
            className="jp-Mlops-log"
            role="log"
            aria-label={trans.__('Log')}
            tabIndex={0}
          >
            {lines.map(({ seq, level, text }) => (
              <div key={seq} data-level={level}>
                {text}
              </div>
            ))}
            <div ref={end} />
          </div>
          <div className="jp-Mlops-actions">
            <Button
              label={trans.__('Copy the Whole Log')}
              onClick={() => {
                props
                  .readLog()
                  .then(text => Clipboard.copyToSystem(text))
                  .catch(reason => console.warn(reason));
              }}
            />
          </div>
        </>
      )}
    </details>
  );
}
