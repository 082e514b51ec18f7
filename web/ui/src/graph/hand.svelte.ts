// What somebody has in hand: the chosen nodes or the edge that is looked at, and what can be done with them. The picture,
// the tables, the panel and the keys do the same things through it.
import { messages } from '../lib/told.svelte';
import type { GraphDesk } from './desk.svelte';
import { nameOf } from './look';
import { grow, hide, mark, merge, nextMark, pin, split, type Growth } from './sheet';
import type { GraphNode, Point } from './types';
import { walk, type Arrow, type Walk } from './walk';

export type Direction = 'in' | 'out' | 'both';

/** What is let through when a node is expanded; days are whole days in UTC. */
export interface Filters {
  least: string;
  asset: string;
  since: string;
  until: string;
  /** Only what the case's trace says is tainted. */
  traced: boolean;
}

export const noFilters: Filters = { least: '', asset: '', since: '', until: '', traced: false };

export class Hand {
  chosen = $state.raw<readonly string[]>([]);
  edgeKey = $state('');
  filters = $state<Filters>({ ...noFilters });
  private step: Walk | undefined;
  private readonly desk: GraphDesk;

  constructor(desk: GraphDesk) {
    this.desk = desk;
  }

  /** The node chosen last. */
  readonly node = $derived.by(() => this.desk.net.nodes.get(this.chosen.at(-1) ?? ''));
  readonly edge = $derived.by(() => this.desk.net.edges.get(this.edgeKey));

  choose(key: string, more = false): void {
    const others = this.chosen.filter((k) => k !== key && this.desk.net.nodes.has(k));
    const taken = more && this.chosen.includes(key);
    this.chosen = more ? (taken ? others : [...others, key]) : [key];
    this.edgeKey = '';
    this.step = { at: key };
  }

  chooseEdge(key: string): void {
    this.chosen = [];
    this.edgeKey = key;
  }

  drop(): void {
    this.chosen = [];
    this.edgeKey = '';
    this.step = undefined;
  }

  /** Walks along an edge and chooses where that leads; gives its key. */
  walk(arrow: Arrow, more: boolean): string | undefined {
    this.step = walk(this.desk.net, this.desk.places, this.step, arrow);
    if (!this.step) return undefined;
    const { at } = this.step;
    this.chosen = more ? [...this.chosen.filter((key) => key !== at), at] : [at];
    this.edgeKey = '';
    return at;
  }

  /** Adds what a node leads to, or came from. */
  expand(direction: Direction, node: GraphNode | undefined = this.node): void {
    if (!node) return;
    const growth = this.growth(node, direction);
    if (growth) this.grow(growth);
    else messages.say('Nothing can be asked about this node. Take it apart, and expand one of its addresses.');
  }

  grow(growth: Growth): void {
    const { sheet } = this.desk;
    const next = grow(sheet, growth);
    if (next === sheet) messages.say('That is in the graph already.');
    else this.desk.do(next);
  }

  togglePin(): void {
    const { node } = this;
    const { sheet, places } = this.desk;
    if (node) this.desk.do(pin(sheet, node.key, sheet.pins[node.key] ? undefined : places.get(node.key)));
  }

  pinAt(key: string, at: Point): void {
    this.desk.do(pin(this.desk.sheet, key, at));
  }

  nextMark(): void {
    const { sheet } = this.desk;
    if (this.node) this.desk.do(mark(sheet, this.node.key, nextMark(sheet, this.node.key)));
  }

  hide(): void {
    const keys = this.chosen.filter((key) => this.desk.net.nodes.has(key));
    if (keys.length > 0) this.desk.do(hide(this.desk.sheet, keys));
    this.drop();
  }

  /** Makes what is chosen one node, which is then chosen. */
  collapse(name: string): void {
    const before = this.desk.sheet;
    this.desk.do(merge(before, this.chosen, name));
    const last = this.desk.sheet.merged.at(-1);
    if (this.desk.sheet !== before && last) this.choose(`merged ${last.keys[0] ?? ''}`);
  }

  takeApart(): void {
    if (this.node) this.desk.do(split(this.desk.sheet, this.node.key));
  }

  /** Whether what the case traced can be asked of a node. */
  tracedHere(node: GraphNode | undefined): boolean {
    return !!this.desk.start.case && !!node?.address;
  }

  /** The two chosen addresses between which ways can be looked for. */
  readonly ends = $derived.by(() => {
    const [from, to, ...more] = this.chosen.map((key) => this.desk.net.nodes.get(key));
    if (more.length > 0 || !from?.address || !to?.address || from.chain !== to.chain) return undefined;
    return { from, to, names: `${nameOf(from)} to ${nameOf(to)}` };
  });

  private growth(node: GraphNode, direction: Direction): Growth | undefined {
    const { least, asset, since, until, traced } = this.filters;
    const bounds = {
      ...(/^\d+$/.test(least) ? { least } : {}),
      ...(since ? { since: `${since}T00:00:00Z` } : {}),
      ...(until ? { until: `${until}T23:59:59Z` } : {}),
    };
    if (node.class === 'transaction' && node.tx) return { kind: 'tx', chain: node.chain, id: node.tx };
    if (node.class === 'rest') {
      const before = this.desk.net.into.get(node.key)?.[0]?.from ?? '';
      const root = this.desk.net.nodes.get(before)?.address;
      return root ? { kind: 'case', root, hops: 1, ...bounds } : undefined;
    }
    if (!node.address) return undefined;
    if (traced && this.tracedHere(node) && direction === 'in') return this.wayBack(node);
    if (traced && this.tracedHere(node)) return { kind: 'case', root: node.address, hops: 1, ...bounds };
    return { kind: 'near', chain: node.chain, address: node.address, direction, ...(asset ? { asset } : {}), ...bounds };
  }

  /** The way from the theft to a node; of the first colour that came there. */
  wayBack(node: GraphNode): Growth {
    const colour = this.desk.start.colour ?? node.received[0]?.colour ?? node.ended[0]?.colour;
    return { kind: 'back', at: node.address ?? '', ...(colour ? { colour } : {}) };
  }
}
