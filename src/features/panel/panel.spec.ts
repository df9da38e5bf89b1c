import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { FakeNotebook, aModel, settled } from '../../testing/fakes';
import { MlopsPanel } from './panel';

/** The panel of an open notebook, in the page. */
async function show() {
  const parts = aModel();
  parts.tracker.show(new FakeNotebook('work/iris.ipynb'));
  const panel = new MlopsPanel({
    model: parts.model,
    translator: nullTranslator,
    onPublish: jest.fn(),
    onCell: jest.fn()
  });
  Widget.attach(panel, document.body);
  await settled();
  return { ...parts, panel };
}

describe('MlopsPanel', () => {
  it('locks the environment only when its section is opened', async () => {
    const { api, panel } = await show();
    expect(api.analyze).toHaveBeenCalled();
    expect(api.describeEnvironment).not.toHaveBeenCalled();
    expect(api.listPublications).not.toHaveBeenCalled();
    panel.expand('environment');
    await settled();
    expect(api.describeEnvironment).toHaveBeenCalledTimes(1);
    panel.dispose();
  });
});
