import { Clipboard } from '@jupyterlab/apputils';
import { EditorLanguageRegistry } from '@jupyterlab/codemirror';
import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import { RevealContext } from '../../components/cellLink';
import { LanguagesContext } from '../../components/code';
import type { IServiceCode } from '../../models';
import { SERVICE_CODE } from '../../testing/fakes';
import { ServiceCodeView } from './view';

type Languages = React.ContextType<typeof LanguagesContext>;

const onCell = jest.fn();

/** The opened section; `languages` colour its code. */
function show(fields: Partial<IServiceCode> = {}, languages: Languages = null) {
  const element = (more: Partial<IServiceCode>) => (
    <RevealContext.Provider value={onCell}>
      <LanguagesContext.Provider value={languages}>
        <ServiceCodeView code={{ ...SERVICE_CODE, ...more }} />
      </LanguagesContext.Provider>
    </RevealContext.Provider>
  );
  const { container, rerender } = render(element(fields));
  container.querySelector('details')!.open = true;
  return (more: Partial<IServiceCode>) => rerender(element(more));
}

/** What JupyterLab has, with its own language of Python. */
function realLanguages(): Languages {
  const languages = new EditorLanguageRegistry();
  EditorLanguageRegistry.getDefaultLanguages()
    .filter(({ name }) => name.toLowerCase() === 'python')
    .forEach(language => languages.addLanguage(language));
  return languages;
}

const region = () => screen.getByRole('region', { name: 'Service code' });

describe('ServiceCodeView', () => {
  it("shows the notebook's own function, what it needs and where it is from", async () => {
    show({ captured: ['model', 'scale'], cells: [3, 7] });
    expect(screen.getByText(/own function answers/)).toBeVisible();
    expect(screen.getByText('predict(rows)')).toBeVisible();
    expect(screen.getByText('model, scale')).toBeVisible();
    expect(region().textContent).toBe(SERVICE_CODE.source);
    await userEvent.click(screen.getByRole('button', { name: 'cell 7' }));
    expect(onCell).toHaveBeenLastCalledWith(7);
  });

  it('says that a candidate is not proven yet', () => {
    show({ kind: 'candidate', model: 'forest' });
    expect(
      screen.getByText(
        /A candidate.*forest.*the run proves this one or another/
      )
    ).toBeVisible();
    expect(region()).toHaveTextContent('def predict(rows)');
  });

  it('has no code where the model answers itself', () => {
    show({
      kind: 'estimator',
      function: '',
      call: '',
      source: '',
      captured: ['forest'],
      cells: [],
      model: 'forest'
    });
    expect(screen.getByText(/The model answers itself/)).toBeVisible();
    expect(screen.getAllByText('forest')).toHaveLength(2);
    expect(screen.queryByRole('region')).toBeNull();
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('says so where nothing answers', () => {
    show({ kind: 'none', source: '', captured: [], cells: [] });
    expect(screen.getByText(/Nothing answers/)).toBeVisible();
    expect(screen.queryByText('Captured')).toBeNull();
  });

  it('is read and copied by keyboard', async () => {
    const copy = jest.spyOn(Clipboard, 'copyToSystem').mockReturnValue();
    show();
    screen.getByRole('button', { name: 'Copy the Service Code' }).focus();
    await userEvent.keyboard('{Enter}');
    expect(copy).toHaveBeenCalledWith(SERVICE_CODE.source);
    await userEvent.tab();
    expect(region()).toHaveFocus();
  });

  it('is coloured as in an editor, to the same text', async () => {
    show({}, realLanguages());
    expect(await within(region()).findByText('def')).toHaveAttribute('class');
    expect(region().textContent).toBe(SERVICE_CODE.source);
  });

  it('never shows the colours of what was there before', async () => {
    const asked: { el: HTMLElement; finish: () => void }[] = [];
    const change = show(
      {},
      {
        findBest: () => null,
        highlight: (source: string, _: unknown, el: HTMLElement) =>
          new Promise<void>(resolve => {
            const finish = () => {
              el.textContent = source;
              resolve();
            };
            asked.push({ el, finish });
          })
      }
    );
    change({ source: 'new = 1\n' });
    expect(region().textContent).toBe('new = 1\n');
    await act(async () => asked[0].finish());
    expect(region().textContent).toBe('new = 1\n');
    await act(async () => asked[1].finish());
    expect(region().textContent).toBe('new = 1\n');
    expect(region().querySelector('code')!.childNodes).toHaveLength(1);
  });

  it('stays plain where the colours cannot be had', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation();
    show({}, { findBest: () => null, highlight: () => Promise.reject('gone') });
    await act(async () => undefined);
    expect(region().textContent).toBe(SERVICE_CODE.source);
    expect(warn).toHaveBeenCalled();
    warn.mockRestore();
  });
});
