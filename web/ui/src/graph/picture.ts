// The picture: sigma draws, this says what. One renderer lives as long as the page, so that the camera stays where somebody
// put it while the graph grows.
import { DirectedGraph } from 'graphology';
import Sigma from 'sigma';
import { colour } from '../lib/theme.svelte';
import { colourOf, edgeColour, labelOf, shapeOf, type Shape } from './look';
import { columnGap, rowGap } from './place';
import { margin, pictureSettings, type EdgeLook, type NodeLook } from './settings';
import { drawRing, Room, writeName, type Pens } from './names';
import type { Sheet } from './sheet';
import type { Net, Point } from './types';
import { edgeText, thinnest, widths, type Measures } from './units';

/** What is drawn. */
export interface Shown {
  /** Another one stands for another graph: it is fitted into the frame. */
  base: unknown;
  net: Net;
  places: ReadonlyMap<string, Point>;
  sheet: Sheet;
  measures: Measures;
  starts: ReadonlySet<string>;
  chosen: readonly string[];
  edge: string;
}

/** What somebody does in the picture. */
export interface Deeds {
  choose: (key: string, more: boolean) => void;
  chooseEdge: (key: string) => void;
  expand: (key: string) => void;
  moved: (key: string, to: Point) => void;
}

// More edges are not looked for under the pointer, and not drawn while the picture is moved.
const mostTouched = 4000;
// With more edges, amounts are written only beside those of what is chosen, and of those not beside a whole fan.
const mostWords = 30;
const mostFan = 16;
// Rows are drawn further apart than placed by this much at most.
const mostStretch = 6;

export class Picture {
  private graph = new DirectedGraph<NodeLook, EdgeLook>();
  private readonly sigma: Sigma<NodeLook, EdgeLook>;
  private readonly paints = new Map<string, string>();
  private shown: Shown | undefined;
  private thick = new Map<string, number>();
  private size = 8;
  private stretch = 1;
  private readonly written = new Room();
  private dragged: { key: string; moved: boolean } | undefined;

  constructor(place: HTMLElement, deeds: Deeds) {
    this.sigma = new Sigma<NodeLook, EdgeLook>(this.graph, place, {
      ...pictureSettings,
      defaultDrawNodeLabel: (pen, data) => writeName(pen, data, this.pens(), this.written),
      defaultDrawNodeHover: (pen, data) => drawRing(pen, data, this.pens()),
    });
    this.listen(deeds);
    this.point(place);
  }

  end(): void {
    this.sigma.kill();
  }

  /** Takes the colours of the sheet of styles anew. */
  repaint(): void {
    this.paints.clear();
    if (this.shown) this.fill(this.shown);
  }

  /** Draws; how long a whole graph takes is measured. */
  draw(shown: Shown): void {
    const before = this.shown;
    this.shown = shown;
    const kept = before?.net === shown.net && before.places === shown.places && before.sheet === shown.sheet;
    const same = kept && (before.measures === shown.measures || shown.net.edges.size > mostWords); // amounts are not written then
    if (same) return this.choices(before, shown);
    performance.mark('graph-begin');
    if (before?.base !== shown.base) this.fit();
    else this.fill(shown);
    // Until the next frame but one: what was given to the graphics card has been drawn by then.
    const detail = { nodes: this.graph.order, edges: this.graph.size };
    const drawn = () => performance.measure('graph-drawn', { start: 'graph-begin', detail });
    requestAnimationFrame(() => requestAnimationFrame(drawn));
  }

  /** Shows everything. */
  fit(): void {
    if (!this.shown) return;
    this.scale(this.shown.places);
    this.sigma.setCustomBBox(null);
    this.fill(this.shown);
    this.sigma.setCustomBBox(this.sigma.getBBox()); // what is added later does not move what is there
    this.sigma.getCamera().setState({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
  }

  // Layouts are wide: rows are drawn further apart until they fill the frame, and nodes as large as rows leave room for.
  private scale(places: ReadonlyMap<string, Point>): void {
    const { width, height } = this.sigma.getDimensions();
    const span = { x: columnGap, y: rowGap };
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of places.values())
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    if (left <= right) [span.x, span.y] = [Math.max(span.x, right - left), Math.max(span.y, bottom - top)];
    const room = { x: Math.max(1, width - 2 * margin), y: Math.max(1, height - 2 * margin) };
    this.stretch = Math.min(mostStretch, Math.max(1, (room.y / room.x) * (span.x / span.y)));
    const scale = Math.min(room.x / span.x, room.y / (span.y * this.stretch));
    this.size = Math.min(9, Math.max(1.5, rowGap * this.stretch * scale * 0.42, columnGap * scale * 0.06));
  }

  /** Brings a node into the middle, if it is not well in sight. */
  reveal(key: string): void {
    const at = this.sigma.getNodeDisplayData(key);
    if (!at) return;
    const seen = this.sigma.framedGraphToViewport(at);
    const { width, height } = this.sigma.getDimensions();
    if (seen.x < 60 || seen.y < 60 || seen.x > width - 60 || seen.y > height - 60)
      this.sigma.getCamera().setState({ x: at.x, y: at.y });
  }

  zoom(factor: number): void {
    const camera = this.sigma.getCamera();
    camera.setState({ ratio: camera.getBoundedRatio(camera.ratio * factor) });
  }

  private fill(shown: Shown): void {
    const { net } = shown;
    const graph = new DirectedGraph<NodeLook, EdgeLook>();
    this.thick = widths(net);
    const count = net.nodes.size;
    for (const key of net.nodes.keys()) graph.addNode(key, this.nodeLook(shown, key));
    for (const edge of net.edges.values())
      graph.addDirectedEdgeWithKey(edge.key, edge.from, edge.to, this.edgeLook(shown, edge.key));
    const edges = net.edges.size;
    this.sigma.setSettings({
      enableEdgeEvents: edges <= mostTouched,
      hideEdgesOnMove: edges > mostTouched,
      hideLabelsOnMove: count > 1500,
      renderEdgeLabels: true,
      labelRenderedSizeThreshold: this.size > 5 ? 4 : Math.max(3.5, this.size * 1.6),
      labelColor: { color: this.paint('text') },
      edgeLabelColor: { color: this.paint('soft') },
    });
    this.graph = graph;
    this.sigma.setGraph(graph);
  }

  // Only what is chosen changed: nothing else is drawn anew.
  private choices(before: Shown, shown: Shown): void {
    const nodes = new Set([...before.chosen, ...shown.chosen]);
    const edges = new Set([before.edge, shown.edge]);
    for (const key of nodes) {
      if (!this.graph.hasNode(key)) continue;
      this.graph.mergeNodeAttributes(key, this.nodeLook(shown, key));
      for (const edge of this.graph.edges(key)) edges.add(edge);
    }
    for (const key of edges) if (this.graph.hasEdge(key)) this.graph.mergeEdgeAttributes(key, this.edgeLook(shown, key));
  }

  private nodeLook({ net, places, sheet, starts, chosen }: Shown, key: string): NodeLook {
    const node = net.nodes.get(key);
    const at = places.get(key) ?? { x: 0, y: 0 };
    const highlighted = chosen.includes(key);
    const shape: Shape = node ? shapeOf(node, starts.has(key)) : 'circle';
    return {
      x: at.x,
      y: -at.y * this.stretch, // sigma counts upwards
      size: this.size * (highlighted ? 1.3 : 1) * (shape === 'triangle' ? 1.4 : 1),
      color: this.paint(node ? colourOf(node, sheet.marks[key]) : 'fee'),
      label: node ? `${sheet.pins[key] ? 'pinned: ' : ''}${labelOf(node, sheet)}` : key,
      shape,
      type: 'shape',
      highlighted,
      zIndex: highlighted ? 2 : 1,
    };
  }

  private edgeLook({ net, measures, chosen, edge: looked }: Shown, key: string): EdgeLook {
    const edge = net.edges.get(key);
    const width = this.thick.get(key) ?? thinnest;
    if (!edge) return { size: width, color: this.paint('line-strong'), label: '', zIndex: 0, type: 'arrow', forceLabel: false };
    const near = key === looked || chosen.includes(edge.from) || chosen.includes(edge.to);
    const fan = (node: string) =>
      chosen.includes(node) && (net.out.get(node)?.length ?? 0) + (net.into.get(node)?.length ?? 0) <= mostFan;
    const words = net.edges.size <= mostWords || key === looked || fan(edge.from) || fan(edge.to);
    return {
      size: (key === looked ? width + 2 : width) * Math.min(1, this.size / 5),
      color: this.paint(near ? 'accent' : edgeColour(edge)),
      label: words ? edgeText(edge, measures) : '',
      zIndex: near ? 1 : 0,
      type: 'arrow',
      forceLabel: key === looked,
    };
  }

  private paint(name: string): string {
    const value = this.paints.get(name) ?? colour(name);
    this.paints.set(name, value);
    return value;
  }

  private pens(): Pens {
    return {
      text: this.paint('text'),
      ground: this.paint('panel'),
      ring: this.paint('focus'),
      width: this.sigma.getDimensions().width,
    };
  }

  /** The pointer says where something can be pressed. */
  private point(place: HTMLElement): void {
    const as = (cursor: string) => () => (place.style.cursor = cursor);
    for (const event of ['enterNode', 'enterEdge'] as const) this.sigma.on(event, as('pointer'));
    for (const event of ['leaveNode', 'leaveEdge'] as const) this.sigma.on(event, as(''));
  }

  private listen(deeds: Deeds): void {
    const { sigma } = this;
    sigma.on('beforeRender', () => this.written.clear());
    sigma.on('clickNode', ({ node, event }) => deeds.choose(node, event.original.shiftKey));
    sigma.on('doubleClickNode', ({ node, preventSigmaDefault }) => {
      preventSigmaDefault();
      deeds.expand(node);
    });
    sigma.on('clickEdge', ({ edge }) => deeds.chooseEdge(edge));
    sigma.on('downNode', ({ node }) => (this.dragged = { key: node, moved: false }));
    sigma.on('moveBody', ({ event, preventSigmaDefault }) => {
      const { dragged } = this;
      if (!dragged) return;
      dragged.moved = true;
      this.graph.mergeNodeAttributes(dragged.key, sigma.viewportToGraph(event));
      preventSigmaDefault();
    });
    sigma.getMouseCaptor().on('mouseup', () => {
      const { dragged } = this;
      this.dragged = undefined;
      if (!dragged?.moved || !this.graph.hasNode(dragged.key)) return;
      const { x, y } = this.graph.getNodeAttributes(dragged.key);
      const before = this.shown?.places.get(dragged.key);
      const to = { x, y: -y / this.stretch };
      if (!before || Math.abs(before.x - to.x) > 1 || Math.abs(before.y - to.y) > 1) deeds.moved(dragged.key, to);
    });
  }
}
