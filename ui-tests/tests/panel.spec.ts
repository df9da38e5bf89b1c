import * as path from 'path';
import { expect, test } from '@jupyterlab/galata';
import { DIGEST, PUBLISHED, REFERENCE, SERVICE } from '../helpers/answers';
import type { NewEvent } from '../helpers/FakeServer';
import { FakeServer } from '../helpers/FakeServer';
import { MlopsPanel } from '../helpers/MlopsPanel';
import { EXAMPLE, openExample, panelOfExample } from '../helpers/example';

const SCREENSHOTS = path.join(__dirname, '..', 'test-results', 'panel');

const stage = (name: string, state: string, seconds?: number): NewEvent => ({
  type: 'stage',
  name,
  state,
  seconds: seconds ?? null
});

const ended = (name: string, seconds: number): NewEvent[] => [
  stage(name, 'started'),
  stage(name, 'finished', seconds)
];

const UNTIL_RUN: NewEvent[] = [
  { type: 'state', state: 'running' },
  ...ended('read', 0.021),
  ...ended('environment', 0.64),
  { type: 'log', level: 'info', text: '61 packages pinned with their hashes' },
  ...ended('lock', 1.52),
  stage('run', 'started'),
  {
    type: 'progress',
    stage: 'run',
    done: 3,
    total: 8,
    unit: 'cells',
    label: 'fit the forest'
  }
];

const REST: NewEvent[] = [
  stage('run', 'finished', 9.3),
  ...ended('capture', 0.12),
  ...ended('assemble', 0.8),
  { type: 'log', level: 'warning', text: 'one layer was already there' },
  ...ended('build', 1.4),
  ...ended('push', 0.31),
  ...ended('record', 0.2),
  { type: 'result', value: PUBLISHED },
  { type: 'state', state: 'succeeded' }
];

test.use({ autoGoto: false });

for (const theme of ['Light', 'Dark']) {
  test(`shows a publish from its start to its service, ${theme}`, async ({
    page,
    tmpPath
  }) => {
    const server = await FakeServer.start(page);
    await page.goto();
    if (theme === 'Dark') {
      await page.theme.setDarkTheme();
    }
    const panel = new MlopsPanel(page);
    const shot = (name: string) =>
      page.screenshot({ path: `${SCREENSHOTS}/${theme}-${name}.png` });
    await panel.open();
    await expect(panel.root.getByText('No notebook')).toBeVisible();
    await shot('0-empty');

    await openExample(page, tmpPath);
    await panel.open();
    await panel.waitForAnalysis();
    await expect(panel.target).toHaveValue('127.0.0.1:5000/lab/iris');
    await shot('1-notebook');

    await panel.publishButton.click();
    await expect(panel.publishButton).toBeDisabled();
    const [job] = server.jobs;
    expect(server.requests).toEqual([
      {
        kind: 'publish',
        request: {
          path: `${tmpPath}/${EXAMPLE}`,
          target: '127.0.0.1:5000/lab/iris'
        }
      }
    ]);
    server.say(job, ...UNTIL_RUN);
    await expect(panel.stage('lock')).toContainText('1.5 s');
    await expect(panel.stage('run')).toContainText('Cell 3 of 8');
    await expect(panel.stage('push')).toHaveAttribute('data-state', 'waiting');
    await shot('2-progress');

    server.say(job, ...REST);
    await expect(panel.resultCard).toContainText('version 3');
    await expect(panel.resultCard).toContainText('Verified');
    await expect(panel.resultCard).toContainText('48.2 kB');
    await expect(panel.resultCard).toContainText('0.97368');
    expect(await panel.reference()).toBe(REFERENCE);
    await expect(panel.publishButton).toBeEnabled();
    await shot('3-result');

    await panel.resultCard.getByRole('button', { name: 'Serve' }).click();
    await expect.poll(() => server.jobs.length).toBe(2);
    server.services = [SERVICE];
    server.say(
      server.jobs[0],
      { type: 'state', state: 'running' },
      { type: 'result', value: { ...SERVICE } },
      { type: 'state', state: 'succeeded' }
    );
    await expect(panel.serviceCards).toContainText(SERVICE.url);
    await shot('4-service');

    await panel.toggle('Services');
    await panel.resultCard
      .getByRole('button', { name: 'Run with New Parameters' })
      .click();
    await panel.runForm.getByLabel('trees').fill('-3');
    await panel.runForm.getByRole('button', { name: 'Run' }).click();
    await expect(panel.runForm).toContainText('Give 1 or more.');
    await panel.runForm.getByLabel('trees').fill('7');
    server.refusal = {
      status: 422,
      body: {
        problems: [
          {
            problem: 'test_size: 2.5 is more than the maximum, 1.',
            why: '',
            remedy: '',
            where: ''
          }
        ]
      }
    };
    await panel.runForm.getByRole('button', { name: 'Run' }).click();
    await expect(panel.runForm.getByRole('alert')).toHaveText(
      '2.5 is more than the maximum, 1.'
    );
    await shot('5-form');
    await panel.runForm.getByRole('button', { name: 'Run' }).click();
    await expect(panel.runs).toHaveCount(1);
    server.say(
      server.jobs[0],
      { type: 'state', state: 'running' },
      ...ended('run', 4.2),
      {
        type: 'result',
        value: {
          id: 'run-1',
          state: 'succeeded',
          parameters: { trees: 7 },
          metrics: { accuracy: 0.947 },
          output: 'runs/run-1.ipynb'
        }
      },
      { type: 'state', state: 'succeeded' }
    );
    await expect(panel.runs).toContainText('0.947');
    expect(server.requests.at(-1)).toEqual({
      kind: 'run',
      request: { reference: REFERENCE, parameters: { trees: 7 } }
    });
    await shot('6-run');

    await panel.toggle('Publish');
    await panel.toggle('Notebook');
    await panel.toggle('Runs');
    await panel.toggle('Catalog');
    await expect(panel.publications).toHaveCount(2);
    await panel.publications.first().locator('summary').click();
    await expect(panel.publications.first()).toContainText(DIGEST.slice(0, 19));
    await shot('7-catalog');
  });
}

test('shows the job again after the page is loaded again', async ({
  page,
  tmpPath
}) => {
  const server = await FakeServer.start(page);
  await page.goto();
  const saved = page.waitForResponse(
    response =>
      response.url().includes('/api/workspaces/') &&
      Boolean(response.request().postData()?.includes(EXAMPLE))
  );
  const panel = await panelOfExample(page, tmpPath);
  await panel.publishButton.click();
  await expect(panel.publishButton).toBeDisabled();
  server.say(server.jobs[0], ...UNTIL_RUN);

  await saved;
  // The notebook is restored, so the launcher never comes to the front.
  const restored = { timeout: 30000, waitForIsReady: false };
  await page.reload(restored);
  await panel.open();
  await expect(panel.stage('run')).toContainText('Cell 3 of 8');
  await expect(panel.publishButton).toBeDisabled();
  server.say(server.jobs[0], ...REST);
  await expect(panel.resultCard).toContainText('version 3');
});

test('says what is wrong, and what to do next', async ({ page, tmpPath }) => {
  const server = await FakeServer.start(page);
  await page.goto();
  const panel = await panelOfExample(page, tmpPath);
  await panel.publishButton.click();
  await expect(panel.publishButton).toBeDisabled();
  server.say(
    server.jobs[0],
    ...UNTIL_RUN,
    stage('run', 'failed', 2.2),
    {
      type: 'problem',
      problem: 'ZeroDivisionError: division by zero',
      why: 'The cell raised this error when it was run from the pins.',
      remedy: 'Correct the cell, then publish again.',
      where: 'Code cell 4'
    },
    { type: 'state', state: 'failed' }
  );
  await expect(panel.problems).toContainText('Code cell 4');
  await expect(panel.problems).toContainText('Correct the cell');
  await expect(panel.stage('run')).toHaveAttribute('data-state', 'failed');
  await expect(panel.publishButton).toBeEnabled();
  await page.screenshot({ path: `${SCREENSHOTS}/failed.png` });
});

test('shows the job that is in the way', async ({ page, tmpPath }) => {
  const server = await FakeServer.start(page);
  await page.goto();
  const panel = await panelOfExample(page, tmpPath);
  const job = {
    id: 'job-of-another',
    kind: 'publish' as const,
    title: 'Publish iris_classifier.ipynb',
    state: 'queued' as const,
    request: { path: `${tmpPath}/${EXAMPLE}` },
    created: '2026-01-05T09:00:00Z',
    started: null,
    ended: null,
    result: null,
    problems: []
  };
  server.keep(job, ...UNTIL_RUN);
  server.refusal = {
    status: 409,
    body: {
      problems: [
        {
          problem: 'This work is already under way.',
          why: '',
          remedy: 'Follow that job.',
          where: ''
        }
      ],
      job
    }
  };
  await panel.publishButton.click();
  await expect(panel.problems).toContainText('already under way');
  await expect(panel.stage('run')).toContainText('Cell 3 of 8');
  await expect(panel.publishButton).toBeDisabled();
});
