import * as path from 'path';
import type { Locator } from '@playwright/test';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, test } from '@jupyterlab/galata';
import { ANALYSIS, SERVICE_CODE } from '../helpers/answers';
import { FakeServer } from '../helpers/FakeServer';
import type { MlopsPanel } from '../helpers/MlopsPanel';
import { panelOfExample } from '../helpers/example';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'service');

const fold = (panel: MlopsPanel) =>
  panel
    .section('notebook')
    .locator('details')
    .filter({ has: panel.root.page().getByText('Service Code') });

const code = (panel: MlopsPanel) =>
  panel.root.getByRole('region', { name: 'Service code' });

/** The panel with the code of the example's service in sight. */
async function unfolded(
  page: IJupyterLabPageFixture,
  folder: string
): Promise<MlopsPanel> {
  const panel = await panelOfExample(page, folder);
  await panel.toggle('Publish');
  await fold(panel).locator('summary').focus();
  await page.keyboard.press('Enter');
  return panel;
}

const colour = (text: Locator) =>
  text.evaluate(node => getComputedStyle(node).color);

test('previews the code of the service while it is typed', async ({
  page,
  tmpPath
}) => {
  const panel = await unfolded(page, tmpPath);
  await expect(fold(panel)).toContainText(
    'The model answers itself: there is no code.'
  );
  await expect(code(panel)).toHaveCount(0);

  // The last cell prepares rows and asks the model about them.
  const last = (await page.notebook.getCellCount()) - 1;
  await page.notebook.setCell(
    last,
    'code',
    'ratio = iris.data.assign(ratio=2)\nX_new = ratio[X_test.columns] * 2\nmodel.predict(X_new)'
  );
  await expect(fold(panel)).toContainText('A candidate');
  await expect(code(panel)).toContainText('return model.predict(');
  await page.screenshot({ path: `${SCREENSHOTS}/candidate.png` });

  // Then it becomes a function that predicts.
  await page.notebook.setCell(
    last,
    'code',
    'def predict(rows):\n    """Typed."""\n    return model.predict(rows)'
  );
  await expect(fold(panel)).toContainText("The notebook's own function");
  await expect(code(panel)).toContainText('"""Typed."""');
  await expect(code(panel)).toContainText(/# cell \d+/);
  await page.screenshot({ path: `${SCREENSHOTS}/function.png` });
});

for (const theme of ['Light', 'Dark']) {
  test(`colours, scrolls and copies it, ${theme}`, async ({
    page,
    tmpPath
  }) => {
    const server = await FakeServer.start(page);
    server.analysis = {
      ...ANALYSIS,
      service_code: {
        ...SERVICE_CODE,
        source: SERVICE_CODE.source + '# and more\n'.repeat(60)
      }
    };
    await page
      .context()
      .grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto();
    if (theme === 'Dark') {
      await page.theme.setDarkTheme();
    }
    const panel = await unfolded(page, tmpPath);
    await expect(fold(panel)).toContainText('model, species');
    const keyword = code(panel).getByText('def', { exact: true });
    await expect(keyword).toBeVisible();
    expect(await colour(keyword)).not.toBe(await colour(code(panel)));

    const copy = fold(panel).getByRole('button', { name: 'Copy' });
    await copy.focus();
    await page.keyboard.press('Enter');
    await expect(
      fold(panel).getByRole('button', { name: 'Copied' })
    ).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
      'def predict(rows):'
    );
    await page.keyboard.press('Tab');
    await expect(code(panel)).toBeFocused();
    await page.keyboard.press('End');
    await page.keyboard.press('PageDown');
    await expect
      .poll(() => code(panel).evaluate(node => node.scrollTop))
      .toBeGreaterThan(0);
    await page.screenshot({ path: `${SCREENSHOTS}/${theme}.png` });
  });
}
