import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Ask what to do about unsaved changes; nothing is saved unasked.
 *
 * @returns whether to go on, with the file as it is now.
 */
export async function settleChanges(
  panel: NotebookPanel,
  trans: TranslationBundle
): Promise<boolean> {
  const { context } = panel;
  if (!context.model.dirty) {
    return true;
  }
  const saveButton = Dialog.okButton({ label: trans.__('Save and Publish') });
  const goOnButton = Dialog.createButton({
    label: trans.__('Publish the Saved Version'),
    className: 'jp-Mlops-publishSaved',
    accept: false
  });
  const { button } = await showDialog({
    title: trans.__('Unsaved changes'),
    body: trans.__(
      'A publication is made of the saved file, and "%1" has changes that are not saved.',
      panel.title.label
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      goOnButton,
      saveButton
    ],
    defaultButton: 2
  });
  switch (button.label) {
    case saveButton.label:
      await context.save();
      return !context.model.dirty;
    case goOnButton.label:
      return true;
    default:
      return false;
  }
}
