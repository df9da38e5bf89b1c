import type { TranslationBundle } from '@jupyterlab/translation';
import { formatBytes } from '../../components/format';
import type {
  IDependency,
  IEnvironmentReport,
  ISystemNeed
} from '../../models';
import type { Edit, TargetOption } from './edits';
import type { EnvironmentModel } from './model';
import type { IPackage } from './packages';
import { sizeOf } from './packages';

/** What is going on, or what the lock came to; read out when it changes. */
export function statusText(
  model: EnvironmentModel,
  trans: TranslationBundle
): string {
  const { report, work, problems } = model;
  if (work === 'system') {
    return trans.__(
      'Installing the packages to see which system libraries they need…'
    );
  }
  if (work) {
    return trans.__('Locking the environment…');
  }
  if (problems.length > 0) {
    return trans.__('The environment could not be read.');
  }
  return report ? reportText(report, trans) : '';
}

function reportText(
  report: IEnvironmentReport,
  trans: TranslationBundle
): string {
  const { locked, python, platform } = report;
  if (!report.sha256) {
    return trans.__('It cannot be locked yet.');
  }
  const { bytes, isWhole } = sizeOf(locked);
  const size = formatBytes(bytes);
  return trans._n(
    '%2 package, %3, for Python %4 on %5.',
    '%2 packages, %3, for Python %4 on %5.',
    locked.length,
    locked.length,
    isWhole ? size : trans.__('at least %1', size),
    python,
    platform
  );
}

/** Why there is something to lock again; empty when there is not. */
export function staleText(
  model: EnvironmentModel,
  trans: TranslationBundle
): string {
  if (model.work) {
    return '';
  }
  if (model.isEdited) {
    return trans.__('Your edits are not locked yet: press Lock.');
  }
  return model.isOlder
    ? trans.__('The notebook was saved since: press Lock.')
    : '';
}

/** Why a package is in the image, in one phrase. */
export function whyText(item: IPackage, trans: TranslationBundle): string {
  if (item.isRemoved) {
    return item.isLocked
      ? trans.__('removed by you; another package may need it')
      : trans.__('removed by you');
  }
  if (item.addition) {
    return trans.__('added by you as %1', item.addition);
  }
  return item.dependency ? reasonText(item.dependency, trans) : '';
}

function reasonText(
  { why, source, modules }: IDependency,
  trans: TranslationBundle
): string {
  if (why) {
    return why;
  }
  switch (source) {
    case 'runtime':
      return trans.__('seen at run time');
    case 'requirements':
      return trans.__('asked for by the notebook');
    case 'user':
      return trans.__('chosen by you');
    default:
      return trans.__('imported as %1', modules.join(', '));
  }
}

/** The version that is shown; what is set but not locked yet says so. */
export function versionText(item: IPackage, trans: TranslationBundle): string {
  return item.version || (item.isLocked ? '' : trans.__('not locked yet'));
}

export function sizeText(
  size: number | null,
  trans: TranslationBundle
): string {
  return size === null ? trans.__('size unknown') : formatBytes(size);
}

/** An edit as a sentence without its end. */
export function editText(edit: Edit, trans: TranslationBundle): string {
  switch (edit.kind) {
    case 'addition':
      return trans.__('Add %1', edit.requirement);
    case 'removal':
      return trans.__('Remove %1', edit.name);
    case 'override':
      return trans.__('Set %1 to %2', edit.name, edit.version);
    case 'answer':
      return trans.__('Take %1 from %2', edit.module, edit.distribution);
    case 'option':
      return trans.__('%1: %2', optionLabel(edit.option, trans), edit.value);
    default:
      return trans.__('Add missing system packages to the image');
  }
}

export function optionLabel(
  option: TargetOption,
  trans: TranslationBundle
): string {
  switch (option) {
    case 'platform':
      return trans.__('Platform');
    case 'python':
      return trans.__('Python');
    case 'exclude_newer':
      return trans.__('Nothing newer than');
    default:
      return trans.__('Variant of PyTorch');
  }
}

/** What is particular about a thing that the base image lacks. */
export function needText(need: ISystemNeed, trans: TranslationBundle): string {
  const notes = [];
  if (!need.sure) {
    notes.push(trans.__('The code may do without it.'));
  }
  if (!need.package) {
    notes.push(trans.__('No package is known: choose a base that has it.'));
  } else if (need.scripts) {
    notes.push(
      trans.__('Its package must run scripts: choose a base that has it.')
    );
  }
  return notes.join(' ');
}
