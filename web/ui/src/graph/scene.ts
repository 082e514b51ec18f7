// A graph as lines, shapes and words at places: what files of pictures are made of.
import { edgeColour, colourOf, labelOf, shapeOf, type Shape } from './look';
import type { Sheet } from './sheet';
import type { Net, Point } from './types';
import { edgeText, widths, type Measures } from './units';

export interface Scene {
  width: number;
  height: number;
  lines: { from: Point; to: Point; width: number; colour: string; title: string }[];
  nodes: { at: Point; size: number; shape: Shape; colour: string; label: string; title: string }[];
}

const margin = 60;
const nodeSize = 10;

export function scene(
  net: Net,
  places: ReadonlyMap<string, Point>,
  sheet: Sheet,
  measures: Measures,
  starts: ReadonlySet<string>,
): Scene {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const key of net.nodes.keys()) {
    const at = places.get(key);
    if (!at) continue;
    [left, top, right, bottom] = [Math.min(left, at.x), Math.min(top, at.y), Math.max(right, at.x), Math.max(bottom, at.y)];
  }
  if (left > right) [left, top, right, bottom] = [0, 0, 0, 0];
  const point = (key: string): Point => {
    const at = places.get(key) ?? { x: left, y: top };
    return { x: at.x - left + margin, y: at.y - top + margin };
  };
  const thick = widths(net);
  return {
    width: right - left + 2 * margin + columnOfWords,
    height: bottom - top + 2 * margin,
    lines: [...net.edges.values()].map((edge) => ({
      ...shorten(point(edge.from), point(edge.to)),
      width: (thick.get(edge.key) ?? 1) * 0.8,
      colour: edgeColour(edge),
      title: edgeText(edge, measures),
    })),
    nodes: [...net.nodes.values()].map((node) => ({
      at: point(node.key),
      size: nodeSize,
      shape: shapeOf(node, starts.has(node.key)),
      colour: colourOf(node, sheet.marks[node.key]),
      label: labelOf(node, sheet),
      title: node.address ?? node.tx ?? node.label,
    })),
  };
}

// Names of the last column are written to the right of it.
const columnOfWords = 200;

/** A line ends where the node begins, so that its head is seen. */
function shorten(from: Point, to: Point): { from: Point; to: Point } {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length <= 2 * nodeSize) return { from, to };
  const [dx, dy] = [((to.x - from.x) / length) * nodeSize, ((to.y - from.y) / length) * nodeSize];
  return { from: { x: from.x + dx, y: from.y + dy }, to: { x: to.x - dx * 1.2, y: to.y - dy * 1.2 } };
}

/** The corners of a shape, or nothing where it is round. */
export function corners(shape: Shape, at: Point, size: number): Point[] | undefined {
  const angles: Partial<Record<Shape, [number, number]>> = {
    square: [4, 45],
    diamond: [4, 0],
    triangle: [3, -90],
    hexagon: [6, 0],
  };
  const form = angles[shape];
  if (!form) return undefined;
  const [count, turned] = form;
  return Array.from({ length: count }, (_, i) => {
    const angle = ((turned + (360 / count) * i) * Math.PI) / 180;
    return { x: round(at.x + size * Math.cos(angle)), y: round(at.y + size * Math.sin(angle)) };
  });
}

/** The head of an arrow. */
export function head({ from, to, width }: { from: Point; to: Point; width: number }): Point[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const [long, wide] = [6 + width * 1.5, 3 + width * 0.8];
  return [
    { x: round(to.x), y: round(to.y) },
    { x: round(to.x - dx * long - dy * wide), y: round(to.y - dy * long + dx * wide) },
    { x: round(to.x - dx * long + dy * wide), y: round(to.y - dy * long - dx * wide) },
  ];
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
