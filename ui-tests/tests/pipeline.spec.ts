import * as path from 'path';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, test } from '@jupyterlab/galata';
import { FakeServer } from '../helpers/FakeServer';
import { MlopsPanel } from '../helpers/MlopsPanel';
import { FOREST, STUDY } from '../helpers/pipelines';
import { openExample, panelOfExample } from '../helpers/example';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'pipeline');

/** The cell that is selected in the notebook, as its text. */
const selected = (page: IJupyterLabPageFixture) =>
  page.locator('.jp-Notebook .jp-Cell.jp-mod-active');

test('draws the steps, goes to their cells and follows typing', async ({
  page,
  tmpPath
}) => {
  const panel = await panelOfExample(page, tmpPath);
  await panel.toggle('Publish');
  await expect(panel.steps).toHaveCount(3);
  await expect(panel.steps.first()).toHaveAccessibleName('Data cells 1–3');
  await expect(panel.steps.nth(1)).toHaveAccessibleDescription(
    /After Data \(.*X_train.*\)/
  );
  await expect(panel.lines).toHaveCount(3);
  await page.screenshot({ path: `${SCREENSHOTS}/example.png` });

  await panel.steps.first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(panel.steps.nth(1)).toBeFocused();
  await expect(panel.steps.first()).toHaveAttribute('data-role', 'upstream');
  await page.screenshot({ path: `${SCREENSHOTS}/example-focus.png` });
  await page.screenshot({
    path: `${SCREENSHOTS}/steps.png`,
    clip: { x: 0, y: 28, width: 860, height: 692 }
  });
  await page.keyboard.press('Enter');
  await expect(selected(page)).toContainText('RandomForestClassifier(');
  await expect(selected(page)).toBeInViewport();
  await expect(page.locator('.jp-Notebook')).toContainText('Iris classifier');
  await page.screenshot({ path: `${SCREENSHOTS}/example-jump.png` });

  // Enter, now in the notebook, begins to edit the cell that was jumped to.
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\nhalf = (model');
  await expect(panel.section('notebook')).toContainText(
    'Cell 4 is not valid Python yet'
  );
  await expect(panel.steps).toHaveCount(3);
  await page.keyboard.type(')');
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('# step: grow the forest\n');
  await expect(panel.steps.nth(1)).toHaveAccessibleName(/^grow the forest/);
  await expect(panel.section('notebook')).not.toContainText('not valid Python');
  await expect(
    panel.section('publish').getByText('unsaved changes')
  ).toHaveCount(1);
  await page.screenshot({ path: `${SCREENSHOTS}/example-typed.png` });
});

for (const theme of ['Light', 'Dark']) {
  test(`draws pipelines of any shape, ${theme}`, async ({ page, tmpPath }) => {
    const server = await FakeServer.start(page);
    await page.goto();
    if (theme === 'Dark') {
      await page.theme.setDarkTheme();
    }
    const panel = new MlopsPanel(page);
    for (const [name, analysis] of Object.entries({ FOREST, STUDY })) {
      server.analysis = analysis;
      await openExample(page, tmpPath);
      await panel.open();
      const section = panel.section('notebook');
      if (name === 'FOREST') {
        await panel.toggle('Publish');
      } else {
        await panel.root
          .getByRole('button', { name: 'Read the Notebook Again' })
          .click();
      }
      await expect(panel.steps).toHaveCount(analysis.steps.length);
      for (const width of [300, 560]) {
        await page.sidebar.setWidth(width);
        await page.mouse.move(900, 500);
        await page.screenshot({
          path: `${SCREENSHOTS}/${theme}-${name}-${width}.png`
        });
      }
      await page.sidebar.setWidth(300);
      await panel.steps.nth(2).focus();
      await page.screenshot({
        path: `${SCREENSHOTS}/${theme}-${name}-focus.png`
      });
      await section.getByRole('button', { name: 'seed', exact: true }).hover();
      await page.screenshot({
        path: `${SCREENSHOTS}/${theme}-${name}-reach.png`
      });
    }
  });
}
