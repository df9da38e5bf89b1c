import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import * as React from 'react';

/** Colours code as JupyterLab does; without one it stays plain. */
export const LanguagesContext = React.createContext<Pick<
  IEditorLanguageRegistry,
  'findBest' | 'highlight'
> | null>(null);

/** Python code to read: it scrolls by keyboard, too. */
export function Code(props: { source: string; label: string }): JSX.Element {
  const { source, label } = props;
  const languages = React.useContext(LanguagesContext);
  const code = React.useRef<HTMLElement>(null);
  React.useLayoutEffect(() => {
    const shown = code.current!;
    // Right at once: the colours may take long to come, or never do.
    shown.textContent = source;
    let isCurrent = true;
    const coloured = document.createElement('code');
    languages
      ?.highlight(source, languages.findBest('python'), coloured)
      .then(() => {
        if (isCurrent) {
          shown.replaceChildren(...coloured.childNodes);
        }
      })
      .catch(reason => console.warn('Python is shown without colours', reason));
    return () => {
      isCurrent = false;
    };
  }, [source, languages]);
  return (
    <pre
      className="jp-Mlops-code"
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <code ref={code} />
    </pre>
  );
}
