import * as path from 'path';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { MlopsPanel } from './MlopsPanel';

export const EXAMPLE = 'iris_classifier.ipynb';

export const SOURCE = path.join(__dirname, '..', '..', 'examples', EXAMPLE);

/** Bring the example to the front, from a copy of it in the folder of the test. */
export async function openExample(
  page: IJupyterLabPageFixture,
  folder: string
): Promise<void> {
  const file = `${folder}/${EXAMPLE}`;
  if (!(await page.contents.fileExists(file))) {
    await page.contents.uploadFile(SOURCE, file);
  }
  await page.sidebar.openTab('filebrowser');
  await page.notebook.openByPath(file);
}

/** The panel beside the example, once all is found that it needs. */
export async function panelOfExample(
  page: IJupyterLabPageFixture,
  folder: string
): Promise<MlopsPanel> {
  await openExample(page, folder);
  const panel = new MlopsPanel(page);
  await panel.open();
  await panel.waitForAnalysis();
  return panel;
}
