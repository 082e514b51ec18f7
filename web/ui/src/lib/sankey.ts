// Where the bars and bands of a flow chart are drawn. The columns are the server's; only the heights and the order
// within a column are found here.
import { sankey, sankeyLinkHorizontal, type SankeyGraph } from 'd3-sankey';
import type { Schemas } from '../api/client';
import { rough } from './amounts';

type Chart = Schemas['SankeyChart'];
type Node = Schemas['SankeyNode'];
type Band = Schemas['SankeyBand'];

export interface Bar {
  node: Node;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Ribbon {
  band: Band;
  path: string;
  width: number;
}

export interface Drawing {
  bars: Bar[];
  ribbons: Ribbon[];
}

const barWidth = 14;
const gap = 22;
/** What is left free at the right for the labels of the last column. */
export const labelRoom = 190;

interface NodeShape {
  node: Node;
}
interface LinkShape {
  band: Band;
  source: string;
  target: string;
  value: number;
}

/** Lays a chart out in a box. A chart without bands is drawn as nothing. */
export function draw(chart: Chart, width: number, height: number): Drawing {
  const keys = new Set(chart.nodes.map((node) => node.key));
  const bands = chart.bands.filter((band) => keys.has(band.from) && keys.has(band.to));
  if (bands.length === 0) return { bars: [], ribbons: [] };
  // d3 writes into what it is given.
  const graph: SankeyGraph<NodeShape, LinkShape> = {
    nodes: chart.nodes.map((node) => ({ node })),
    links: bands.map((band) => ({ band, source: band.from, target: band.to, value: rough(band.origin, chart.asset) })),
  };
  const layout = sankey<NodeShape, LinkShape>()
    .nodeId((n) => n.node.key)
    .nodeAlign((n) => (n as unknown as NodeShape).node.column)
    .nodeWidth(barWidth)
    .nodePadding(gap)
    .extent([
      [0, 10],
      [width - labelRoom, height - 10],
    ]);
  const drawn = layout(graph);
  const path = sankeyLinkHorizontal<NodeShape, LinkShape>();
  return {
    bars: drawn.nodes.map((n) => ({
      node: n.node,
      x: n.x0 ?? 0,
      y: n.y0 ?? 0,
      width: (n.x1 ?? 0) - (n.x0 ?? 0),
      height: Math.max(1.5, (n.y1 ?? 0) - (n.y0 ?? 0)),
    })),
    ribbons: drawn.links.map((l) => ({ band: l.band, path: path(l) ?? '', width: Math.max(1, l.width ?? 0) })),
  };
}

/** How high a chart must be for its fullest column to be readable. */
export function heightOf(chart: Chart): number {
  const count = new Map<number, number>();
  for (const node of chart.nodes) count.set(node.column, (count.get(node.column) ?? 0) + 1);
  return Math.min(1600, Math.max(260, Math.max(0, ...count.values()) * 40));
}
