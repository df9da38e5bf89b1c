import * as path from 'path';
import { expect, test } from '@jupyterlab/galata';
import { panelOfExample } from '../helpers/example';

/** Where to publish to; without one, to the server's embedded registry. */
const TARGET = process.env.MLOPS_TEST_TARGET ?? '';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'publish');
const PUBLISH_TIMEOUT = 5 * 60 * 1000;

/** One flower of the first kind, and one of the third. */
const FLOWERS = {
  dataframe_split: {
    columns: [
      'sepal length (cm)',
      'sepal width (cm)',
      'petal length (cm)',
      'petal width (cm)'
    ],
    data: [
      [5.1, 3.5, 1.4, 0.2],
      [6.7, 3.0, 5.2, 2.3]
    ]
  }
};

test('publishes a notebook, serves it, and runs it again', async ({
  page,
  request,
  tmpPath
}) => {
  test.setTimeout(PUBLISH_TIMEOUT + 5 * 60 * 1000);
  const panel = await panelOfExample(page, tmpPath);
  await expect(panel.section('notebook')).toContainText('n_trees');
  await expect(panel.section('notebook')).toContainText('scikit-learn');
  await page.notebook.save();

  if (TARGET) {
    await panel.target.fill(TARGET);
  }
  await expect(panel.target).not.toHaveValue('');
  await panel.publishButton.click();
  await expect(panel.publishButton).toBeDisabled();
  await expect(panel.stage('run')).toHaveAttribute('data-state', 'started', {
    timeout: PUBLISH_TIMEOUT
  });
  await page.screenshot({ path: `${SCREENSHOTS}/progress.png` });

  await expect(panel.resultCard).toBeVisible({ timeout: PUBLISH_TIMEOUT });
  await expect(panel.resultCard).toContainText('Verified');
  await expect(panel.resultCard).toContainText('accuracy');
  const reference = await panel.reference();
  if (TARGET) {
    expect(reference).toContain(TARGET);
  }
  await page.screenshot({ path: `${SCREENSHOTS}/result.png` });

  await panel.resultCard.getByRole('button', { name: 'Serve' }).click();
  // What is served is this version, whatever the tag points to tomorrow.
  const versioned = reference.replace(/:[^:/]+$/, ':v1');
  const service = panel.serviceCards.filter({ hasText: versioned });
  await expect(service).toContainText('ready', { timeout: 120000 });
  const url = (await service.locator('code').first().innerText()).trim();
  const answer = await request.post(`${url}/invocations`, { data: FLOWERS });
  expect(answer.status()).toBe(200);
  expect((await answer.json()).predictions).toEqual([0, 2]);
  await page.screenshot({ path: `${SCREENSHOTS}/service.png` });

  await panel.resultCard
    .getByRole('button', { name: 'Run with New Parameters' })
    .click();
  await panel.runForm.getByLabel('n_trees').fill('many');
  await panel.runForm.getByRole('button', { name: 'Run' }).click();
  await expect(panel.runForm.getByRole('alert')).toHaveText('Give a number.');
  await panel.runForm.getByLabel('n_trees').fill('1');
  await panel.runForm.getByRole('button', { name: 'Run' }).click();
  const run = panel.runs.first();
  await expect(run).toContainText('n_trees=1');
  await expect(run).toHaveAttribute('data-state', 'succeeded', {
    timeout: 180000
  });
  await expect(run).toContainText('log_loss');
  await page.screenshot({ path: `${SCREENSHOTS}/run.png` });

  await service.getByRole('button', { name: 'Stop' }).click();
  await expect(service).toHaveCount(0);
});

test('asks about unsaved changes, and never saves by itself', async ({
  page,
  tmpPath
}) => {
  const panel = await panelOfExample(page, tmpPath);
  await page.notebook.addCell('code', 'a_change = 1');
  const dirty = page.locator('.lm-TabBar-tab.lm-mod-current.jp-mod-dirty');
  await expect(dirty).toBeVisible();

  await panel.publishButton.click();
  const dialog = page.getByRole('dialog', { name: 'Unsaved changes' });
  for (const choice of [
    'Save and Publish',
    'Publish the Saved Version',
    'Cancel'
  ]) {
    await expect(dialog.getByRole('button', { name: choice })).toBeVisible();
  }
  await page.screenshot({ path: `${SCREENSHOTS}/unsaved.png` });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(dirty).toBeVisible();
  await expect(panel.publishButton).toBeEnabled();
  await expect(panel.cancelButton).toHaveCount(0);
});
