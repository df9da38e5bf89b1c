import * as React from 'react';

/**
 * Keep the focus in a part of the page when what has it goes away, as the
 * button does that undoes an edit: `fallback` gets it then.
 *
 * @returns what to give to the element around that part
 */
export function useKeptFocus(fallback: () => HTMLElement | null | undefined): {
  onFocus: (event: React.FocusEvent) => void;
  onBlur: (event: React.FocusEvent) => void;
} {
  const focused = React.useRef<Element | null>(null);
  React.useLayoutEffect(() => {
    if (focused.current?.isConnected === false) {
      focused.current = null;
      fallback()?.focus();
    }
  });
  return {
    onFocus: event => {
      focused.current = event.target;
    },
    onBlur: event => {
      if (event.target.isConnected) {
        focused.current = null;
      }
    }
  };
}
