import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import {
  PanelWithToolbar,
  ReactWidget,
  SidePanel,
  ToolbarButton,
  UseSignal,
  refreshIcon
} from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { AccordionPanel } from '@lumino/widgets';
import * as React from 'react';
import { LanguagesContext } from '../../components/code';
import { Placeholder } from '../../components/facts';
import { Problems } from '../../components/problems';
import { TranslationContext } from '../../components/translation';
import { publishIcon } from '../../icons';
import { CatalogView } from '../catalog/view';
import { EnvironmentView } from '../environment/view';
import { NotebookView } from '../notebook/view';
import { PublishView } from '../publish/view';
import { RunsView } from '../runs/view';
import { ServicesView } from '../services/view';
import type { PanelModel } from './model';
import { SectionSizer } from './sizes';

/** The sections of the panel, in their order. */
export type SectionName =
  'publish' | 'notebook' | 'environment' | 'runs' | 'services' | 'catalog';

/** How much of the height each section may claim when there is not enough. */
const WEIGHTS = [3, 2, 3, 3, 3, 3];

/** The sections that are closed until somebody asks for them. */
const CLOSED = ['environment', 'runs', 'services', 'catalog'] as const;

/** The side panel that takes the current notebook to production. */
export class MlopsPanel extends SidePanel {
  constructor(
    private readonly _options: {
      model: PanelModel;
      translator: ITranslator;
      /** Colours code; without it, code is plain. */
      languages?: IEditorLanguageRegistry | null;
      onPublish: () => void;
      /** Bring a code cell of the notebook, counted from 1, to the front. */
      onCell: (cell: number) => void;
    }
  ) {
    super({ translator: _options.translator });
    const { model, translator } = _options;
    const trans = translator.load('jupyter_mlops');
    this.id = 'jupyter-mlops-panel';
    this.addClass('jp-Mlops');
    this.title.icon = publishIcon;
    this.title.caption = trans.__('Publish and run notebooks');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('MLOps'));
    this.header.addWidget(this._view(<Heading model={model} />));
    this._fill(trans);
    const accordion = this.content as AccordionPanel;
    this._sizer = new SectionSizer(accordion, WEIGHTS);
    for (const view of this._views) {
      this._sizer.watch(view);
    }
    for (const name of CLOSED) {
      accordion.collapse(this._names.indexOf(name));
    }
    accordion.expansionToggled.connect(this._onToggled, this);
    model.stateChanged.connect(this._onModel, this);
    model.notebook.isWatched = this.isVisible;
  }

  override dispose(): void {
    this._sizer.dispose();
    super.dispose();
  }

  /** Open a section, and leave the others as they are. */
  expand(name: SectionName): void {
    (this.content as AccordionPanel).expand(this._names.indexOf(name));
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._options.model.notebook.isWatched = true;
    void this._options.model.mlops.services.refresh();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._options.model.notebook.isWatched = false;
  }

  private _fill(trans: TranslationBundle): void {
    const { model, onPublish, onCell } = this._options;
    const { notebook, catalog, mlops } = model;
    this._addSection(
      'publish',
      trans.__('Publish'),
      <WithNotebook
        model={model}
        otherwise={trans.__('Open a notebook to publish it.')}
      >
        {() => <PublishView model={model} onPublish={onPublish} />}
      </WithNotebook>
    );
    this._addSection(
      'notebook',
      trans.__('Notebook'),
      <WithNotebook
        model={model}
        otherwise={trans.__(
          'Its steps, parameters, dependencies and captures are shown here.'
        )}
      >
        {() => <NotebookView notebook={notebook} onCell={onCell} />}
      </WithNotebook>,
      [trans.__('Read the Notebook Again'), () => notebook.refresh()]
    );
    this._addEnvironment(trans);
    this._addSection('runs', trans.__('Runs'), <RunsView model={model} />);
    this._addSection(
      'services',
      trans.__('Services'),
      <ServicesView model={model} />,
      [trans.__('List the Services Again'), () => mlops.services.refresh()]
    );
    this._addSection(
      'catalog',
      trans.__('Catalog'),
      <CatalogView model={model} />,
      [trans.__('List the Catalog Again'), () => catalog.list()]
    );
  }

  private _addEnvironment(trans: TranslationBundle): void {
    const { model, onCell } = this._options;
    const { environment, notebook } = model;
    this._addSection(
      'environment',
      trans.__('Environment'),
      <WithNotebook
        model={model}
        otherwise={trans.__(
          'What it needs, why, and how large that is, is shown here.'
        )}
      >
        {() => (
          <EnvironmentView
            key={notebook.path}
            model={environment}
            isDirty={notebook.isDirty}
            onCell={onCell}
          />
        )}
      </WithNotebook>,
      [trans.__('Lock the Environment Again'), () => environment.lock()]
    );
  }

  private _addSection(
    name: SectionName,
    title: string,
    view: JSX.Element,
    refresh?: [tooltip: string, action: () => Promise<void>]
  ): void {
    const section = new PanelWithToolbar();
    section.addClass('jp-Mlops-section');
    section.node.dataset.section = name;
    section.title.label = title;
    const content = this._view(view);
    section.addWidget(content);
    this._views.push(content);
    if (refresh) {
      const [tooltip, action] = refresh;
      const button = new ToolbarButton({
        icon: refreshIcon,
        tooltip,
        onClick: () => void action()
      });
      section.toolbar.addItem('refresh', button);
    }
    this._names.push(name);
    this.addWidget(section);
  }

  /** A view that is drawn again whenever the model changes. */
  private _view(view: JSX.Element): ReactWidget {
    const { model, translator, languages } = this._options;
    const widget = ReactWidget.create(
      <TranslationContext.Provider value={translator.load('jupyter_mlops')}>
        <LanguagesContext.Provider value={languages ?? null}>
          <UseSignal signal={model.stateChanged}>
            {() => React.cloneElement(view)}
          </UseSignal>
        </LanguagesContext.Provider>
      </TranslationContext.Provider>
    );
    widget.addClass('jp-Mlops-view');
    return widget;
  }

  /** Bring what the user just asked for into view. */
  private _onModel(model: PanelModel): void {
    const asked = this._asked(model);
    if (asked && asked !== this._shown) {
      const accordion = this.content as AccordionPanel;
      this.expand(asked);
      if (asked !== 'publish') {
        accordion.collapse(this._names.indexOf('notebook'));
      }
      this._sizer.favour(this._names.indexOf(asked));
    }
    this._shown = asked;
  }

  private _asked(model: PanelModel): SectionName | null {
    if (model.runForm || model.isStarting('run')) {
      return 'runs';
    }
    if (model.isStarting('serve')) {
      return 'services';
    }
    return model.isStarting('publish') ? 'publish' : null;
  }

  /** Ask for what a section shows when it is opened, not before. */
  private _onToggled(accordion: AccordionPanel, index: number): void {
    if (accordion.widgets[index].isHidden) {
      return;
    }
    if (this._names[index] === 'catalog') {
      this._listOnce();
    } else if (this._names[index] === 'environment') {
      void this._options.model.environment.look();
    }
  }

  private _listOnce(): void {
    const { catalog } = this._options.model;
    if (!catalog.publications && !catalog.isLoading) {
      void catalog.list();
    }
  }

  private readonly _sizer: SectionSizer;
  private readonly _views: ReactWidget[] = [];
  private _shown: SectionName | null = null;
  private readonly _names: SectionName[] = [];
}

/** The name of the notebook the panel is about. */
function Heading(props: { model: PanelModel }): JSX.Element {
  const trans = React.useContext(TranslationContext);
  const { path, analysis } = props.model.notebook;
  const file = path?.split('/').pop();
  return (
    <h2 className="jp-text-truncated" title={path ?? undefined}>
      {analysis?.title || file || trans.__('No notebook')}
    </h2>
  );
}

/** Shows its content only when a notebook that can be published is open. */
function WithNotebook(props: {
  model: PanelModel;
  otherwise: string;
  children: () => JSX.Element;
}): JSX.Element {
  const { notebook } = props.model;
  if (notebook.path !== null) {
    return props.children();
  }
  return notebook.problems.length > 0 ? (
    <Problems problems={notebook.problems} />
  ) : (
    <Placeholder>{props.otherwise}</Placeholder>
  );
}
