// Walking a graph with the arrow keys: along edges to the right and to the left, and between those that are reached from
// the same node up and down.
import type { Net, Point } from './types';

export type Arrow = 'ArrowRight' | 'ArrowLeft' | 'ArrowUp' | 'ArrowDown';

/** Where a walk is, and from which node it came. */
export interface Walk {
  at: string;
  from?: string;
}

export function isArrow(key: string): key is Arrow {
  return key === 'ArrowRight' || key === 'ArrowLeft' || key === 'ArrowUp' || key === 'ArrowDown';
}

export function walk(net: Net, places: ReadonlyMap<string, Point>, now: Walk | undefined, arrow: Arrow): Walk | undefined {
  if (!now || !net.nodes.has(now.at)) {
    const first = inOrder([...net.nodes.keys()], places)[0];
    return first === undefined ? undefined : { at: first };
  }
  if (arrow === 'ArrowRight' || arrow === 'ArrowLeft') {
    const there = beside(net, places, now.at, arrow === 'ArrowRight');
    const next = there.includes(now.from ?? '') ? now.from : there[0];
    return next === undefined ? now : { at: next, from: now.at };
  }
  const among = siblings(net, places, now);
  const next = among[among.indexOf(now.at) + (arrow === 'ArrowDown' ? 1 : -1)];
  return next === undefined ? now : { ...now, at: next };
}

/** The nodes that edges lead to, or come from, from top to bottom. */
function beside(net: Net, places: ReadonlyMap<string, Point>, key: string, right: boolean): string[] {
  const edges = (right ? net.out : net.into).get(key) ?? [];
  return inOrder(
    edges.map((e) => (right ? e.to : e.from)),
    places,
  );
}

function siblings(net: Net, places: ReadonlyMap<string, Point>, now: Walk): string[] {
  if (now.from !== undefined) {
    for (const right of [true, false]) {
      const there = beside(net, places, now.from, right);
      if (there.includes(now.at)) return there;
    }
  }
  return inOrder([...net.nodes.keys()], places);
}

function inOrder(keys: string[], places: ReadonlyMap<string, Point>): string[] {
  const at = (key: string) => places.get(key) ?? { x: 0, y: 0 };
  return keys.sort((a, b) => at(a).y - at(b).y || at(a).x - at(b).x || (a < b ? -1 : 1));
}
