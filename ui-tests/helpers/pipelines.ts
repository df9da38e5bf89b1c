import type { IEdge, IHiddenState, IStep } from '../../src/models';
import { ANALYSIS } from './answers';

const step = (name: string, cells: number[], fields: Partial<IStep> = {}) => ({
  name,
  cells,
  inputs: [],
  outputs: [],
  after: [],
  files_read: [],
  files_written: [],
  merged: [],
  cacheable: true,
  reason: '',
  ...fields
});

const edge = (
  source: number,
  target: number,
  key: string,
  kind: IEdge['kind'] = 'value'
): IEdge => ({ source, target, key, kind, evidence: 'static' });

const hidden = (fields: Partial<IHiddenState>): IHiddenState => ({
  kind: 'order',
  cell: 1,
  problem: '',
  remedy: 'Run the notebook from top to bottom and save it',
  name: '',
  ...fields
});

const PARAMETERS = ['n_trees', 'max_depth', 'test_share', 'seed'].map(name => ({
  name,
  type: 'int' as const,
  default: 7
}));

/** Two models beside each other, and a step that compares them. */
export const FOREST = {
  ...ANALYSIS,
  parameters: PARAMETERS,
  steps: [
    step('load-data', [1, 2, 3], {
      title: 'Load the data',
      outputs: ['frame'],
      files_written: ['rows.csv']
    }),
    step('clean', [4, 5], {
      title: 'Clean and split',
      inputs: ['frame'],
      outputs: ['X_train', 'X_test', 'y_train', 'y_test'],
      after: ['load-data'],
      merged: ['rows: an open file cannot be handed over']
    }),
    step('forest', [6, 7], {
      title: 'A forest',
      inputs: ['X_train', 'y_train'],
      outputs: ['forest'],
      after: ['clean'],
      cacheable: false,
      reason: 'cell 6 draws random numbers without a seed'
    }),
    step('linear', [8], {
      title: 'A linear model',
      inputs: ['X_train', 'y_train'],
      outputs: ['linear'],
      after: ['clean']
    }),
    step('compare', [9, 10, 12], {
      title: 'Which is better?',
      inputs: ['forest', 'linear', 'X_test', 'y_test'],
      outputs: ['best'],
      after: ['clean', 'forest', 'linear']
    }),
    step('report', [13], {
      title: 'Report',
      inputs: ['best'],
      files_read: ['rows.csv'],
      after: ['load-data', 'compare']
    })
  ],
  edges: [
    edge(3, 4, 'frame'),
    edge(5, 6, 'X_train'),
    edge(5, 8, 'X_train'),
    edge(7, 9, 'forest'),
    edge(8, 9, 'linear'),
    edge(10, 13, 'best'),
    edge(3, 13, '<file:rows.csv>', 'file')
  ],
  reached: {
    n_trees: [6, 7, 9, 10, 12, 13],
    max_depth: [6, 7, 9, 10, 12, 13],
    test_share: [5, 6, 7, 8, 9, 10, 12, 13],
    seed: [5, 6, 7, 8, 9, 10, 12, 13]
  },
  hidden_state: [
    hidden({
      cell: 7,
      problem:
        'Cell 7 ran before cell 6, which stands above it (execution counts 4 and 5): out of order'
    }),
    hidden({
      kind: 'undefined',
      cell: 12,
      name: 'threshold',
      problem:
        "Cell 12 uses 'threshold', but no cell of the saved notebook defines it: its definition was deleted",
      remedy: "Define 'threshold' in a cell above, or remove its use"
    })
  ]
};

const STUDIES = Array.from({ length: 14 }, (_, index) => index);

/** Many steps: some need the one before, some the first, some two others. */
export const STUDY = {
  ...FOREST,
  hidden_state: [],
  steps: STUDIES.map(index =>
    step(`part-${index + 1}`, [2 * index + 1, 2 * index + 2], {
      title: `Part ${index + 1} of the study`,
      inputs: ['rows'],
      outputs: ['rows'],
      after: [
        ...(index > 0 && index % 4 !== 0 ? [`part-${index}`] : []),
        ...(index > 3 ? [`part-${Math.floor(index / 3)}`] : []),
        ...(index % 4 === 0 && index > 0 ? ['part-1'] : [])
      ].filter((name, place, all) => all.indexOf(name) === place)
    })
  ),
  edges: [],
  reached: { n_trees: [9, 10, 20], max_depth: [], test_share: [3], seed: [5] }
};
