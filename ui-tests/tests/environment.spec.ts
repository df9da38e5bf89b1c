import * as path from 'path';
import { expect, test } from '@jupyterlab/galata';
import { FakeServer } from '../helpers/FakeServer';
import { ENVIRONMENT } from '../helpers/environments';
import { panelOfExample } from '../helpers/example';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'environment');
const LOCK_TIMEOUT = 2 * 60 * 1000;

test('locks the environment, and again with edits', async ({
  page,
  tmpPath
}) => {
  test.setTimeout(3 * LOCK_TIMEOUT);
  const asked: string[] = [];
  page.on('request', request => {
    if (request.url().includes('/jupyter-mlops/environment')) {
      asked.push(request.method());
    }
  });
  const panel = await panelOfExample(page, tmpPath);
  await panel.toggle('Publish');
  await panel.toggle('Notebook');
  expect(asked).toEqual([]);

  await panel.toggle('Environment');
  const section = panel.section('environment');
  const status = section.getByRole('status').first();
  await expect(status).toContainText(/\d+ packages, [\d.]+ MB, for Python/, {
    timeout: LOCK_TIMEOUT
  });
  expect(asked).toEqual(['GET']);
  const items = panel.packages.filter({ hasText: /scikit-learn/ });
  await expect(items).toContainText(/scikit-learn\s+\d+\.\d+/);
  await expect(items).toContainText('cell 2 imports sklearn');
  await expect(items).toContainText('MB');

  await section.getByLabel('Add a package').fill('six');
  await page.keyboard.press('Enter');
  await expect(section.getByLabel('Add a package')).toBeFocused();
  await section.getByText('matplotlib', { exact: true }).click();
  await section.getByLabel('Version or bounds').fill('<3.10');
  await page.keyboard.press('Enter');
  await expect(status).toContainText('press Lock');
  await page.screenshot({ path: `${SCREENSHOTS}/edited.png` });
  await section.getByRole('button', { name: 'Lock', exact: true }).click();
  const six = panel.packages.filter({ hasText: /^six/ });
  await expect(six).toContainText(/six\s+1\.\d+/, { timeout: LOCK_TIMEOUT });
  await expect(six).toContainText('added by you as six');
  const matplotlib = panel.packages.filter({ hasText: /^matplotlib/ });
  await expect(matplotlib).toContainText(/matplotlib\s+3\.\d\.\d/);
  await expect(status).not.toContainText('press Lock');
  expect(asked).toEqual(['GET', 'POST']);
  await page.sidebar.setWidth(330);
  await status.scrollIntoViewIfNeeded();
  await page.screenshot({
    path: `${SCREENSHOTS}/locked.png`,
    clip: { x: 0, y: 28, width: 860, height: 846 }
  });

  await section.getByRole('button', { name: 'Undo: Add six' }).click();
  await expect(six).toHaveCount(0);
  await section.getByRole('button', { name: /^Undo: Set matplotlib/ }).click();
  await expect(
    section.getByRole('button', { name: 'Lock', exact: true })
  ).toBeFocused();
});

for (const theme of ['Light', 'Dark']) {
  test(`asks, and tells what is lacking, ${theme}`, async ({
    page,
    tmpPath
  }) => {
    const server = await FakeServer.start(page);
    server.environment = ENVIRONMENT;
    await page.goto();
    if (theme === 'Dark') {
      await page.theme.setDarkTheme();
    }
    const panel = await panelOfExample(page, tmpPath);
    await panel.toggle('Publish');
    await panel.toggle('Notebook');
    await panel.toggle('Environment');
    const section = panel.section('environment');
    await expect(section.getByRole('alert')).toContainText('locked together');
    await section.getByLabel('opencv-python-headless').check();
    await section.getByLabel(/^Remember it in the notebook/).check();
    await expect(
      section.getByText(/has unsaved changes: this is of the saved file/)
    ).toBeVisible();
    await section.getByLabel('Add them to the image').check();
    await section.getByText('scikit-image', { exact: true }).click();
    await section.getByRole('button', { name: /^Remove/ }).click();
    for (const width of [250, 300, 560]) {
      await page.sidebar.setWidth(width);
      for (const [name, place] of [
        ['top', section.getByRole('status').first()],
        ['middle', section.getByRole('button', { name: /^Put back/ })],
        ['end', section.getByLabel('Add them to the image')]
      ] as const) {
        await place.scrollIntoViewIfNeeded();
        await page.screenshot({
          path: `${SCREENSHOTS}/${theme}-${width}-${name}.png`
        });
      }
      const overflow = await section.evaluate(
        node => node.scrollWidth - node.clientWidth
      );
      expect(overflow).toBe(0);
    }
    await panel.toggle('Publish');
    await expect(panel.section('publish')).toContainText('With 3 edits');
    await panel.publishButton.click();
    await page
      .getByRole('dialog', { name: 'Unsaved changes' })
      .getByRole('button', { name: 'Publish the Saved Version' })
      .click();
    await expect.poll(() => server.requests.length).toBe(1);
    expect(server.requests[0].request).toMatchObject({
      environment: { removals: ['scikit-image'] },
      answers: { cv2: 'opencv-python-headless' },
      system_packages: 'auto'
    });
  });
}
