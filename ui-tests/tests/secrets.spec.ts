import * as path from 'path';
import { expect, test } from '@jupyterlab/galata';
import { MlopsPanel } from '../helpers/MlopsPanel';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'secrets');
const PUBLISH_TIMEOUT = 3 * 60 * 1000;

test('stops at what looks like a secret until a person says it is none', async ({
  page,
  tmpPath
}) => {
  test.setTimeout(PUBLISH_TIMEOUT + 60 * 1000);
  // Put together here: the text itself is in no file of ours.
  const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
  const file = `${tmpPath}/letters.ipynb`;
  const cells = ['x = 1', `label = '${token}'\nprint(len(label))`];
  const kernelspec = { name: 'python3', display_name: 'Python 3' };
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec },
    cells: cells.map((source, index) => ({
      id: `cell-${index}`,
      cell_type: 'code',
      execution_count: null,
      metadata: {},
      outputs: [],
      source
    }))
  };
  await page.contents.uploadContent(JSON.stringify(notebook), 'text', file);
  const panel = new MlopsPanel(page);
  await page.notebook.openByPath(file);
  await panel.open();
  await panel.waitForAnalysis();
  await panel.saveAndPublish();

  await expect(panel.problems).toContainText('looks like a secret', {
    timeout: PUBLISH_TIMEOUT
  });
  await expect(panel.problems).toContainText('GitHub Token (ghp_…)');
  await expect(panel.root).not.toContainText(token);
  const place = panel.problems.getByRole('button', { name: 'cell 2, line 1' });
  await expect(place).toBeVisible();
  await page.screenshot({ path: `${SCREENSHOTS}/stopped.png` });

  await panel.problems
    .getByRole('button', { name: /^It is no secret/ })
    .click();
  const hint = panel.root.getByText('With 1 text that looks like a secret.');
  await expect(hint).toBeVisible();
  await page.screenshot({ path: `${SCREENSHOTS}/allowed.png` });
  await page.notebook.save(); // the kernel has written its version into it
  await panel.publishButton.click();
  await expect(panel.resultCard).toBeVisible({ timeout: PUBLISH_TIMEOUT });
});
