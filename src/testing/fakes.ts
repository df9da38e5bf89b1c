import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Event } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal, Stream } from '@lumino/signaling';
import type { MlopsApi } from '../api';
import { CatalogModel } from '../features/catalog/model';
import { EnvironmentModel } from '../features/environment/model';
import { JOB_SCHEMA, JobTracker } from '../features/jobs/tracker';
import { NotebookFollower } from '../features/notebook/follower';
import { PanelModel } from '../features/panel/model';
import { ServicesModel } from '../features/services/model';
import type {
  IAnalysis,
  IDraft,
  IEdge,
  IEnvironmentReport,
  IJob,
  IJobEvent,
  IPublication,
  IPublishResult,
  IService,
  IServiceCode
} from '../models';

export const trans = nullTranslator.load('jupyter_mlops');

/** An event bus without a server. */
export class FakeBus {
  readonly stream: Event.Stream = new Stream<Event.IManager, Event.Emission>(
    {} as Event.IManager
  );

  say(job: IJob, event: IJobEvent, schema = JOB_SCHEMA): void {
    const data = { job: job.id, kind: job.kind, state: job.state, event };
    const emission = { schema_id: schema, ...data };
    (this.stream as Stream<Event.IManager, Event.Emission>).emit(
      emission as unknown as Event.Emission
    );
  }
}

export type FakeApi = jest.Mocked<MlopsApi>;

/** A server that has nothing and starts whatever it is asked to. */
export function fakeApi(): FakeApi {
  return {
    analyze: jest.fn(async () => ANALYSIS),
    analyzeDraft: jest.fn(async () => DRAFT),
    describeEnvironment: jest.fn(async () => REPORT),
    editEnvironment: jest.fn(async () => REPORT),
    listCaptures: jest.fn(async () => ({ names: [], live: false, note: '' })),
    listJobs: jest.fn(async () => []),
    startJob: jest.fn(async (kind, request) => aJob({ kind, request })),
    listEvents: jest.fn(async () => []),
    describeJob: jest.fn(async id => aJob({ id })),
    readLog: jest.fn(async () => ''),
    deleteJob: jest.fn(async () => undefined),
    listPublications: jest.fn(async () => ({
      registry: 'registry.test/lab',
      publications: []
    })),
    listServices: jest.fn(async () => []),
    stopService: jest.fn(async () => undefined)
  } as unknown as FakeApi;
}

let count = 0;

export function aJob(fields: Partial<IJob> = {}): IJob {
  count += 1;
  return {
    id: `job-${count}`,
    kind: 'publish',
    title: 'Publish iris.ipynb',
    state: 'running',
    request: { path: 'work/iris.ipynb' },
    created: new Date(Date.UTC(2026, 0, 1, 0, 0, count)).toISOString(),
    started: '2026-01-01T00:00:00Z',
    ended: null,
    result: null,
    problems: [],
    ...fields
  };
}

/** Number events as the server does: from 1, without gaps. */
export function events(
  ...list: (Record<string, unknown> & { type: string })[]
): IJobEvent[] {
  return list.map(
    (event, index) =>
      ({
        ...event,
        seq: index + 1,
        time: new Date(Date.UTC(2026, 0, 1, 1, 0, index)).toISOString()
      }) as unknown as IJobEvent
  );
}

/** What of a cell the extension looks at. */
function aCell(source: string, index: number) {
  const metadata: Record<string, unknown> = {
    tags: index === 0 ? ['parameters'] : undefined
  };
  return {
    id: `cell-${index}`,
    type: 'code',
    executionCount: null as number | null,
    outputs: ['a plot'],
    sharedModel: { source, getSource: () => source },
    getMetadata: (key: string) => metadata[key]
  };
}

/** What of a notebook panel the extension looks at. */
export class FakeNotebook {
  constructor(path: string) {
    this.context.path = path;
    this.title.label = path.split('/').pop() ?? '';
  }

  readonly title = { label: '' };
  readonly isDisposed = false;
  readonly context = {
    path: '',
    isReady: true,
    ready: Promise.resolve(),
    contentsModel: { last_modified: '1' },
    saveState: new Signal<FakeNotebook, string>(this),
    pathChanged: new Signal<FakeNotebook, string>(this),
    fileChanged: new Signal<FakeNotebook, unknown>(this),
    model: {
      dirty: false,
      stateChanged: new Signal<FakeNotebook, unknown>(this),
      contentChanged: new Signal<FakeNotebook, void>(this),
      cells: [] as ReturnType<typeof aCell>[],
      metadata: {} as Record<string, unknown>,
      getMetadata(key: string): unknown {
        return this.metadata[key];
      },
      setMetadata(key: string, value: unknown): void {
        this.metadata[key] = value;
      },
      deleteMetadata(key: string): void {
        delete this.metadata[key];
      }
    },
    save: jest.fn(async () => {
      this.context.model.dirty = false;
      this.context.contentsModel = { last_modified: String(Date.now()) };
      this.context.saveState.emit('completed');
    })
  };

  /** Put a new code cell below the others; it is not saved. */
  type(source: string): void {
    const { model } = this.context;
    model.cells.push(aCell(source, model.cells.length));
    model.dirty = true;
    model.contentChanged.emit();
  }

  get asPanel(): NotebookPanel {
    return this as unknown as NotebookPanel;
  }
}

export class FakeTracker {
  readonly currentChanged = new Signal<this, NotebookPanel | null>(this);
  currentWidget: NotebookPanel | null = null;

  show(notebook: FakeNotebook | null): void {
    this.currentWidget = notebook?.asPanel ?? null;
    this.currentChanged.emit(this.currentWidget);
  }
}

export const contents = {
  driveName: (path: string) => (path.includes(':') ? path.split(':')[0] : ''),
  localPath: (path: string) => path.split(':').pop() ?? path
};

/** Everything below the views, with nothing but the server and Lab faked. */
export function aModel(api: FakeApi = fakeApi()) {
  const bus = new FakeBus();
  const tracker = new FakeTracker();
  const jobs = new JobTracker(api, bus.stream);
  const services = new ServicesModel(api, jobs);
  const notebook = new NotebookFollower({
    api,
    tracker: tracker as never,
    contents: contents as never,
    trans
  });
  const environment = new EnvironmentModel(api, notebook);
  const model = new PanelModel(
    { api, jobs, services },
    notebook,
    new CatalogModel(api),
    environment
  );
  return { api, bus, tracker, jobs, services, notebook, environment, model };
}

/** Let the pause go by after which what was typed is looked at. */
export async function paused(): Promise<void> {
  jest.runOnlyPendingTimers();
  await settled();
}

/** Let everything that was begun come to an end. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}

function edge(
  source: number,
  target: number,
  key: string,
  kind: IEdge['kind'] = 'value'
): IEdge {
  return { source, target, key, kind, evidence: 'static' };
}

export const SERVICE_CODE: IServiceCode = {
  kind: 'function',
  function: 'predict',
  call: 'predict(rows)',
  source: '# cell 7\ndef predict(rows):\n    return model.predict(rows)\n',
  captured: ['model'],
  cells: [7],
  model: ''
};

export const ANALYSIS: IAnalysis = {
  name: 'iris',
  path: 'work/iris.ipynb',
  title: 'Iris',
  kernel: { name: 'python3', display_name: 'Python 3', python: '3.11' },
  parameters: [
    { name: 'trees', type: 'int', default: 100, minimum: 1 },
    { name: 'shuffle', type: 'bool', default: true }
  ],
  parameters_source: 'tagged',
  steps: [
    {
      name: 'load',
      title: 'Load the data',
      cells: [1, 2],
      outputs: ['frame', 'trees'],
      files_written: ['rows.csv']
    },
    {
      name: 'train',
      cells: [3],
      inputs: ['frame', 'trees'],
      outputs: ['model'],
      after: ['load'],
      merged: ['file: an open file cannot be handed over'],
      cacheable: false,
      reason: 'cell 3 draws random numbers without a seed'
    },
    { name: 'count', cells: [4], files_read: ['rows.csv'], after: ['load'] },
    {
      name: 'show',
      cells: [5, 6, 8],
      inputs: ['frame', 'model'],
      after: ['load', 'train']
    }
  ],
  edges: [
    edge(2, 3, 'frame'),
    edge(2, 4, '<file:rows.csv>', 'file'),
    edge(2, 5, 'frame'),
    edge(3, 5, 'model'),
    edge(3, 5, '<rng:numpy>', 'state'),
    edge(1, 5, 'pd', 'definition')
  ],
  reached: { trees: [3, 5, 6, 8], shuffle: [] },
  hidden_state: [],
  dependencies: [
    {
      name: 'scikit-learn',
      version: '1.7.2',
      modules: ['sklearn'],
      cells: [1],
      source: 'kernel'
    }
  ],
  captures: [
    { name: 'model', kind: 'estimator', type: 'RandomForestClassifier' }
  ],
  predictor: { kind: 'function', name: 'predict' },
  service_code: SERVICE_CODE,
  problems: [],
  target: 'oci:/registry/iris'
};

export const DRAFT: IDraft = {
  title: 'Iris, typed',
  parameters: ANALYSIS.parameters,
  parameters_source: 'tagged',
  steps: [...ANALYSIS.steps, { name: 'typed', cells: [9], after: ['show'] }],
  edges: ANALYSIS.edges,
  reached: ANALYSIS.reached,
  hidden_state: [],
  service_code: ANALYSIS.service_code,
  problems: [],
  unreadable: []
};

export const REPORT: IEnvironmentReport = {
  python: '3.11',
  platform: 'linux/amd64',
  sha256: 'ab12'.repeat(16),
  direct: [
    {
      name: 'scikit-learn',
      version: '1.7.2',
      modules: ['sklearn'],
      cells: [1, 3],
      source: 'kernel',
      why: 'cells 1, 3 import sklearn',
      specifier: '>=1.5'
    },
    {
      name: 'pyarrow',
      version: '',
      modules: [],
      cells: [],
      source: 'runtime'
    }
  ],
  locked: [
    { name: 'numpy', version: '2.3.4', size: 16_900_000, direct: false },
    { name: 'pyarrow', version: '21.0.0', size: 42_000_000, direct: true },
    { name: 'scikit-learn', version: '1.7.2', size: 9_300_000, direct: true },
    { name: 'six', version: '1.17.0', size: 11_000, direct: false }
  ],
  size: 68_211_000,
  system: null,
  questions: [],
  problems: [],
  notes: []
};

export const RESULT: IPublishResult = {
  reference: 'registry.test/lab/iris:latest',
  digest: `sha256:${'ab12'.repeat(16)}`,
  version: 2,
  verified: 'full',
  stages: [],
  pushed_bytes: 1234567,
  name: 'iris',
  metrics: { accuracy: 0.95 },
  captures: []
};

export const SERVICE: IService = {
  id: 'service-1',
  reference: RESULT.reference,
  digest: RESULT.digest,
  name: 'iris',
  url: 'http://127.0.0.1:4321',
  with: 'process',
  state: 'ready',
  started: '2026-01-01T00:00:00Z'
};

export const PUBLICATION: IPublication = {
  ...RESULT,
  title: 'Iris',
  tags: ['champion', 'v2'],
  authors: ['Ada Lovelace'],
  created: '1970-01-01T00:00:00Z',
  parameters: ANALYSIS.parameters,
  predictor: null,
  platforms: ['linux/amd64'],
  size: 1e8
};
