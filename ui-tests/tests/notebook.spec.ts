import { readFileSync } from 'fs';
import * as path from 'path';
import { expect, test } from '@playwright/test';
import { EXAMPLE, SOURCE } from '../helpers/example';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'panel');

/** Notebook 7 is another application on the same server, with the same extension. */
test('works in Notebook 7: toolbar, View menu, panel', async ({
  page,
  request
}) => {
  const content: unknown = JSON.parse(readFileSync(SOURCE, 'utf8'));
  const file = `notebook-7-${EXAMPLE}`;
  await request.put(`/api/contents/${file}`, {
    data: { type: 'notebook', format: 'json', content }
  });

  await page.goto(`/notebooks/${file}`);
  await expect(page.locator('.jp-Notebook .jp-Cell').first()).toBeVisible();
  await expect(
    page.locator('[data-jp-item-name="mlops-publish"]')
  ).toBeVisible();

  // Galata's helpers are for JupyterLab, which this is not.
  /* eslint-disable jupyter/galata-prefer-menu-helper */
  await page.getByRole('menuitem', { name: 'View', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Show MLOps Panel' }).click();
  /* eslint-enable jupyter/galata-prefer-menu-helper */
  const panel = page.getByRole('region', { name: 'MLOps', exact: true });
  await expect(panel.getByLabel('Target')).toHaveValue(/iris/);
  await expect(panel.getByText('n_trees').first()).toBeVisible();
  await page.screenshot({ path: `${SCREENSHOTS}/notebook-7.png` });
  await request.delete(`/api/contents/${file}`);
});
