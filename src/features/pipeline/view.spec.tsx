import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import { RevealContext } from '../../components/cellLink';
import { ANALYSIS, DRAFT } from '../../testing/fakes';
import { PipelineView } from './view';

function show(props: Partial<React.ComponentProps<typeof PipelineView>> = {}) {
  const reveal = jest.fn();
  const view = (pipeline = ANALYSIS) => (
    <RevealContext.Provider value={reveal}>
      <PipelineView pipeline={pipeline} {...props} />
    </RevealContext.Provider>
  );
  const { container, rerender } = render(view());
  return {
    reveal,
    container,
    redraw: (pipeline: typeof ANALYSIS) => rerender(view(pipeline))
  };
}

const list = () => screen.getByRole('list', { name: 'Steps' });
const steps = () => within(list()).getAllByRole('button');
const roles = () => steps().map(step => step.dataset.role);

describe('PipelineView', () => {
  it('is an ordered list of the steps, told in words', () => {
    show();
    expect(list().tagName).toBe('OL');
    expect(within(list()).getAllByRole('listitem')).toHaveLength(4);
    const [, train, , last] = steps();
    expect(train).toHaveAccessibleName('train cell 3');
    expect(train).toHaveAccessibleDescription(/After Load the data \(frame/);
    expect(train).toHaveAccessibleDescription(/Not cacheable, because cell 3/);
    expect(train).toHaveAccessibleDescription(/stay together: file: an open/);
    expect(last).toHaveAccessibleName('show cells 5–6, 8');
  });

  it('draws a line for each step that another comes after', () => {
    const { container } = show();
    const lines = [...container.querySelectorAll<SVGGElement>('[data-link]')];
    expect(lines.map(line => line.dataset.link).sort()).toEqual([
      '0-1',
      '0-2',
      '0-3',
      '1-3'
    ]);
    expect(lines[1].querySelector('title')).toHaveTextContent('rows.csv');
  });

  it('has one place in the tab order; arrows go on, Enter goes to the cell', async () => {
    const { reveal } = show();
    await userEvent.tab();
    expect(screen.getByRole('button', { name: 'trees' })).toHaveFocus();
    await userEvent.tab();
    expect(steps()[0]).toHaveFocus();
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowUp}');
    expect(steps()[1]).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    expect(reveal.mock.calls).toEqual([[3]]);
    await userEvent.keyboard('{End}');
    expect(steps()[3]).toHaveFocus();
    await userEvent.keyboard('{ArrowDown}');
    expect(steps()[3]).toHaveFocus();
    await userEvent.keyboard('{Home}');
    expect(steps()[0]).toHaveFocus();
    await userEvent.tab();
    await userEvent.tab({ shift: true });
    expect(steps()[0]).toHaveFocus();
  });

  it('marks what is up- and downstream of a step', async () => {
    const { container } = show();
    expect(roles()).toEqual(Array(4).fill(undefined));
    await userEvent.hover(steps()[1]);
    expect(roles()).toEqual(['upstream', 'active', 'other', 'downstream']);
    const active = container.querySelectorAll('[data-active="true"]');
    expect([...active].map(line => (line as SVGGElement).dataset.link)).toEqual(
      ['0-1', '1-3']
    );
    await userEvent.unhover(list());
    expect(roles()).toEqual(Array(4).fill(undefined));
  });

  it('shows what a parameter reaches, and keeps showing it when pressed', async () => {
    show();
    const chip = screen.getByRole('button', { name: 'trees' });
    expect(chip).toHaveAttribute(
      'aria-description',
      'trees reaches train, show.'
    );
    await userEvent.hover(chip);
    expect(roles()).toEqual(['other', 'reached', 'other', 'reached']);
    expect(screen.getByText('trees reaches train, show.')).toBeVisible();
    await userEvent.click(chip);
    expect(chip).toHaveAttribute('aria-pressed', 'true');
    await userEvent.unhover(chip);
    act(() => chip.blur());
    expect(roles()).toEqual(['other', 'reached', 'other', 'reached']);
    await userEvent.click(chip);
    expect(chip).toHaveAttribute('aria-pressed', 'false');
    await userEvent.hover(screen.getByRole('button', { name: 'shuffle' }));
    expect(screen.getByText(/nothing uses it/)).toBeVisible();
  });

  it('tells more of the step that was chosen, also when steps come and go', async () => {
    const { redraw } = show();
    expect(screen.queryByRole('region')).toBeNull();
    await userEvent.click(steps()[1]);
    const details = screen.getByRole('region', { name: 'Step train' });
    expect(details).toHaveTextContent('After Load the dataframe, trees');
    expect(details).toHaveTextContent('Givesmodel');
    expect(details).toHaveTextContent('Not cacheable, because cell 3 draws');
    const [first, ...rest] = ANALYSIS.steps;
    const added = { name: 'added', cells: [2] };
    redraw({ ...ANALYSIS, ...DRAFT, steps: [first, added, ...rest] });
    expect(screen.getByRole('region', { name: 'Step train' })).toBeVisible();
    redraw({ ...ANALYSIS, steps: [first, added] });
    expect(screen.queryByRole('region')).toBeNull();
  });

  it('says that it shows the text before a half typed cell', () => {
    show({ unfinished: [3] });
    expect(screen.getByRole('status')).toHaveTextContent(
      'Cell 3 is not valid Python yet: this is how it was before.'
    );
  });

  it('has nothing to draw of a notebook without code', () => {
    show({ pipeline: { ...ANALYSIS, steps: [] } });
    expect(screen.getByText('There is no code cell yet.')).toBeVisible();
    expect(screen.queryByRole('list')).toBeNull();
  });
});
