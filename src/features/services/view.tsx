import { launchIcon, stopIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Button } from '../../components/button';
import { Facts, Placeholder } from '../../components/facts';
import { formatTime, shortDigest } from '../../components/format';
import { Problems } from '../../components/problems';
import { useTranslation } from '../../components/translation';
import type { IService } from '../../models';
import { LiveStatus, StageList, statusText } from '../jobs/progressView';
import type { IJobView } from '../jobs/state';
import { isActive } from '../jobs/state';
import type { PanelModel } from '../panel/model';
import { Copyable } from '../publish/result';

/** The services that answer, and those that are being started. */
export function ServicesView(props: { model: PanelModel }): JSX.Element {
  const trans = useTranslation();
  const { model } = props;
  const { services, problems } = model.mlops.services;
  const { starts } = model;
  return (
    <>
      <Problems problems={model.problems('serve')} alert />
      <Problems problems={problems} />
      {starts.map(view => (
        <Start key={view.job.id} model={model} view={view} />
      ))}
      {services.length === 0 && starts.length === 0 && (
        <Placeholder>
          {trans.__('No services. Serve a publication to call it over HTTP.')}
        </Placeholder>
      )}
      {services.map(service => (
        <ServiceCard key={service.id} model={model} service={service} />
      ))}
    </>
  );
}

function ServiceCard(props: {
  model: PanelModel;
  service: IService;
}): JSX.Element {
  const trans = useTranslation();
  const { model, service } = props;
  const isReady = service.state === 'ready';
  return (
    <section
      className="jp-Mlops-card"
      aria-label={trans.__('Service %1', service.name)}
    >
      <header className="jp-Mlops-cardHeader">
        <span className="jp-Mlops-cardTitle">{service.name}</span>
        <span className={`jp-Mlops-state jp-mod-${service.state}`}>
          {stateText(service.state, trans)}
        </span>
      </header>
      <Copyable text={service.url} label={trans.__('Copy the URL')} />
      <Facts
        facts={[
          [trans.__('Publication'), service.reference],
          [
            trans.__('Digest'),
            <code key="digest" title={service.digest}>
              {shortDigest(service.digest)}
            </code>
          ],
          [
            trans.__('Runs as'),
            service.with === 'docker'
              ? trans.__('a container')
              : trans.__('a process')
          ],
          [trans.__('Since'), formatTime(service.started)]
        ]}
      />
      <div className="jp-Mlops-actions">
        <Button
          label={trans.__('Open')}
          icon={launchIcon}
          title={trans.__('Open %1 in a new tab', service.url)}
          disabled={!isReady}
          onClick={() => {
            window.open(service.url, '_blank', 'noopener,noreferrer');
          }}
        />
        <Button
          label={trans.__('Stop')}
          icon={stopIcon}
          onClick={() => void model.mlops.services.stop(service.id)}
        />
      </div>
    </section>
  );
}

function Start(props: { model: PanelModel; view: IJobView }): JSX.Element {
  const trans = useTranslation();
  const { model, view } = props;
  const { job } = view;
  const active = isActive(job);
  return (
    <section className="jp-Mlops-card" aria-label={job.title}>
      <LiveStatus view={view} />
      <header className="jp-Mlops-cardHeader">
        <span className="jp-Mlops-cardTitle">{statusText(view, trans)}</span>
      </header>
      <Problems problems={job.problems} alert={!active} />
      <StageList view={view} />
      <div className="jp-Mlops-actions">
        {active ? (
          <Button
            label={trans.__('Cancel')}
            onClick={() => void model.cancel(job.id)}
          />
        ) : (
          <Button
            label={trans.__('Dismiss')}
            onClick={() => void model.forget(job.id)}
          />
        )}
      </div>
    </section>
  );
}

function stateText(state: IService['state'], trans: TranslationBundle): string {
  switch (state) {
    case 'ready':
      return trans.__('ready');
    case 'starting':
      return trans.__('starting');
    case 'stopped':
      return trans.__('stopped');
    default:
      return trans.__('failed');
  }
}
