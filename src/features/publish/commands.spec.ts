import {
  acceptDialog,
  dismissDialog,
  waitForDialog
} from '@jupyterlab/testing';
import { CommandRegistry } from '@lumino/commands';
import { CommandIDs } from '../../commands';
import { FakeNotebook, aModel, settled, trans } from '../../testing/fakes';
import { addCommands } from './commands';

async function setUp() {
  const parts = aModel();
  const commands = new CommandRegistry();
  const show = jest.fn();
  const preferences = { openPanel: true };
  addCommands(commands, { model: parts.model, show }, preferences, trans);
  const document = new FakeNotebook('work/iris.ipynb');
  const publish = (args = {}) =>
    commands.execute(CommandIDs.publishNotebook, args);
  return { ...parts, commands, document, publish, preferences, show };
}

async function pressInDialog(label: string): Promise<void> {
  await waitForDialog();
  const buttons = [...document.querySelectorAll('.jp-Dialog button')];
  const button = buttons.find(({ textContent }) => textContent === label);
  (button as HTMLElement).click();
  await settled();
}

describe('mlops:publish-notebook', () => {
  it('is for an open notebook that is not being published', async () => {
    const { commands, document, publish, tracker } = await setUp();
    const isEnabled = () => commands.isEnabled(CommandIDs.publishNotebook);
    expect(isEnabled()).toBe(false);
    tracker.show(document);
    await settled();
    expect(isEnabled()).toBe(true);
    await publish();
    expect(isEnabled()).toBe(false);
  });

  it('publishes a saved notebook without a question', async () => {
    const { api, document, publish, show, tracker } = await setUp();
    tracker.show(document);
    await settled();
    const job = await publish({ target: 'r.test/lab/iris' });
    expect(api.startJob).toHaveBeenCalledWith('publish', {
      path: 'work/iris.ipynb',
      target: 'r.test/lab/iris'
    });
    expect(job).toMatchObject({ kind: 'publish' });
    expect(show).toHaveBeenCalled();
    expect(document.context.save).not.toHaveBeenCalled();
  });

  it('leaves the panel where it is when the settings say so', async () => {
    const { document, preferences, publish, show, tracker } = await setUp();
    tracker.show(document);
    await settled();
    preferences.openPanel = false;
    await publish();
    expect(show).not.toHaveBeenCalled();
  });

  describe('with unsaved changes', () => {
    async function begin() {
      const parts = await setUp();
      parts.document.context.model.dirty = true;
      parts.tracker.show(parts.document);
      await settled();
      return { ...parts, published: parts.publish() };
    }

    it('saves and publishes when told so', async () => {
      const { api, document, published } = await begin();
      await acceptDialog();
      await published;
      expect(document.context.save).toHaveBeenCalledTimes(1);
      expect(api.startJob).toHaveBeenCalledTimes(1);
    });

    it('publishes the saved file when told so, and saves nothing', async () => {
      const { api, document, published } = await begin();
      await pressInDialog('Publish the Saved Version');
      await published;
      expect(document.context.save).not.toHaveBeenCalled();
      expect(api.startJob).toHaveBeenCalledTimes(1);
    });

    it('does nothing when dismissed', async () => {
      const { api, document, published } = await begin();
      await dismissDialog();
      await expect(published).resolves.toBeNull();
      expect(document.context.save).not.toHaveBeenCalled();
      expect(api.startJob).not.toHaveBeenCalled();
    });

    it('does not publish when the save failed', async () => {
      const { api, document, published } = await begin();
      document.context.save.mockResolvedValue(undefined);
      await acceptDialog();
      await expect(published).resolves.toBeNull();
      expect(api.startJob).not.toHaveBeenCalled();
    });
  });
});

describe('the other commands', () => {
  it('run, serve, cancel and stop what they are given', async () => {
    const { api, commands } = await setUp();
    const reference = 'r.test/lab/iris:v1';
    const parameters = { trees: 7 };
    await commands.execute(CommandIDs.servePublication, { reference });
    await commands.execute(CommandIDs.runPublication, {
      reference,
      parameters
    });
    await commands.execute(CommandIDs.cancelJob, { id: 'job-9' });
    await commands.execute(CommandIDs.stopService, { id: 'service-9' });
    expect(api.startJob.mock.calls).toEqual([
      ['serve', { reference, with: 'process' }],
      ['run', { reference, parameters }]
    ]);
    expect(api.deleteJob).toHaveBeenCalledWith('job-9');
    expect(api.stopService).toHaveBeenCalledWith('service-9');
  });

  it.each(Object.values(CommandIDs).filter(id => id !== CommandIDs.openPanel))(
    '%s describes its arguments',
    async id => {
      const { commands } = await setUp();
      const { args } = await commands.describedBy(id);
      expect(args).toMatchObject({ type: 'object' });
      expect(commands.label(id)).not.toBe('');
      expect(commands.caption(id)).not.toBe('');
    }
  );
});
