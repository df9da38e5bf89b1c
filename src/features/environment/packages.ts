import type { IDependency, IEnvironmentReport } from '../../models';
import type { Edits } from './edits';
import { findEdit, normalName, requirementName } from './edits';

/** A distribution with what was found of it and what was edited. */
export interface IPackage {
  name: string;
  /** As it is locked, else as the kernel has it; empty where neither is known. */
  version: string;
  size: number | null;
  isLocked: boolean;
  /** What the notebook's own code says of it, if that needs it. */
  dependency: IDependency | null;
  /** The requirement that was added by hand. */
  addition: string;
  isRemoved: boolean;
  /** The version or the bounds that were set by hand. */
  override: string;
}

/** Sort the packages: what the notebook asks for, and what comes with that. */
export function packagesOf(
  report: IEnvironmentReport,
  edits: Edits
): { own: IPackage[]; others: IPackage[] } {
  const own = new Map<string, IPackage>();
  const make = (name: string, dependency: IDependency | null): IPackage => {
    const locked = report.locked.find(
      item => normalName(item.name) === normalName(name)
    );
    return {
      name,
      version: locked?.version ?? dependency?.version ?? '',
      size: locked?.size ?? null,
      isLocked: locked !== undefined,
      dependency,
      addition: findEdit(edits, 'addition', name)?.requirement ?? '',
      isRemoved: findEdit(edits, 'removal', name) !== undefined,
      override: findEdit(edits, 'override', name)?.version ?? ''
    };
  };
  for (const dependency of report.direct) {
    own.set(normalName(dependency.name), make(dependency.name, dependency));
  }
  for (const edit of edits) {
    const name = edit.kind === 'addition' && requirementName(edit.requirement);
    if (name && !own.has(normalName(name))) {
      own.set(normalName(name), make(name, null));
    }
  }
  const others = report.locked
    .filter(({ name }) => !own.has(normalName(name)))
    .map(({ name }) => make(name, null));
  const byName = (a: IPackage, b: IPackage) =>
    normalName(a.name) < normalName(b.name) ? -1 : 1;
  return { own: [...own.values()].sort(byName), others: others.sort(byName) };
}

/** Sum up the sizes that are known; whether that is all of them. */
export function sizeOf(packages: readonly { size: number | null }[]): {
  bytes: number;
  isWhole: boolean;
} {
  return {
    bytes: packages.reduce((sum, { size }) => sum + (size ?? 0), 0),
    isWhole: packages.every(({ size }) => size !== null)
  };
}
