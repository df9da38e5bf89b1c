import type {
  IAnalysis,
  ICatalog,
  IService,
  IServiceCode
} from '../../src/models';

const PARAMETERS = [
  {
    name: 'trees',
    type: 'int',
    default: 100,
    description: 'How many trees the forest has.',
    minimum: 1
  },
  { name: 'depth', type: 'int', default: 4, nullable: true },
  {
    name: 'criterion',
    type: 'str',
    default: 'gini',
    choices: ['gini', 'entropy']
  },
  { name: 'test_size', type: 'float', default: 0.25 },
  { name: 'shuffle', type: 'bool', default: true }
] as const;

const CAPTURES = [
  { name: 'model', kind: 'estimator', type: 'RandomForestClassifier', cell: 5 },
  { name: 'species', kind: 'array', type: 'ndarray', cell: 2 }
];

export const SERVICE_CODE: IServiceCode = {
  kind: 'function',
  function: 'predict',
  call: 'predict(rows)',
  source: [
    '"""What answers: predict(rows), sliced from the notebook."""',
    '# Captured from the run and set before this is executed: model, species',
    '',
    '# cell 1',
    '',
    'import numpy as np',
    '',
    '# cell 6',
    '',
    'def predict(rows):',
    '    return species[np.argmax(model.predict_proba(rows), axis=1)]',
    ''
  ].join('\n'),
  captured: ['model', 'species'],
  cells: [1, 6],
  model: ''
};

export const DIGEST =
  'sha256:9f2c1e0b7a64d35c8e1f20b6a7d94c3e58f1a2b3c4d5e6f708192a3b4c5d6e7f';

export const REFERENCE = '127.0.0.1:5000/lab/iris:v3';

export const ANALYSIS = {
  name: 'iris-classifier',
  path: 'iris_classifier.ipynb',
  title: 'Iris classifier',
  kernel: {
    name: 'python3',
    display_name: 'Python 3 (ipykernel)',
    python: '3.11'
  },
  parameters: PARAMETERS,
  parameters_source: 'tagged',
  steps: [
    {
      name: 'data',
      title: 'Data',
      cells: [1, 2, 3],
      outputs: ['X_test', 'X_train', 'trees', 'depth', 'y_test', 'y_train']
    },
    {
      name: 'training',
      title: 'Training',
      cells: [4],
      inputs: ['X_train', 'depth', 'trees', 'y_train'],
      outputs: ['model'],
      after: ['data'],
      cacheable: false,
      reason: 'cell 4 draws random numbers without a seed'
    },
    {
      name: 'how-good-is-it',
      title: 'How good is it?',
      cells: [5, 6],
      inputs: ['X_test', 'model', 'y_test'],
      after: ['data', 'training']
    }
  ],
  edges: [],
  reached: {
    trees: [4, 5, 6],
    depth: [4, 5, 6],
    criterion: [4, 5, 6],
    test_size: [3, 4, 5, 6],
    shuffle: [3, 4, 5, 6]
  },
  hidden_state: [],
  dependencies: [
    { name: 'matplotlib', version: '3.10.7', modules: ['matplotlib'] },
    { name: 'numpy', version: '2.3.4', modules: ['numpy'] },
    { name: 'pandas', version: '2.3.3', modules: ['pandas'] },
    { name: 'scikit-learn', version: '1.7.2', modules: ['sklearn'] }
  ].map(found => ({ ...found, cells: [1], source: 'kernel' })),
  captures: CAPTURES,
  predictor: { kind: 'function', name: 'predict' },
  service_code: SERVICE_CODE,
  problems: [],
  target: '127.0.0.1:5000/lab/iris'
} as unknown as IAnalysis & Record<string, unknown>;

export const PUBLISHED = {
  reference: REFERENCE,
  digest: DIGEST,
  version: 3,
  verified: 'full',
  stages: [],
  pushed_bytes: 48213,
  name: 'iris-classifier',
  metrics: { accuracy: 0.9736842105, f1: 0.9731 },
  captures: CAPTURES,
  parameters: PARAMETERS
};

export const SERVICE: IService = {
  id: 'service-1',
  reference: REFERENCE,
  digest: DIGEST,
  name: 'iris-classifier',
  url: 'http://127.0.0.1:43117',
  with: 'process',
  state: 'ready',
  started: '2026-01-05T09:02:00Z'
};

export const PUBLICATIONS = {
  registry: '127.0.0.1:5000/lab',
  publications: [
    {
      ...PUBLISHED,
      title: 'Iris classifier',
      tags: ['latest', 'v3'],
      authors: ['Ada Lovelace'],
      created: '1970-01-01T00:00:00Z',
      predictor: { kind: 'function', name: 'predict' },
      size: 182345678
    },
    {
      ...PUBLISHED,
      name: 'heat-equation',
      title: 'The heat equation on a rod',
      reference: '127.0.0.1:5000/lab/heat:v1',
      digest: DIGEST.replace('9f', '3b'),
      version: 1,
      metrics: {},
      captures: [],
      tags: ['v1'],
      authors: [],
      created: '2026-01-02T10:00:00Z',
      predictor: { kind: 'none', name: '' },
      size: 93456789
    }
  ]
} as unknown as ICatalog;
