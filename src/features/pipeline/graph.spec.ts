import { ANALYSIS, trans } from '../../testing/fakes';
import { formatCells, graphOf, reachedBy, relativesOf } from './graph';
import { linkText, stepText } from './words';

const graph = graphOf(ANALYSIS);

describe('graphOf', () => {
  it('says what is handed over: names, files, state, and else code', () => {
    const said = graph.links.map(link => [
      link.from,
      link.to,
      linkText(link, trans)
    ]);
    expect(said).toEqual([
      [0, 1, 'frame, trees'],
      [0, 2, 'rows.csv'],
      [0, 3, 'frame'],
      [1, 3, 'model, the random numbers of numpy']
    ]);
    const [link] = graphOf({
      ...ANALYSIS,
      steps: [
        { name: 'a', cells: [1] },
        { name: 'b', cells: [5], after: ['a'] }
      ]
    }).links;
    expect(linkText(link, trans)).toBe('the code of pd');
  });

  it('leaves out what is after itself, a later step or no step', () => {
    const { links } = graphOf({
      ...ANALYSIS,
      steps: [
        { name: 'a', cells: [1], after: ['b', 'a', 'gone'] },
        { name: 'b', cells: [2], after: ['a'] }
      ]
    });
    expect(links.map(({ from, to }) => [from, to])).toEqual([[0, 1]]);
  });

  it('tells a step in words', () => {
    expect(stepText(graph, 0, trans)).toBe('Step 1 of 4. After nothing.');
    expect(stepText(graph, 1, trans)).toBe(
      'Step 2 of 4. After Load the data (frame, trees). Parameters: trees. ' +
        'Not cacheable, because cell 3 draws random numbers without a seed. ' +
        'Cells that stay together: file: an open file cannot be handed over.'
    );
  });
});

describe('relativesOf', () => {
  it('follows links to the end, both ways', () => {
    expect(relativesOf(graph, 1)).toEqual({
      upstream: new Set([0]),
      downstream: new Set([3])
    });
    expect(relativesOf(graph, 3).upstream).toEqual(new Set([0, 1]));
    expect(relativesOf(graph, 0).downstream).toEqual(new Set([1, 2, 3]));
  });
});

describe('reachedBy', () => {
  it('names the steps that hold a cell which is reached', () => {
    expect(reachedBy(ANALYSIS, 'trees')).toEqual(new Set([1, 3]));
    expect(reachedBy(ANALYSIS, 'shuffle')).toEqual(new Set());
    expect(reachedBy(ANALYSIS, 'unknown')).toEqual(new Set());
  });
});

describe('formatCells', () => {
  it.each([
    [[4], '4'],
    [[3, 4, 5], '3–5'],
    [[5, 1, 2, 9, 8], '1–2, 5, 8–9'],
    [[], '']
  ])('%j', (cells, text) => expect(formatCells(cells)).toBe(text));
});
