import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import type { IPickable } from '../../models';
import { FakeNotebook, aModel, fakeApi, settled } from '../../testing/fakes';
import { CapturesView } from './view';

const name = (given: Partial<IPickable> & { name: string }): IPickable => ({
  type: '',
  size: null,
  shape: null,
  format: '',
  cell: null,
  needed: false,
  declared: false,
  reason: '',
  ...given
});

const NAMES = [
  name({ name: 'weights', type: 'numpy.ndarray', shape: [3, 2], size: 48, format: 'npy', cell: 4, needed: true }), // prettier-ignore
  name({ name: 'words', type: 'dict', format: 'json', declared: true }),
  name({ name: 'table', type: 'pandas.DataFrame', format: 'frame', cell: 2 }),
  name({ name: 'lock', type: '_thread.lock', reason: 'There is no safe format for a _thread.lock.' }) // prettier-ignore
];

/** The open picker of a notebook, whose kernel runs or not. */
async function show(kernel: string | null = 'k1', note = '') {
  const api = fakeApi();
  api.listCaptures.mockResolvedValue({ names: NAMES, live: true, note });
  const parts = aModel(api);
  const notebook = new FakeNotebook('work/iris.ipynb');
  Object.assign(notebook, {
    sessionContext: { session: kernel && { kernel: { id: kernel } } }
  });
  parts.tracker.show(notebook);
  await settled();
  const { captures } = parts.model;
  const element = () => <CapturesView model={captures} />;
  const view = render(element());
  captures.changed.connect(() => view.rerender(element()));
  await React.act(async () => {
    await captures.look();
  });
  view.container.querySelector('details')!.open = true;
  return { ...parts, captures };
}

const box = (label: string) => screen.getByRole('checkbox', { name: label });

describe('CapturesView', () => {
  it('ticks what is needed, with all that is known of it', async () => {
    const { api } = await show();
    expect(api.listCaptures).toHaveBeenCalledWith('work/iris.ipynb', 'k1');
    expect(box('weights')).toBeChecked();
    expect(box('weights')).toHaveAccessibleDescription(
      'ndarray, 3 × 2, 48 B, as npy, made in cell 4 The service needs it.'
    );
    expect(box('words')).toBeChecked();
    expect(box('words')).toHaveAccessibleDescription(
      'dict, as json A cell asks for it.'
    );
    expect(box('table')).not.toBeChecked();
  });

  it('adds what is picked, by mouse and by keyboard, and takes it back', async () => {
    const { captures, model } = await show();
    await userEvent.click(box('table'));
    expect(captures.request).toEqual({ captures: ['table'] });
    expect(screen.getByText('1 more')).toBeVisible();
    box('table').focus();
    await userEvent.keyboard(' ');
    expect(box('table')).not.toBeChecked();
    expect(captures.request).toEqual({});
    await userEvent.click(box('table'));
    await model.publish();
    expect(model.lastPublish!.job.request.captures).toEqual(['table']);
  });

  it('leaves what is needed ticked, and what cannot be saved unticked', async () => {
    const { captures } = await show();
    await userEvent.click(box('weights'));
    await userEvent.click(box('lock'));
    expect(box('weights')).toBeChecked();
    expect(box('lock')).not.toBeChecked();
    expect(box('lock')).toHaveAttribute('aria-disabled', 'true');
    const list = screen.getByRole('list', { name: 'Names to capture' });
    expect(
      within(list).getByText('There is no safe format for a _thread.lock.')
    ).toBeVisible();
    expect(captures.request).toEqual({});
  });

  it('publishes from the live kernel only when that is asked for', async () => {
    const { captures } = await show('k7');
    const live = box('Save the objects of the running kernel');
    expect(live).not.toBeChecked();
    await userEvent.click(live);
    expect(captures.request).toEqual({ from_kernel: 'k7' });
  });

  it('says when no kernel runs, and why nothing is known', async () => {
    const { captures } = await show(null, 'No kernel runs.');
    const live = box('Save the objects of the running kernel');
    expect(live).toBeDisabled();
    expect(screen.getByText('No kernel runs.')).toBeVisible();
    captures.live = true;
    expect(captures.request).toEqual({});
  });

  it('shows why the names cannot be listed', async () => {
    const { api, captures } = await show();
    api.listCaptures.mockRejectedValue(new Error('gone'));
    await React.act(async () => {
      await captures.look();
    });
    expect(screen.getByRole('alert')).toHaveTextContent('gone');
  });
});
