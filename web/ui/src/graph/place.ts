// Places for nodes that came later: beside the node that they were reached from, in free rows, so that nothing that is
// there already moves. The distances are those of the server's layout.
import type { Sheet } from './sheet';
import type { Net, Point, Source } from './types';

export const columnGap = 240;
export const rowGap = 48;

/** Every node's place: those that are known stay. Equal graphs are placed alike. */
export function placeAll(all: Source, known: ReadonlyMap<string, Point>): Map<string, Point> {
  const grid = new Grid();
  const places = new Map<string, Point>();
  const out = new Map<string, string[]>();
  const into = new Map<string, string[]>();
  for (const m of all.movements) {
    out.set(m.from, [...(out.get(m.from) ?? []), m.to]);
    into.set(m.to, [...(into.get(m.to) ?? []), m.from]);
  }
  const queue: string[] = [];
  const put = (key: string, at: Point) => {
    places.set(key, at);
    grid.take(at);
    queue.push(key);
  };
  for (const { key } of all.nodes) {
    const at = known.get(key);
    if (at) put(key, at);
  }
  let next = 0;
  const spread = () => {
    for (; next < queue.length; next++) {
      const key = queue[next] ?? '';
      const at = places.get(key);
      if (!at) continue;
      for (const to of out.get(key) ?? []) if (!places.has(to)) put(to, grid.free({ x: at.x + columnGap, y: at.y }));
      for (const from of into.get(key) ?? []) if (!places.has(from)) put(from, grid.free({ x: at.x - columnGap, y: at.y }));
    }
  };
  spread();
  for (const { key } of all.nodes) {
    if (places.has(key)) continue;
    put(key, grid.free({ x: 0, y: grid.lowest + rowGap }));
    spread();
  }
  return places;
}

/** Which rows of which columns are taken. */
class Grid {
  lowest = -rowGap;
  private readonly taken = new Set<string>();

  take(at: Point): void {
    this.taken.add(cell(at));
    this.lowest = Math.max(this.lowest, at.y);
  }

  /** The nearest free place in the column, above and below by turns. */
  free(at: Point): Point {
    for (let away = 0; ; away++) {
      for (const sign of [1, -1]) {
        const y = at.y + sign * away * rowGap;
        if (!this.taken.has(cell({ x: at.x, y }))) return { x: at.x, y };
      }
    }
  }
}

function cell({ x, y }: Point): string {
  return `${Math.round(x / columnGap)}:${Math.round(y / rowGap)}`;
}

/** The places of what is shown: pinned, or as placed; a collapsed node is amid its members. */
export function placesOf(net: Net, sheet: Sheet, placed: ReadonlyMap<string, Point>): Map<string, Point> {
  const places = new Map<string, Point>();
  for (const [key, node] of net.nodes) {
    const pinned = sheet.pins[key];
    if (pinned) places.set(key, { x: pinned[0], y: pinned[1] });
    else places.set(key, placed.get(key) ?? amid(node.members ?? [], placed));
  }
  return places;
}

function amid(keys: readonly string[], placed: ReadonlyMap<string, Point>): Point {
  const points = keys.flatMap((key) => placed.get(key) ?? []);
  if (points.length === 0) return { x: 0, y: 0 };
  const mean = (pick: (p: Point) => number) => Math.round(points.reduce((sum, p) => sum + pick(p), 0) / points.length);
  return { x: mean((p) => p.x), y: mean((p) => p.y) };
}
