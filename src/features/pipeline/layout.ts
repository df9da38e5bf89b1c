/** Where a step is drawn. */
export interface IBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Point = readonly [x: number, y: number];

/** The way of a line from the lower side of one box to the upper side of another. */
export interface IRoute {
  from: number;
  to: number;
  points: Point[];
}

export interface ILayout {
  width: number;
  height: number;
  boxes: IBox[];
  routes: IRoute[];
}

interface IPair {
  from: number;
  to: number;
}

/** Between boxes of one row. */
const GAP = 10;
/** A box is not made narrower than this as long as there is another way. */
const NARROW = 112;
/** More does not make it easier to read. */
const WIDEST = 560;
/** Between lines that run side by side. */
const LINE = 6;
/** Between the boxes and the first line of a channel, above and below. */
const ABOVE = 9;
const BELOW = 13;

/**
 * Lay out steps from top to bottom.
 *
 * A step is in the first row below all that it comes after and that has room
 * for it; a row keeps program order. Lines run between the rows, in one
 * channel for each, and pass rows in lanes to the left of all boxes: they
 * never cross a box. The lines of one step run together as long as they can.
 *
 * @param width how wide the drawing may be
 * @param heights of the boxes, in program order
 * @param links pairs of steps; the first comes before the second
 */
export function layOut(
  width: number,
  heights: readonly number[],
  links: readonly IPair[]
): ILayout {
  const room = Math.min(width, WIDEST);
  let most = Math.max(1, Math.floor((room + GAP) / (NARROW + GAP)));
  let plan = planRows(heights.length, links, most, room);
  while (most > 1 && plan.narrowest < NARROW) {
    most -= 1;
    plan = planRows(heights.length, links, most, room);
  }
  const channels = planChannels(plan, links);
  const { boxes, tops } = placeBoxes(plan, heights, channels, room);
  const routes = routeLines(plan, links, channels, boxes, tops);
  const last = tops[tops.length - 1] ?? 0;
  return { width: room, height: last, boxes, routes };
}

interface IPlan {
  /** The row of each step, and the steps of each row. */
  rowOf: number[];
  rows: number[][];
  /** The lane of each step that has a line past a row. */
  laneOf: Map<number, number>;
  gutter: number;
  lane: number;
  narrowest: number;
}

function planRows(
  count: number,
  links: readonly IPair[],
  most: number,
  room: number
): IPlan {
  const rowOf: number[] = [];
  const rows: number[][] = [];
  for (let step = 0; step < count; step += 1) {
    const before = links.filter(({ to }) => to === step);
    let row = Math.max(0, ...before.map(({ from }) => rowOf[from] + 1));
    while ((rows[row]?.length ?? 0) >= most) {
      row += 1;
    }
    rowOf.push(row);
    (rows[row] ??= []).push(step);
  }
  const laneOf = planLanes(rowOf, links);
  const lanes = laneOf.size > 0 ? Math.max(...laneOf.values()) + 1 : 0;
  const lane = Math.min(LINE + 2, (room * 0.3) / Math.max(1, lanes));
  const gutter = lanes > 0 ? lanes * lane + LINE : 0;
  const columns = Math.max(1, ...rows.map(row => row.length));
  const narrowest = (room - gutter - (columns - 1) * GAP) / columns;
  return { rowOf, rows, laneOf, gutter, lane, narrowest };
}

/** Give each step with lines past a row a lane; the shortest are the innermost. */
function planLanes(
  rowOf: readonly number[],
  links: readonly IPair[]
): Map<number, number> {
  const ends = new Map<number, number>();
  for (const { from, to } of links) {
    if (rowOf[to] > rowOf[from] + 1) {
      ends.set(from, Math.max(ends.get(from) ?? 0, rowOf[to]));
    }
  }
  const length = (step: number) => ends.get(step)! - rowOf[step];
  const steps = [...ends.keys()].sort(
    (one, other) => length(one) - length(other) || one - other
  );
  const lanes: number[][] = [];
  const laneOf = new Map<number, number>();
  for (const step of steps) {
    const isApart = (other: number) =>
      ends.get(other)! <= rowOf[step] || ends.get(step)! <= rowOf[other];
    let lane = lanes.findIndex(taken => taken.every(isApart));
    lane = lane < 0 ? lanes.length : lane;
    (lanes[lane] ??= []).push(step);
    laneOf.set(step, lane);
  }
  return laneOf;
}

/**
 * Return, for the space below each row, the steps whose lines turn there, from
 * top to bottom: first those that leave the row above, then those that arrive.
 */
function planChannels(plan: IPlan, links: readonly IPair[]): number[][] {
  const { rowOf, rows } = plan;
  return rows.map((row, above) => {
    const arriving = links
      .filter(({ from, to }) => rowOf[to] === above + 1 && rowOf[from] < above)
      .map(({ from }) => from);
    const leaving = row.filter(step => links.some(({ from }) => from === step));
    return [...new Set([...leaving, ...arriving.sort((a, b) => a - b)])];
  });
}

function placeBoxes(
  plan: IPlan,
  heights: readonly number[],
  channels: readonly number[][],
  room: number
): { boxes: IBox[]; tops: number[] } {
  const boxes: IBox[] = [];
  // Where each channel begins; the last one is the end of the drawing.
  const tops: number[] = [];
  let y = 0;
  plan.rows.forEach((row, index) => {
    const width =
      (room - plan.gutter - (row.length - 1) * GAP) / Math.max(1, row.length);
    row.forEach((step, column) => {
      const x = plan.gutter + column * (width + GAP);
      boxes[step] = { x, y, width, height: heights[step] };
    });
    y += Math.max(...row.map(step => heights[step]));
    tops.push(y);
    const lines = Math.max(1, channels[index].length);
    y += ABOVE + (lines - 1) * LINE + BELOW;
  });
  return { boxes, tops };
}

function routeLines(
  plan: IPlan,
  links: readonly IPair[],
  channels: readonly number[][],
  boxes: readonly IBox[],
  tops: readonly number[]
): IRoute[] {
  const { rowOf, laneOf, gutter, lane } = plan;
  const lineY = (channel: number, step: number) =>
    tops[channel] + ABOVE + channels[channel].indexOf(step) * LINE;
  const laneX = (step: number) =>
    gutter - LINE - (laneOf.get(step) ?? 0) * lane;
  const isLong = ({ from, to }: IPair) => rowOf[to] > rowOf[from] + 1;
  const doors = placeDoors(plan, links, channels, boxes, laneX);
  return links.map((link, index) => {
    const { from, to } = link;
    const start: Point = [center(boxes[from]), bottom(boxes[from])];
    const end: Point = [doors[index], boxes[to].y];
    const out = lineY(rowOf[from], from);
    const points: Point[] = [start, [start[0], out]];
    if (isLong(link)) {
      const inside = lineY(rowOf[to] - 1, from);
      const x = laneX(from);
      points.push([x, out], [x, inside], [end[0], inside]);
    } else {
      points.push([end[0], out]);
    }
    points.push(end);
    return { from, to, points };
  });
}

/** Return the x at which each line enters its box: no two at the same place. */
function placeDoors(
  plan: IPlan,
  links: readonly IPair[],
  channels: readonly number[][],
  boxes: readonly IBox[],
  laneX: (step: number) => number
): number[] {
  const { rowOf, rows } = plan;
  const doors: number[] = [];
  boxes.forEach((box, step) => {
    const middle = center(box);
    const channel = channels[rowOf[step] - 1] ?? [];
    const isAbove = (from: number) =>
      rowOf[from] === rowOf[step] - 1 &&
      Math.abs(center(boxes[from]) - middle) < 1;
    const comesFrom = (from: number) =>
      rowOf[from] < rowOf[step] - 1 ? laneX(from) : center(boxes[from]);
    // Those that turn highest get next to the middle: lines do not cross then.
    const entering = [...links.keys()]
      .filter(index => links[index].to === step)
      .sort(
        (one, other) =>
          channel.indexOf(links[one].from) - channel.indexOf(links[other].from)
      );
    const isTaken = (rows[rowOf[step] - 1] ?? []).some(isAbove);
    const sides: Record<'left' | 'right', number[]> = { left: [], right: [] };
    for (const index of entering) {
      const { from } = links[index];
      if (isAbove(from) || (!isTaken && entering.length === 1)) {
        doors[index] = middle;
      } else {
        sides[comesFrom(from) < middle ? 'left' : 'right'].push(index);
      }
    }
    for (const side of ['left', 'right'] as const) {
      const unit = Math.min(10, (box.width / 2 - LINE) / sides[side].length);
      sides[side].forEach((index, place) => {
        const away = unit * (place + 1);
        doors[index] = middle + (side === 'left' ? -away : away);
      });
    }
  });
  return doors;
}

/** Write a route as the path of an SVG, with round corners. */
export function pathOf(points: readonly Point[], radius = 5): string {
  const way = points.filter(
    (point, index) =>
      index === 0 ||
      point[0] !== points[index - 1][0] ||
      point[1] !== points[index - 1][1]
  );
  const text = [`M${write(way[0])}`];
  for (let index = 1; index < way.length - 1; index += 1) {
    const [before, corner, after] = way.slice(index - 1, index + 2);
    const bend = Math.min(
      radius,
      distance(before, corner) / 2,
      distance(corner, after) / 2
    );
    const begin = towards(corner, before, bend);
    const end = towards(corner, after, bend);
    text.push(`L${write(begin)}`, `Q${write(corner)} ${write(end)}`);
  }
  text.push(`L${write(way[way.length - 1])}`);
  return text.join('');
}

function towards(point: Point, other: Point, length: number): Point {
  const part = length / Math.max(1e-6, distance(point, other));
  return [
    point[0] + (other[0] - point[0]) * part,
    point[1] + (other[1] - point[1]) * part
  ];
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1]);
}

function write([x, y]: Point): string {
  return `${+x.toFixed(1)},${+y.toFixed(1)}`;
}

function center({ x, width }: IBox): number {
  return x + width / 2;
}

function bottom({ y, height }: IBox): number {
  return y + height;
}
