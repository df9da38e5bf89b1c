import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import * as React from 'react';
import { ApiError, problemOf } from '../../errors';
import { PUBLICATION, aModel, settled } from '../../testing/fakes';
import { CatalogView } from './view';

async function show(api = aModel().api) {
  const parts = aModel(api);
  const { model } = parts;
  await model.catalog.list();
  const view = render(<CatalogView model={model} />);
  model.stateChanged.connect(() => {
    view.rerender(<CatalogView model={model} />);
  });
  return parts;
}

describe('CatalogView', () => {
  it('lists publications, and leads to Serve and Run', async () => {
    const { api } = aModel();
    const catalog = { registry: 'r.test/lab', publications: [PUBLICATION] };
    api.listPublications.mockResolvedValue(catalog);
    const { model } = await show(api);
    const list = screen.getByRole('list', { name: 'Publications' });
    const [item] = within(list).getAllByRole('listitem');
    expect(item).toHaveTextContent('iris, version 2');
    expect(item).toHaveTextContent('100 MB');
    expect(item).not.toHaveTextContent('1970');
    await userEvent.click(
      within(item).getByRole('button', { name: /^Run with/ })
    );
    expect(model.runForm).toMatchObject({
      source: { reference: PUBLICATION.reference },
      parameters: PUBLICATION.parameters
    });
    await userEvent.click(within(item).getByRole('button', { name: 'Serve' }));
    expect(api.startJob).toHaveBeenCalledWith('serve', {
      reference: PUBLICATION.reference,
      with: 'process'
    });
  });

  it('lists another registry', async () => {
    const { api } = await show();
    const field = screen.getByLabelText('Registry');
    expect(field).toHaveValue('registry.test/lab');
    await userEvent.clear(field);
    await userEvent.type(field, 'other.test/x{Enter}');
    expect(api.listPublications).toHaveBeenLastCalledWith('other.test/x', '');
  });

  it('says which tags point to it and who made it', async () => {
    const { api } = aModel();
    const catalog = { registry: 'r.test/lab', publications: [PUBLICATION] };
    api.listPublications.mockResolvedValue(catalog);
    await show(api);
    const item = screen.getByRole('listitem');
    expect(item).toHaveTextContent('champion, v2');
    expect(item).toHaveTextContent('Ada Lovelace');
  });

  it('searches the registry that is listed, and keeps the words', async () => {
    const { api, model } = await show();
    await userEvent.type(screen.getByLabelText('Search'), ' iris petals ');
    await userEvent.click(
      screen.getByRole('button', { name: 'Search the Registry' })
    );
    expect(api.listPublications).toHaveBeenLastCalledWith(
      'registry.test/lab',
      'iris petals'
    );
    expect(
      screen.getByText('No publication here has these words.')
    ).toBeVisible();
    await userEvent.type(screen.getByLabelText('Registry'), '/x{Enter}');
    expect(api.listPublications).toHaveBeenLastCalledWith(
      'registry.test/lab/x',
      'iris petals'
    );
    await React.act(async () => {
      await model.catalog.list();
    });
    expect(screen.getByLabelText('Search')).toHaveValue('iris petals');
    await userEvent.clear(screen.getByLabelText('Search'));
    await userEvent.type(screen.getByLabelText('Search'), '{Enter}');
    expect(api.listPublications).toHaveBeenLastCalledWith(
      'registry.test/lab',
      ''
    );
    expect(screen.getByText('Nothing is published here yet.')).toBeVisible();
  });

  it('says why a registry cannot be listed', async () => {
    const { api, model } = await show();
    const problem = problemOf('The registry asks for a login.', 'Log in.');
    api.listPublications.mockRejectedValue(new ApiError(502, [problem]));
    await React.act(async () => {
      await model.catalog.list('private.test');
      await settled();
    });
    expect(screen.getByText('The registry asks for a login.')).toBeVisible();
    expect(screen.getByLabelText('Registry')).toHaveValue('private.test');
  });
});
