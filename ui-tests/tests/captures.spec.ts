import * as path from 'path';
import { expect, test } from '@jupyterlab/galata';
import { FakeServer } from '../helpers/FakeServer';
import { EXAMPLE, panelOfExample } from '../helpers/example';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'captures');

test.use({ autoGoto: false });

test('picks what is captured, by keyboard alone', async ({ page, tmpPath }) => {
  const server = await FakeServer.start(page);
  const fields = { size: null, shape: null, declared: false, reason: '' };
  server.captures = {
    live: true,
    note: '',
    names: [
      { ...fields, name: 'weights', type: 'numpy.ndarray', shape: [30, 2], size: 480, format: 'npy', cell: 4, needed: true }, // prettier-ignore
      { ...fields, name: 'table', type: 'pandas.DataFrame', shape: [150, 5], size: 6132, format: 'frame', cell: 2, needed: false }, // prettier-ignore
      { ...fields, name: 'lock', type: '_thread.lock', format: '', cell: 2, needed: false, reason: 'There is no safe format for a _thread.lock.' } // prettier-ignore
    ]
  };
  await page.goto();
  const panel = await panelOfExample(page, tmpPath);
  const fold = panel.root.locator('.jp-Mlops-captures');
  await fold.locator('summary').focus();
  await page.keyboard.press('Enter');
  const list = panel.root.getByRole('list', { name: 'Names to capture' });
  await expect(list.getByRole('listitem')).toHaveCount(3);
  await expect(list.getByLabel('weights')).toBeChecked();
  await expect(list).toContainText('no safe format for a _thread.lock');

  await list.getByLabel('table').focus();
  await page.keyboard.press('Space');
  await expect(list.getByLabel('table')).toBeChecked();
  await list.getByLabel('lock').focus();
  await page.keyboard.press('Space');
  await expect(list.getByLabel('lock')).not.toBeChecked();
  await page.screenshot({ path: `${SCREENSHOTS}/picked.png` });

  await panel.saveAndPublish();
  await expect
    .poll(() => server.requests.map(({ request }) => request.captures))
    .toEqual([['table']]);
  expect(server.requests[0].request.path).toBe(`${tmpPath}/${EXAMPLE}`);
});
