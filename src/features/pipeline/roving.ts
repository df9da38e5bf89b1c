import * as React from 'react';

const STEPS: Record<string, (index: number, count: number) => number> = {
  ArrowDown: index => index + 1,
  ArrowRight: index => index + 1,
  ArrowUp: index => index - 1,
  ArrowLeft: index => index - 1,
  Home: () => 0,
  End: (_, count) => count - 1
};

/**
 * One place in the tab order for a list of buttons: the arrow keys, Home and
 * End go from one to the next.
 *
 * @returns what to put on the list, and the tab index of each button
 */
export function useRovingFocus(count: number): {
  onKeyDown: (event: React.KeyboardEvent<HTMLElement>) => void;
  onFocus: (event: React.FocusEvent<HTMLElement>) => void;
  tabIndex: (index: number) => 0 | -1;
} {
  const [current, setCurrent] = React.useState(0);
  const buttonsOf = (list: HTMLElement) => [
    ...list.querySelectorAll<HTMLElement>('button')
  ];
  return {
    tabIndex: index => (index === Math.min(current, count - 1) ? 0 : -1),
    onFocus: event => {
      const index = buttonsOf(event.currentTarget).indexOf(
        event.target as HTMLElement
      );
      if (index >= 0) {
        setCurrent(index);
      }
    },
    onKeyDown: event => {
      const buttons = buttonsOf(event.currentTarget);
      const index = buttons.indexOf(event.target as HTMLElement);
      const next = STEPS[event.key]?.(index, buttons.length);
      if (index >= 0 && next !== undefined) {
        event.preventDefault();
        event.stopPropagation();
        buttons[next]?.focus();
      }
    }
  };
}
