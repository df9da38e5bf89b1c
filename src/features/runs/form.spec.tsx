import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import type { IParameter } from '../../models';
import { RunForm } from './form';

const PARAMETERS: IParameter[] = [
  { name: 'day', type: 'date', default: '2024-01-01', description: 'first' },
  { name: 'local', type: 'datetime', default: '2024-01-01T08:00:00' },
  { name: 'zoned', type: 'datetime', default: '2024-01-01T08:00:00+00:00' },
  { name: 'file', type: 'path', default: 'a.csv' },
  { name: 'sizes', type: 'list', items: 'int', default: [1] },
  { name: 'rate', type: 'float', default: 0.5, minimum: 0, maximum: 1 },
  {
    name: 'mode',
    type: 'str',
    default: null,
    nullable: true,
    choices: ['a', 'b']
  }
];

function show() {
  const onRun = jest.fn();
  const source = { reference: 'oci:/r:x' };
  render(
    <RunForm
      form={{ source, title: 'x', parameters: PARAMETERS }}
      problems={[]}
      isStarting={false}
      onRun={onRun}
      onCancel={jest.fn()}
    />
  );
  return onRun;
}

describe('RunForm', () => {
  it('has a field of the right kind for each type', () => {
    show();
    const kinds = ['day', 'local', 'zoned', 'file', 'rate'].map(name =>
      screen.getByLabelText(new RegExp(`^${name}`)).getAttribute('type')
    );
    expect(kinds).toEqual(['date', 'datetime-local', 'text', 'text', 'text']);
    expect(screen.getByLabelText(/^sizes/).tagName).toBe('TEXTAREA');
    expect(screen.getByLabelText(/^rate/)).toHaveAccessibleDescription('0..1');
    expect(screen.getByLabelText(/^day/)).toHaveAccessibleDescription('first');
  });

  it('offers nothing as a choice where that is one', () => {
    const onRun = show();
    const mode = screen.getByLabelText(/^mode/);
    const choices = Array.from(mode.querySelectorAll('option'));
    expect(choices.map(choice => choice.text)).toEqual(['None', 'a', 'b']);
    fireEvent.change(mode, { target: { value: 'b' } });
    fireEvent.submit(screen.getByRole('form'));
    expect(onRun).toHaveBeenLastCalledWith({ mode: 'b' });
    fireEvent.change(mode, { target: { value: '' } });
    fireEvent.submit(screen.getByRole('form'));
    expect(onRun).toHaveBeenLastCalledWith({});
  });

  it('sends what was typed', () => {
    const onRun = show();
    const type = (name: string, value: string) =>
      fireEvent.change(screen.getByLabelText(new RegExp(`^${name}`)), {
        target: { value }
      });
    type('day', '2024-02-29');
    type('local', '2024-02-29T08:30');
    type('sizes', '[2, 3]');
    fireEvent.submit(screen.getByRole('form'));
    expect(onRun).toHaveBeenCalledWith({
      day: '2024-02-29',
      local: '2024-02-29T08:30',
      sizes: [2, 3]
    });
  });
});
