import type { IEnvironmentReport } from '../../src/models';

const dependency = { modules: [], cells: [], source: 'kernel' as const };

/** Everything that can be in the way of a lock, and what the base lacks. */
export const ENVIRONMENT: IEnvironmentReport = {
  python: '3.11',
  platform: 'linux/amd64',
  sha256: '',
  direct: [
    {
      ...dependency,
      name: 'pandas',
      version: '2.3.3',
      modules: ['pandas'],
      cells: [1, 2, 4],
      why: 'cells 1, 2, 4 import pandas',
      specifier: '>=2'
    },
    {
      ...dependency,
      name: 'pyarrow',
      version: '21.0.0',
      why: 'pandas.read_parquet in cell 2 loads it'
    },
    {
      ...dependency,
      name: 'scikit-image',
      version: '0.25.2',
      modules: ['skimage'],
      cells: [3],
      why: 'cell 3 imports skimage'
    }
  ],
  locked: [
    { name: 'numpy', version: '2.3.4', size: 16_918_164, direct: false },
    { name: 'pandas', version: '2.3.3', size: 12_356_904, direct: true },
    { name: 'pyarrow', version: '21.0.0', size: 42_704_905, direct: true },
    { name: 'scikit-image', version: '0.25.2', size: null, direct: true }
  ],
  size: 71_979_973,
  system: [
    {
      kind: 'library',
      name: 'libGL.so.1',
      needed_by: 'opencv-python 4.12.0.88',
      package: 'libgl1',
      sure: true,
      scripts: false
    },
    {
      kind: 'executable',
      name: 'dot',
      needed_by: 'cell 5',
      package: 'graphviz',
      sure: false,
      scripts: false
    }
  ],
  questions: [
    {
      module: 'cv2',
      candidates: ['opencv-python', 'opencv-python-headless'],
      cells: [3, 5],
      why: 'Several packages have it, and the kernel has none of them'
    }
  ],
  problems: [
    {
      problem: "The notebook's packages cannot be locked together",
      why: 'pandas 2.3.3 needs numpy>=1.23.2, and numpy==1.20 was set by hand',
      remedy: 'Set another version of one of them, or undo the edit',
      where: ''
    }
  ],
  notes: ["'six' was removed, and stays: another package needs it"]
};
