import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { expect } from '@playwright/test';

/** The MLOps side panel, as a user finds it: by roles and names. */
export class MlopsPanel {
  constructor(private readonly _page: IJupyterLabPageFixture) {}

  get root(): Locator {
    return this._page.getByRole('region', { name: 'MLOps', exact: true });
  }

  get target(): Locator {
    return this.root.getByLabel('Target');
  }

  get publishButton(): Locator {
    return this.root.getByRole('button', { name: /^Publish/ });
  }

  get cancelButton(): Locator {
    return this.section('publish').getByRole('button', { name: 'Cancel' });
  }

  get problems(): Locator {
    return this.root.getByRole('alert');
  }

  /** The card of the publication that the last publish made. */
  get resultCard(): Locator {
    return this.root.getByRole('region', { name: /^Published / });
  }

  /** The cards of the services that answer. */
  get serviceCards(): Locator {
    return this.root.getByRole('region', { name: /^Service / });
  }

  get runForm(): Locator {
    return this.root.getByRole('form', { name: /^Run / });
  }

  get runs(): Locator {
    return this.root.getByRole('list', { name: 'Runs' }).locator('> li');
  }

  get publications(): Locator {
    return this.root
      .getByRole('list', { name: 'Publications' })
      .locator('> li');
  }

  /** The steps of the pipeline, in program order. */
  get steps(): Locator {
    return this.section('notebook')
      .getByRole('list', { name: 'Steps' })
      .getByRole('button');
  }

  /** What the notebook needs itself. */
  get packages(): Locator {
    return this.section('environment')
      .getByRole('list', { name: 'Packages', exact: true })
      .locator('> li');
  }

  /** The lines between them. */
  get lines(): Locator {
    return this.section('notebook').locator('[data-link]');
  }

  section(name: string): Locator {
    return this.root.locator(`[data-section="${name}"]`);
  }

  stage(name: string): Locator {
    return this.section('publish').locator(`[data-stage="${name}"]`);
  }

  /** Press the button of the sidebar. */
  async open(): Promise<void> {
    await this._page.sidebar.openTab('jupyter-mlops-panel');
    await expect(this.root).toBeVisible();
  }

  /**
   * Publish; where the notebook has unsaved changes, they are saved. A kernel that
   * has just started makes one: it writes its version into the notebook.
   */
  async saveAndPublish(): Promise<void> {
    await this.publishButton.click();
    const save = this._page.getByRole('button', { name: 'Save and Publish' });
    const begun = this.stage('read').or(this.problems);
    await expect(save.or(begun).first()).toBeVisible();
    if (await save.isVisible()) {
      await save.click();
    }
  }

  /** Wait until the notebook is read; its dependencies are shown then. */
  async waitForAnalysis(): Promise<void> {
    const notebook = this.section('notebook');
    await expect(
      notebook.getByText('Dependencies', { exact: true })
    ).toBeVisible({
      timeout: 60000
    });
  }

  /** Open or close a section by its title. */
  async toggle(title: string): Promise<void> {
    await this.root
      .locator('.jp-AccordionPanel-title', { hasText: title })
      .click();
  }

  async publishTo(target: string): Promise<void> {
    await this.target.fill(target);
    await this.publishButton.click();
  }

  /** Read the reference that the result card offers to copy. */
  async reference(): Promise<string> {
    return (await this.resultCard.locator('code').first().innerText()).trim();
  }
}
