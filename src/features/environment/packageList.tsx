import * as React from 'react';
import { Button } from '../../components/button';
import { Cells } from '../../components/cellLink';
import { Caret, Facts, Fold } from '../../components/facts';
import { formatBytes } from '../../components/format';
import { LineForm } from '../../components/lineForm';
import { useTranslation } from '../../components/translation';
import type { IDependency, IEnvironmentReport } from '../../models';
import type { EnvironmentModel } from './model';
import type { IPackage } from './packages';
import { packagesOf, sizeOf } from './packages';
import { sizeText, versionText, whyText } from './words';

/** What the notebook asks for, and, folded, what comes with that. */
export function PackageLists(props: {
  model: EnvironmentModel;
  report: IEnvironmentReport;
}): JSX.Element {
  const trans = useTranslation();
  const { model, report } = props;
  const { own, others } = packagesOf(report, model.edits);
  const count = others.length;
  return (
    <>
      {own.length > 0 ? (
        <PackageList
          label={trans.__('Packages')}
          packages={own}
          model={model}
        />
      ) : (
        <p className="jp-Mlops-help">
          {trans.__('It imports only the standard library.')}
        </p>
      )}
      {count > 0 && (
        <Fold
          title={trans._n(
            'And %1 more that comes with these',
            'And %1 more that come with these',
            count
          )}
        >
          <p className="jp-Mlops-help">
            {trans.__(
              'Needed by these, or by the image itself: %1 together.',
              formatBytes(sizeOf(others).bytes)
            )}
          </p>
          <PackageList
            label={trans.__('Packages that come with others')}
            packages={others}
            model={model}
          />
        </Fold>
      )}
    </>
  );
}

function PackageList(props: {
  label: string;
  packages: readonly IPackage[];
  model: EnvironmentModel;
}): JSX.Element {
  return (
    <ul className="jp-Mlops-list" aria-label={props.label}>
      {props.packages.map(item => (
        <PackageItem key={item.name} item={item} model={props.model} />
      ))}
    </ul>
  );
}

function PackageItem(props: {
  item: IPackage;
  model: EnvironmentModel;
}): JSX.Element {
  const trans = useTranslation();
  const [isOpen, setOpen] = React.useState(false);
  const { item, model } = props;
  const why = whyText(item, trans);
  return (
    <li
      className="jp-Mlops-item jp-Mlops-package"
      data-removed={item.isRemoved}
    >
      <details onToggle={event => setOpen(event.currentTarget.open)}>
        <summary>
          <Caret />
          <span className="jp-Mlops-itemText">
            <span className="jp-Mlops-packageTitle">
              <span className="jp-Mlops-packageName">{item.name}</span>{' '}
              <span className="jp-Mlops-version">
                {versionText(item, trans)}
              </span>{' '}
              {item.override && (
                <span className="jp-Mlops-edited">
                  {trans.__('set to %1', item.override)}
                </span>
              )}
            </span>
            {why && <span className="jp-Mlops-packageWhy">{why}</span>}
          </span>{' '}
          {item.isLocked && (
            <span className="jp-Mlops-packageSize">
              {sizeText(item.size, trans)}
            </span>
          )}
        </summary>
        {isOpen && <PackageDetails item={item} model={model} />}
      </details>
    </li>
  );
}

function PackageDetails(props: {
  item: IPackage;
  model: EnvironmentModel;
}): JSX.Element {
  const { item, model } = props;
  const { dependency } = item;
  return (
    <div className="jp-Mlops-foldBody">
      {dependency && <DependencyFacts dependency={dependency} />}
      <VersionForm item={item} model={model} />
      <div className="jp-Mlops-actions">
        <RemoveButton item={item} model={model} />
      </div>
    </div>
  );
}

function DependencyFacts(props: { dependency: IDependency }): JSX.Element {
  const trans = useTranslation();
  const { modules, cells, specifier, url, version } = props.dependency;
  const facts: [string, React.ReactNode][] = [];
  if (modules.length > 0) {
    facts.push([
      trans.__('Modules'),
      <code key="modules">{modules.join(', ')}</code>
    ]);
  }
  if (cells.length > 0) {
    facts.push([trans.__('Used in'), <Cells key="cells" cells={cells} />]);
  }
  facts.push([trans.__('In the kernel'), version || trans.__('not installed')]);
  if (specifier) {
    facts.push([trans.__('Asked for'), <code key="bounds">{specifier}</code>]);
  }
  if (url) {
    facts.push([trans.__('From'), <code key="url">{url}</code>]);
  }
  return <Facts facts={facts} />;
}

function VersionForm(props: {
  item: IPackage;
  model: EnvironmentModel;
}): JSX.Element {
  const trans = useTranslation();
  const { item, model } = props;
  const { name, override } = item;
  return (
    <LineForm
      formLabel={trans.__('Version of %1', name)}
      label={trans.__('Version or bounds')}
      placeholder={trans.__('2.1.0 or >=2,<3')}
      value={override}
      action={trans.__('Set')}
      actionLabel={trans.__('Set the version of %1', name)}
      onSubmit={version => model.edit({ kind: 'override', name, version })}
    />
  );
}

/** Removes a package, or takes that back: the same button, so it keeps the focus. */
function RemoveButton(props: {
  item: IPackage;
  model: EnvironmentModel;
}): JSX.Element | null {
  const trans = useTranslation();
  const { item, model } = props;
  const { name, addition } = item;
  if (addition) {
    return (
      <Button
        label={trans.__('Do Not Add')}
        aria-label={trans.__('Do not add %1', name)}
        onClick={() => model.undo({ kind: 'addition', requirement: addition })}
      />
    );
  }
  if (!item.dependency) {
    return null;
  }
  return (
    <Button
      label={item.isRemoved ? trans.__('Put Back') : trans.__('Remove')}
      aria-label={
        item.isRemoved
          ? trans.__('Put back %1', name)
          : trans.__('Remove %1', name)
      }
      onClick={() =>
        item.isRemoved
          ? model.undo({ kind: 'removal', name })
          : model.edit({ kind: 'removal', name })
      }
    />
  );
}
