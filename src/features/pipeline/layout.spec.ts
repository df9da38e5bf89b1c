import type { IBox, ILayout, Point } from './layout';
import { layOut, pathOf } from './layout';

interface IPair {
  from: number;
  to: number;
}

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

/** A pipeline of up to 40 steps, as dense as chance has it. */
function aPipeline(seed: number) {
  const random = randomOf(seed);
  const heights = Array.from({ length: 1 + random(40) }, () => 30 + random(60));
  const rarity = 1 + random(12);
  const links: IPair[] = [];
  heights.forEach((_, to) => {
    for (let from = 0; from < to; from += 1) {
      if (random(rarity) === 0 || (to - from === 1 && random(2) === 0)) {
        links.push({ from, to });
      }
    }
  });
  return { width: 180 + random(600), heights, links };
}

const overlap = (one: IBox, other: IBox) =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

/** Whether a level or upright piece of a line goes through the inside of a box. */
const crosses = ([x1, y1]: Point, [x2, y2]: Point, box: IBox) =>
  Math.max(x1, x2) > box.x + 0.01 &&
  Math.min(x1, x2) < box.x + box.width - 0.01 &&
  Math.max(y1, y2) > box.y + 0.01 &&
  Math.min(y1, y2) < box.y + box.height - 0.01;

const pieces = (points: readonly Point[]) =>
  points.slice(1).map((point, index) => [points[index], point] as const);

const SEEDS = Array.from({ length: 150 }, (_, seed) => seed);

describe('layOut', () => {
  const cases = SEEDS.map(seed => {
    const input = aPipeline(seed);
    const { width, heights, links } = input;
    return { ...input, layout: layOut(width, heights, links) };
  });
  /** Return what breaks a rule, in all pipelines; one expectation is fast. */
  const broken = <T>(
    rule: (layout: ILayout, input: ReturnType<typeof aPipeline>) => T[]
  ): T[] => cases.flatMap(({ layout, ...input }) => rule(layout, input));

  it('keeps boxes apart, inside the drawing and at their height', () => {
    const outside = broken(({ boxes, width, height }, input) =>
      boxes.filter(
        (box, index) =>
          width > input.width ||
          box.height !== input.heights[index] ||
          box.width < 60 ||
          box.x < 0 ||
          box.x + box.width > width + 0.01 ||
          box.y + box.height > height + 0.01
      )
    );
    expect(outside).toEqual([]);
    const overlapping = broken(({ boxes }) =>
      boxes.filter((box, index) =>
        boxes.slice(index + 1).some(other => overlap(box, other))
      )
    );
    expect(overlapping).toEqual([]);
    expect(cases.some(({ heights }) => heights.length > 30)).toBe(true);
  });

  it('draws each line, from its box down to its box', () => {
    const wrong = broken(({ boxes, routes }, { links }) =>
      links.filter(({ from, to }, index) => {
        const route = routes[index];
        const [start] = route.points;
        const [x, y] = route.points[route.points.length - 1];
        return (
          route.from !== from ||
          route.to !== to ||
          start[1] !== boxes[from].y + boxes[from].height ||
          y !== boxes[to].y ||
          y <= start[1] ||
          x <= boxes[to].x ||
          x >= boxes[to].x + boxes[to].width ||
          pieces(route.points).some(
            ([[x1, y1], [x2, y2]]) => y2 < y1 || (x1 !== x2 && y1 !== y2)
          )
        );
      })
    );
    expect(wrong).toEqual([]);
    expect(broken((_, { links }) => links).length).toBeGreaterThan(1000);
  });

  it('draws no line through a box, or out of the drawing', () => {
    const wrong = broken(({ boxes, routes, width }) =>
      routes
        .flatMap(({ points }) => pieces(points))
        .filter(
          ([one, other]) =>
            Math.min(one[0], other[0]) < 0 ||
            Math.max(one[0], other[0]) > width ||
            boxes.some(box => crosses(one, other, box))
        )
    );
    expect(wrong).toEqual([]);
  });

  it('lets no two lines enter a box at one place', () => {
    const doubled = broken(({ routes }) => {
      const doors = routes.map(({ points, to }) =>
        [to, points[points.length - 1][0].toFixed(3)].join()
      );
      return doors.filter((door, index) => doors.indexOf(door) !== index);
    });
    expect(doubled).toEqual([]);
  });

  it('lets lines of two steps not run over each other', () => {
    const along = broken(({ boxes, routes }) => {
      const gutter = Math.min(...boxes.map(({ x }) => x));
      const all = routes.flatMap(({ from, points }) =>
        pieces(points).map(([one, other]) => ({ from, one, other }))
      );
      const level = all.filter(({ one, other }) => one[0] !== other[0]);
      const lanes = all.filter(
        ({ one, other }) => one[0] === other[0] && one[0] < gutter
      );
      return [
        ...level.filter(({ from, one }) =>
          level.some(line => line.from !== from && line.one[1] === one[1])
        ),
        ...lanes.filter(({ from, one, other }) =>
          lanes.some(
            line =>
              line.from !== from &&
              line.one[0] === one[0] &&
              line.one[1] < other[1] &&
              one[1] < line.other[1]
          )
        )
      ];
    });
    expect(along).toEqual([]);
  });

  it('keeps program order in a row, and uses what room there is', () => {
    const links = [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
      { from: 1, to: 3 },
      { from: 2, to: 3 }
    ];
    const wide = layOut(300, [40, 40, 40, 40], links).boxes;
    expect(wide[1].y).toBe(wide[2].y);
    expect(wide[1].x).toBeLessThan(wide[2].x);
    expect(wide[0].width).toBe(300);
    const narrow = layOut(180, [40, 40, 40, 40], links).boxes;
    expect(new Set(narrow.map(({ y }) => y)).size).toBe(4);
  });

  it('draws a straight line where it can', () => {
    const { routes } = layOut(240, [40, 60], [{ from: 0, to: 1 }]);
    expect(new Set(routes[0].points.map(([x]) => x))).toEqual(new Set([120]));
  });

  it('has nothing to draw of nothing', () => {
    expect(layOut(240, [], [])).toEqual({
      width: 240,
      height: 0,
      boxes: [],
      routes: []
    });
  });

  it('ends with the last box', () => {
    expect(layOut(240, [40], []).height).toBe(40);
  });
});

describe('pathOf', () => {
  it('rounds corners, and never more than half of a side', () => {
    const points: Point[] = [
      [0, 0],
      [0, 10],
      [4, 10],
      [4, 10],
      [4, 30]
    ];
    expect(pathOf(points)).toBe('M0,0L0,8Q0,10 2,10L2,10Q4,10 4,12L4,30');
  });
});
