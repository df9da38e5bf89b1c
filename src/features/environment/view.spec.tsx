import { fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import { ApiError, problemOf } from '../../errors';
import type { IEnvironmentReport } from '../../models';
import { FakeNotebook, REPORT, aModel, settled } from '../../testing/fakes';
import { EnvironmentView } from './view';

/** The view of an open notebook, as it is when the section was opened. */
async function show(fields: Partial<IEnvironmentReport> = {}) {
  const parts = aModel();
  const { api, environment, tracker } = parts;
  const report = { ...REPORT, ...fields };
  api.describeEnvironment.mockResolvedValue(report);
  api.editEnvironment.mockResolvedValue(report);
  tracker.show(new FakeNotebook('work/iris.ipynb'));
  await settled();
  const onCell = jest.fn();
  const element = () => (
    <EnvironmentView model={environment} isDirty={false} onCell={onCell} />
  );
  const view = render(element());
  environment.changed.connect(() => view.rerender(element()));
  await React.act(() => environment.look());
  return { ...parts, onCell, view };
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const own = () => screen.getByRole('list', { name: 'Packages' });
const edits = () => screen.queryByRole('list', { name: 'Your Edits' });

/** Open what a summary folds; jsdom does not tell it by itself. */
function unfold(text: string): HTMLElement {
  const details = screen.getByText(text).closest('details')!;
  details.open = true;
  fireEvent(details, new Event('toggle'));
  return details;
}

async function lock(): Promise<void> {
  await React.act(async () => {
    await userEvent.click(button('Lock'));
    await settled();
  });
}

describe('EnvironmentView', () => {
  it('lists what is needed, with versions, reasons and sizes', async () => {
    await show();
    const [pyarrow, sklearn] = within(own()).getAllByRole('listitem');
    expect(sklearn).toHaveTextContent(
      'scikit-learn 1.7.2 cells 1, 3 import sklearn 9.3 MB'
    );
    expect(pyarrow).toHaveTextContent(
      'pyarrow 21.0.0 seen at run time 42.0 MB'
    );
    expect(screen.getByRole('status')).toHaveTextContent(
      '4 packages, 68.2 MB, for Python 3.11 on linux/amd64.'
    );
  });

  it('folds what comes only with others', async () => {
    await show();
    const fold = screen
      .getByText('And 2 more that come with these')
      .closest('details')!;
    expect(fold).not.toHaveAttribute('open');
    expect(fold).toHaveTextContent('16.9 MB together.');
    expect(within(own()).queryByText('numpy')).toBeNull();
    const others = screen.getByRole('list', { name: /^Packages that come/ });
    expect(within(others).getByText('numpy')).toBeInTheDocument();
  });

  it('says that a sum without all sizes is a lower bound', async () => {
    const [first, ...rest] = REPORT.locked;
    await show({ locked: [{ ...first, size: null }, ...rest] });
    expect(screen.getByRole('status')).toHaveTextContent('at least 51.3 MB');
    expect(screen.getByText('size unknown')).toBeInTheDocument();
  });

  it('tells more of a package, and goes to its cells', async () => {
    const { onCell } = await show();
    const details = unfold('scikit-learn');
    expect(details).toHaveTextContent('Modulessklearn');
    expect(details).toHaveTextContent('Asked for>=1.5');
    await userEvent.click(button('cell 3'));
    expect(onCell).toHaveBeenCalledWith(3);
  });

  it('adds a requirement, keeps the focus, and locks with it', async () => {
    const { api } = await show();
    const field = screen.getByLabelText('Add a package');
    await userEvent.type(field, ' six>=1.16 {Enter}');
    expect(field).toHaveFocus();
    expect(field).toHaveValue('');
    expect(own()).toHaveTextContent('added by you as six>=1.16');
    expect(screen.getByRole('status')).toHaveTextContent('press Lock');
    await lock();
    expect(api.editEnvironment.mock.calls[0][0].options).toEqual({
      additions: ['six>=1.16']
    });
    expect(own()).toHaveTextContent('six 1.17.0 added by you');
    expect(screen.getByRole('status')).not.toHaveTextContent('press Lock');
  });

  it('does not add what names nothing', async () => {
    const { environment } = await show();
    await userEvent.type(screen.getByLabelText('Add a package'), '==2{Enter}');
    expect(screen.getByRole('alert')).toHaveTextContent('Write it as pip does');
    expect(screen.getByLabelText('Add a package')).toBeInvalid();
    expect(environment.edits).toEqual([]);
  });

  it('removes a package, and puts it back with the same button', async () => {
    const { environment } = await show();
    unfold('scikit-learn');
    await userEvent.click(button('Remove scikit-learn'));
    expect(button('Put back scikit-learn')).toHaveFocus();
    expect(own()).toHaveTextContent('removed by you');
    expect(environment.request).toEqual({
      environment: { removals: ['scikit-learn'] }
    });
    await userEvent.keyboard('{Enter}');
    expect(button('Remove scikit-learn')).toHaveFocus();
    expect(environment.request).toEqual({});
  });

  it('sets another version, also of what comes with others', async () => {
    const { api } = await show();
    const details = within(unfold('numpy'));
    const field = details.getByLabelText('Version or bounds');
    await userEvent.type(field, '<2{Enter}');
    expect(field).toHaveFocus();
    expect(details.getByText('set to <2')).toBeInTheDocument();
    expect(details.queryByRole('button', { name: /^Remove/ })).toBeNull();
    await lock();
    expect(api.editEnvironment.mock.calls[0][0].options).toEqual({
      overrides: { numpy: '<2' }
    });
  });

  it('undoes each edit, and keeps the focus near', async () => {
    const { environment } = await show();
    unfold('scikit-learn');
    await userEvent.click(button('Remove scikit-learn'));
    await userEvent.type(screen.getByLabelText('Add a package'), 'x{Enter}');
    expect(within(edits()!).getAllByRole('listitem')).toHaveLength(2);
    await userEvent.click(button('Undo: Add x'));
    expect(button('Lock')).toHaveFocus();
    await userEvent.click(button('Undo: Remove scikit-learn'));
    expect(edits()).toBeNull();
    expect(environment.edits).toEqual([]);
    expect(screen.getByRole('status')).not.toHaveTextContent('press Lock');
  });

  it('asks for a choice, and sends it', async () => {
    const question = {
      module: 'cv2',
      candidates: ['opencv-python', 'opencv-python-headless'],
      cells: [2],
      why: 'Two packages have it'
    };
    const { api } = await show({ questions: [question] });
    const group = screen.getByRole('group', { name: /module cv2/ });
    expect(group).toHaveAccessibleDescription(/Two packages have it/);
    await userEvent.click(within(group).getByLabelText(/headless/));
    expect(within(group).getByLabelText(/headless/)).toBeChecked();
    expect(edits()).toHaveTextContent('Take cv2 from opencv-python-headless');
    const remember = screen.getByLabelText(/^Remember it in the notebook/);
    expect(remember).not.toBeChecked();
    await userEvent.click(remember);
    expect(remember).toBeChecked();
    const other = within(group).getByLabelText('Another package');
    await userEvent.type(other, 'my-cv{Enter}');
    expect(within(group).getByLabelText(/headless/)).not.toBeChecked();
    await lock();
    expect(api.editEnvironment.mock.calls[0][0].answers).toEqual({
      cv2: 'my-cv'
    });
  });

  it('asks for a text where no candidate is known', async () => {
    const question = { module: 'x', candidates: [], cells: [], why: '' };
    const { environment } = await show({ questions: [question] });
    expect(screen.queryByRole('radio')).toBeNull();
    await userEvent.type(screen.getByLabelText('Package'), 'the-x');
    await userEvent.click(button('Use this package for x'));
    expect(environment.request).toEqual({ answers: { x: 'the-x' } });
  });

  it('shows problems with remedies, notes, and no lock', async () => {
    const problem = problemOf('a and b clash.', 'Pin another a.');
    await show({
      sha256: '',
      locked: [],
      problems: [problem],
      notes: ['x was removed, and stays']
    });
    expect(screen.getByRole('alert')).toHaveTextContent('Pin another a.');
    expect(screen.getByText('x was removed, and stays')).toBeVisible();
    expect(screen.getByRole('status')).toHaveTextContent('cannot be locked');
    expect(own()).toHaveTextContent('pyarrow not locked yet');
  });

  it('says what the server says when it does not answer', async () => {
    const { api, environment } = await show();
    const said = problemOf('The index is down.', 'Try again.');
    api.describeEnvironment.mockRejectedValueOnce(new ApiError(500, [said]));
    await lock();
    expect(screen.getByRole('alert')).toHaveTextContent('The index is down.');
    expect(own()).toBeInTheDocument();
    expect(environment.work).toBeNull();
  });

  it('is busy while it locks, and keeps the focus', async () => {
    const { api, view } = await show();
    api.describeEnvironment.mockReturnValueOnce(new Promise(() => undefined));
    await lock();
    expect(view.container.firstChild).toHaveAttribute('aria-busy', 'true');
    expect(screen.getByRole('progressbar')).toBeInTheDocument();
    expect(button('Locking…')).toHaveAttribute('aria-disabled', 'true');
    expect(button('Locking…')).toHaveFocus();
    await userEvent.click(button('Locking…'));
    expect(api.describeEnvironment).toHaveBeenCalledTimes(2);
  });

  it('lists what the base image lacks, and adds it on demand', async () => {
    const need = {
      kind: 'library' as const,
      name: 'libGL.so.1',
      needed_by: 'opencv-python 4.10.0',
      package: 'libgl1+libglx0',
      sure: true,
      scripts: false
    };
    const { api, environment } = await show({
      system: [need, { ...need, name: 'libodd.so.1', package: '' }]
    });
    await userEvent.click(button('Look for System Libraries'));
    expect(api.editEnvironment.mock.calls[0][0].system).toBe(true);
    const [, first, second] = screen.getAllByRole('row');
    expect(first).toHaveTextContent(
      'libGL.so.1opencv-python 4.10.0libgl1 + libglx0'
    );
    expect(second).toHaveTextContent('No package is known');
    await userEvent.click(screen.getByLabelText('Add them to the image'));
    expect(environment.request).toEqual({ system_packages: 'auto' });
    await userEvent.click(button(/^Undo: Add missing system/));
    expect(screen.getByLabelText('Add them to the image')).not.toBeChecked();
  });

  it('offers to add nothing where nothing can be added', async () => {
    await show({ system: [] });
    expect(screen.getByText(/has all that is needed/)).toBeVisible();
    expect(screen.queryByRole('checkbox')).toBeNull();
  });

  it('locks for another target', async () => {
    const { environment } = await show();
    unfold('Target and Date');
    fireEvent.change(screen.getByLabelText('Platform'), {
      target: { value: 'linux/arm64' }
    });
    await userEvent.type(screen.getByLabelText('Python'), '3.12');
    await userEvent.tab();
    await userEvent.type(
      screen.getByLabelText('Nothing newer than'),
      '2024-05-31{Enter}'
    );
    expect(environment.request).toEqual({
      environment: {
        platform: 'linux/arm64',
        python: '3.12',
        exclude_newer: '2024-05-31'
      }
    });
    await userEvent.click(button('Undo: Python: 3.12'));
    expect(screen.getByLabelText('Python')).toHaveValue('');
  });
});
