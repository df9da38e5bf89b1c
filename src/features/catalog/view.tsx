import { runIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Button } from '../../components/button';
import { captureNames } from '../../components/captures';
import { Caret, Facts, Placeholder } from '../../components/facts';
import {
  formatBytes,
  formatTime,
  formatValue,
  shortDigest
} from '../../components/format';
import { LineForm } from '../../components/lineForm';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import { VerifiedBadge } from '../../components/verifiedBadge';
import { serviceIcon } from '../../icons';
import type { IPublication } from '../../models';
import type { PanelModel } from '../panel/model';
import { Copyable, MetricFacts } from '../publish/result';

/** The publications of a registry: find one, then serve it or run it. */
export function CatalogView(props: { model: PanelModel }): JSX.Element {
  const trans = useTranslation();
  const { model } = props;
  const { catalog } = model;
  const { publications, problems, isLoading } = catalog;
  return (
    <>
      <LineForm
        label={trans.__('Registry')}
        placeholder={trans.__("the server's default")}
        value={catalog.registry}
        action={trans.__('List')}
        onSubmit={registry => void catalog.list(registry)}
      />
      <LineForm
        label={trans.__('Search')}
        placeholder={trans.__('words in name, title or description')}
        value={catalog.search}
        action={trans.__('Search')}
        actionLabel={trans.__('Search the Registry')}
        onSubmit={search => void catalog.list(catalog.registry, search)}
      />
      <Problems problems={problems} />
      {isLoading && !publications && (
        <Placeholder>{trans.__('Listing…')}</Placeholder>
      )}
      {publications?.length === 0 && (
        <Placeholder>
          {catalog.search
            ? trans.__('No publication here has these words.')
            : trans.__('Nothing is published here yet.')}
        </Placeholder>
      )}
      <ul
        className="jp-Mlops-list"
        aria-label={trans.__('Publications')}
        aria-busy={isLoading}
      >
        {publications?.map(publication => (
          <PublicationItem
            key={publication.digest + publication.reference}
            model={model}
            publication={publication}
          />
        ))}
      </ul>
    </>
  );
}

function PublicationItem(props: {
  model: PanelModel;
  publication: IPublication;
}): JSX.Element {
  const trans = useTranslation();
  const { model, publication } = props;
  const { name, title, reference, parameters } = publication;
  return (
    <li className="jp-Mlops-item">
      <details>
        <summary>
          <Caret />
          <span className="jp-Mlops-itemText">
            <span className="jp-Mlops-itemTitle">{title || name}</span>
            <span className="jp-Mlops-itemDetail">
              {typeof publication.version === 'number'
                ? trans.__('%1, version %2', name, publication.version)
                : name}
            </span>
          </span>
          <VerifiedBadge verified={publication.verified} />
        </summary>
        <div className="jp-Mlops-foldBody">
          <Copyable text={reference} label={trans.__('Copy the reference')} />
          <Facts facts={facts(publication, trans)} />
          <MetricFacts metrics={publication.metrics} />
          <div className="jp-Mlops-actions">
            <Button
              label={trans.__('Serve')}
              icon={serviceIcon}
              disabled={model.isStarting('serve')}
              onClick={() => void model.serve(reference)}
            />
            <Button
              label={trans.__('Run with New Parameters')}
              icon={runIcon}
              onClick={() =>
                model.openRunForm({
                  source: { reference },
                  title: name,
                  parameters
                })
              }
            />
          </div>
        </div>
      </details>
    </li>
  );
}

function facts(
  publication: IPublication,
  trans: ReturnType<typeof useTranslation>
): [string, React.ReactNode][] {
  const { digest, tags, authors, size, created, parameters, captures } =
    publication;
  const list: [string, React.ReactNode][] = [
    [trans.__('Tags'), tags.join(', ')],
    [
      trans.__('Digest'),
      <code key="digest" title={digest}>
        {shortDigest(digest)}
      </code>
    ],
    [trans.__('Size'), formatBytes(size)]
  ];
  // Images are built without a clock; 1970 says nothing to anybody.
  if (created && new Date(created).getTime() > 0) {
    list.push([trans.__('Created'), formatTime(created)]);
  }
  if (authors.length) {
    list.push([trans.__('Authors'), authors.join(', ')]);
  }
  if (parameters.length) {
    const names = parameters.map(
      parameter => `${parameter.name}=${formatValue(parameter.default)}`
    );
    list.push([trans.__('Parameters'), names.join(', ')]);
  }
  if (captures.length) {
    list.push([trans.__('Captures'), captureNames(captures, trans)]);
  }
  return list;
}
