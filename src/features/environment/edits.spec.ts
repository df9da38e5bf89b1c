import type { Edit, Edits } from './edits';
import {
  answersOf,
  optionsOf,
  requestOf,
  requirementName,
  withEdit,
  withoutEdit
} from './edits';

const edited = (...edits: Edit[]): Edits => edits.reduce(withEdit, []);

describe('edits', () => {
  it('become the options of a lock, only what is edited', () => {
    const edits = edited(
      { kind: 'addition', requirement: 'six>=1' },
      { kind: 'removal', name: 'pandas' },
      { kind: 'override', name: 'numpy', version: '<2' },
      { kind: 'option', option: 'python', value: '3.12' },
      { kind: 'answer', module: 'cv2', distribution: 'opencv-python' },
      { kind: 'system' }
    );
    expect(optionsOf(edits)).toEqual({
      additions: ['six>=1'],
      removals: ['pandas'],
      overrides: { numpy: '<2' },
      python: '3.12'
    });
    expect(answersOf(edits)).toEqual({ cv2: 'opencv-python' });
    expect(requestOf(edits)).toEqual({
      environment: optionsOf(edits),
      answers: { cv2: 'opencv-python' },
      system_packages: 'auto'
    });
  });

  it('leave a request as it was when there are none', () => {
    expect(requestOf([])).toEqual({});
  });

  it('replace an older edit of the same thing, however it is written', () => {
    const edits = edited(
      { kind: 'addition', requirement: 'Foo_Bar==1' },
      { kind: 'addition', requirement: 'foo-bar[x]>=2' },
      { kind: 'override', name: 'NumPy', version: '1' },
      { kind: 'override', name: 'numpy', version: '2' }
    );
    expect(optionsOf(edits)).toEqual({
      additions: ['foo-bar[x]>=2'],
      overrides: { numpy: '2' }
    });
  });

  it('never add and remove the same', () => {
    const added: Edit = { kind: 'addition', requirement: 'six' };
    const removed: Edit = { kind: 'removal', name: 'Six' };
    expect(edited(added, removed)).toEqual([removed]);
    expect(edited(removed, added)).toEqual([added]);
  });

  it('are taken back by an empty value, or by undo', () => {
    const pin: Edit = { kind: 'override', name: 'numpy', version: '2' };
    const system: Edit = { kind: 'system' };
    expect(edited(pin, { ...pin, version: '' })).toEqual([]);
    expect(withoutEdit(edited(pin, system), pin)).toEqual([system]);
  });
});

describe('requirementName', () => {
  it.each([
    ['six', 'six'],
    ['  Foo.Bar[x,y] >= 1,<2 ; python_version > "3"', 'Foo.Bar'],
    ['a @ https://example.test/a.whl', 'a'],
    ['-e .', ''],
    ['foo-', ''],
    ['', '']
  ])('reads %j as %j', (requirement, name) => {
    expect(requirementName(requirement)).toBe(name);
  });
});
