import { existsSync, readFileSync, readdirSync } from 'fs';
import { join } from 'path';
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { RunningSessionManagers } from '@jupyterlab/running';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { CommandIDs } from './commands';
import plugins from './index';
import { IMlops, IMlopsPanel } from './tokens';
import { FakeBus, FakeTracker, contents, settled } from './testing/fakes';

jest.mock('./request', () => ({
  requestAPI: jest.fn(async (endPoint: string) => ({
    [endPoint]: []
  }))
}));

const ROOT = join(__dirname, '..');
const byId = Object.fromEntries(plugins.map(plugin => [plugin.id, plugin]));

function readSchema(name: string) {
  return JSON.parse(readFileSync(join(ROOT, 'schema', name), 'utf8'));
}

/** An application with no more than what the plugins ask for. */
function anApp() {
  const serviceManager = {
    serverSettings: {},
    events: { stream: new FakeBus().stream },
    connectionFailure: new Signal<object, Error>({}),
    contents
  };
  return {
    commands: new CommandRegistry(),
    serviceManager,
    shell: { add: jest.fn(), activateById: jest.fn() }
  };
}

/** Activate every plugin, with only the services that are required. */
function activate(optional: (token: unknown) => unknown = () => null) {
  const app = anApp();
  const known = new Map<unknown, unknown>();
  for (const plugin of plugins as JupyterFrontEndPlugin<unknown>[]) {
    const required = (plugin.requires ?? []).map(
      token => known.get(token) ?? new FakeTracker()
    );
    const others = (plugin.optional ?? []).map(optional);
    const value = plugin.activate(app as never, ...required, ...others);
    if (plugin.provides) {
      known.set(plugin.provides, value);
    }
  }
  return { app, known };
}

describe('the plugins', () => {
  afterEach(() => Notification.dismiss());

  it('have ids of this package, descriptions, and start by themselves', () => {
    for (const plugin of plugins) {
      expect(plugin.id).toMatch(/^jupyter-mlops:[a-z]+$/);
      expect(plugin.description).toBeTruthy();
      expect(plugin.autoStart).toBe(true);
    }
    expect(Object.keys(byId)).toHaveLength(plugins.length);
  });

  it('work without any service of the user interface', async () => {
    const { app, known } = activate();
    await settled();
    expect(app.commands.listCommands().sort()).toEqual(
      Object.values(CommandIDs).sort()
    );
    expect(known.has(IMlops)).toBe(true);
    expect(known.has(IMlopsPanel)).toBe(true);
  });

  it('put the panel where extensions have their place', () => {
    const { app } = activate();
    const [panel, area, { rank }] = app.shell.add.mock.calls[0];
    expect(panel.id).toBe('jupyter-mlops-panel');
    expect(area).toBe('left');
    expect(rank).toBeGreaterThanOrEqual(501);
    expect(rank).toBeLessThanOrEqual(899);
  });

  it('show the panel by a command', async () => {
    const { app } = activate();
    await app.commands.execute(CommandIDs.openPanel);
    expect(app.shell.activateById).toHaveBeenCalledWith('jupyter-mlops-panel');
  });

  it('offer themselves to the services that are there', () => {
    const managers = new RunningSessionManagers();
    const palette = { addItem: jest.fn() };
    const restorer = { add: jest.fn() };
    const offered = [managers, palette, restorer];
    activate(token => {
      const { name } = token as { name: string };
      return (
        offered.find(
          (_, index) =>
            name ===
            [
              '@jupyterlab/running:IRunningSessionManagers',
              '@jupyterlab/apputils:ICommandPalette',
              '@jupyterlab/application:ILayoutRestorer'
            ][index]
        ) ?? null
      );
    });
    expect(managers.items().map(({ name }) => name)).toEqual([
      'MLOps Jobs',
      'MLOps Services'
    ]);
    expect(
      palette.addItem.mock.calls.map(([{ command }]) => command).sort()
    ).toEqual([CommandIDs.openPanel, CommandIDs.publishNotebook]);
    expect(restorer.add).toHaveBeenCalledTimes(1);
  });
});

describe('the schemas', () => {
  const names = readdirSync(join(ROOT, 'schema'));

  it.each(names)('%s belongs to a plugin', name => {
    expect(byId).toHaveProperty([`jupyter-mlops:${name.replace('.json', '')}`]);
  });

  it.each(names)('%s only names commands that exist', name => {
    const text = JSON.stringify(readSchema(name));
    const commands = [...text.matchAll(/"command":"([^"]+)"/g)];
    for (const [, command] of commands) {
      expect(Object.values(CommandIDs)).toContain(command);
    }
  });

  it('put Publish into the notebook toolbar and the File menu', () => {
    const schema = readSchema('publish.json');
    const [item] = schema['jupyter.lab.toolbars'].Notebook;
    expect(item.command).toBe(CommandIDs.publishNotebook);
    const [menu] = schema['jupyter.lab.menus'].main;
    expect(menu.id).toBe('jp-mainmenu-file');
  });

  it('are shipped where package.json says', () => {
    const { jupyterlab } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8')
    );
    expect(existsSync(join(ROOT, jupyterlab.schemaDir))).toBe(true);
  });
});
