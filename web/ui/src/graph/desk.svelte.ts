// What the graph page holds: the sheet of what somebody did, the answers that it needs, and what follows from both.
import { answered, api, Problem, readTrouble, type Reply, type Schemas, type Trouble } from '../api/client';
import { Asked } from '../lib/asked.svelte';
import { pack, unpack } from './codec';
import { begin, redo, step, undo, type History } from './history';
import { build, join, type Part } from './net';
import { placeAll, placesOf } from './place';
import { blank, type Growth, type Sheet } from './sheet';
import { fromCase, fromNeighbours, fromTransaction, fromWays } from './sources';
import type { Start } from './start';
import { keyOf, type Net, type Point, type Source } from './types';

const nothing: Source = { nodes: [], movements: [], gaps: [] };

export class GraphDesk {
  readonly first = new Asked<Source>();
  history = $state.raw<History<Sheet>>(begin(blank));
  /** The answers to what was grown, by the question. */
  private grown = $state.raw<ReadonlyMap<string, Part>>(new Map());
  private arranged = $state.raw<ReadonlyMap<string, Point>>(new Map());
  trouble = $state.raw<Trouble>();
  busy = $state(0);
  start = $state.raw<Start>({});

  readonly sheet = $derived(this.history.now);
  readonly all = $derived.by((): Source => {
    const parts: Part[] = [{ source: this.first.value ?? nothing }];
    for (const growth of this.sheet.grown) {
      const part = this.grown.get(JSON.stringify(growth));
      if (part) parts.push(part);
    }
    return join(parts);
  });
  readonly net = $derived<Net>(build(this.all, this.sheet, this.start.group === 'entity'));
  readonly places = $derived.by(() => {
    const known = new Map<string, Point>(this.arranged);
    for (const node of this.first.value?.nodes ?? [])
      if (node.x !== undefined && node.y !== undefined && !known.has(node.key)) known.set(node.key, { x: node.x, y: node.y });
    return placesOf(this.net, this.sheet, placeAll(this.all, known));
  });
  /** Where the graph begins, for a shape of its own. */
  readonly starts = $derived.by(() => {
    const { address, way } = this.start;
    const list = address
      ? [keyOf(address.chain, address.address)]
      : way
        ? [keyOf(way.chain, way.from), keyOf(way.chain, way.to)]
        : [];
    return new Set(list);
  });
  readonly assets = $derived.by(() => {
    const list = new Map<string, string>();
    for (const m of this.all.movements) if (m.colour && m.link === undefined && !list.has(m.colour)) list.set(m.colour, m.asset);
    return list;
  });

  /** Begins at something; the sheet is what a link says was done there. */
  async begin(start: Start, state: string): Promise<void> {
    this.start = start;
    this.grown = new Map();
    this.arranged = new Map();
    let sheet = blank;
    try {
      sheet = await unpack(state);
      this.trouble = undefined;
    } catch (cause) {
      this.fail(cause);
    }
    this.history = begin(sheet);
    void this.first.ask((signal) => this.question(start, signal));
    for (const growth of sheet.grown) void this.fetch(growth);
  }

  do(sheet: Sheet): void {
    this.history = step(this.history, sheet);
    for (const growth of sheet.grown) if (!this.grown.has(JSON.stringify(growth))) void this.fetch(growth);
  }
  undo(): void {
    this.history = undo(this.history);
  }
  redo(): void {
    this.history = redo(this.history);
  }

  /** Lets the server place everything that is shown. */
  async arrange(): Promise<void> {
    const nodes = [...this.net.nodes.keys()].map((key) => ({ key }));
    const edges = [...this.net.edges.values()].map(({ from, to }) => ({ from, to }));
    await this.during(async () => {
      const placed = await answered(api.POST('/v1/graph/layout', { body: { nodes, edges } }));
      this.arranged = new Map(placed.nodes.map(({ key, x, y }) => [key, { x, y }]));
      this.do({ ...this.sheet, pins: {} });
    });
  }

  /** What was done, for a link; empty where it is too long for one. */
  packed(): Promise<string> {
    return pack(this.sheet);
  }

  private async fetch(growth: Growth): Promise<void> {
    await this.during(async () => {
      const part = await this.grow(growth);
      this.grown = new Map([...this.grown, [JSON.stringify(growth), part]]);
    });
  }

  private async during(work: () => Promise<void>): Promise<void> {
    this.busy++;
    try {
      await work();
      this.trouble = undefined;
    } catch (cause) {
      this.fail(cause);
    }
    this.busy--;
  }

  private fail(cause: unknown): void {
    this.trouble =
      cause instanceof Problem
        ? cause.trouble
        : readTrouble({ title: cause instanceof Error ? cause.message : String(cause) }, 0);
  }

  /** How a case is asked about here. */
  private selector() {
    const { method, as_of, colour } = this.start;
    return {
      ...(method ? { method: method as Schemas['Method'] } : {}),
      ...(as_of ? { as_of } : {}),
      ...(colour ? { colour } : {}),
    };
  }

  private async question(start: Start, signal: AbortSignal): Promise<Reply<Source | Schemas['Job']>> {
    if (start.case) {
      const { group, limit, least, since, until, hops, root } = start;
      const query = {
        ...this.selector(),
        ...(group ? { group } : {}),
        ...(limit ? { limit } : {}),
        ...(least ? { least } : {}),
        ...(since ? { since } : {}),
        ...(until ? { until } : {}),
        ...(hops ? { hops } : {}),
        ...(root ? { root } : {}),
      };
      const reply = await api.GET('/v1/cases/{id}/graph', { params: { path: { id: start.case }, query }, signal });
      return told(reply, (graph) => fromCase(graph as Schemas['FlowGraph']));
    }
    if (start.address) {
      const { chain, address } = start.address;
      const reply = await api.GET('/v1/addresses/{chain}/{address}/neighbours', {
        params: { path: { chain, address }, query: { limit: 50 } },
        signal,
      });
      return told(reply, (page) => fromNeighbours(chain, address, page));
    }
    if (start.tx) {
      const reply = await api.GET('/v1/txs/{chain}/{id}/graph', { params: { path: start.tx }, signal });
      return told(reply, fromTransaction);
    }
    if (start.way) {
      const { chain, from, to } = start.way;
      const reply = await api.GET('/v1/paths/{chain}', { params: { path: { chain }, query: { from, to } }, signal });
      return told(reply, (ways) => fromWays(chain, from, to, ways));
    }
    return { data: nothing, response: new Response() };
  }

  private async grow(growth: Growth): Promise<Part> {
    switch (growth.kind) {
      case 'near': {
        const { chain, address, direction, asset, least, since, until, limit } = growth;
        const query = {
          direction,
          ...(asset ? { asset } : {}),
          ...(least ? { least } : {}),
          ...(since ? { since } : {}),
          ...(until ? { until } : {}),
          limit: limit ?? 25,
        };
        const page = await answered(
          api.GET('/v1/addresses/{chain}/{address}/neighbours', { params: { path: { chain, address }, query } }),
        );
        return { source: fromNeighbours(chain, address, page) };
      }
      case 'case': {
        const { root, hops, least, since, until } = growth;
        const query = {
          ...this.selector(),
          root,
          hops,
          ...(least ? { least } : {}),
          ...(since ? { since } : {}),
          ...(until ? { until } : {}),
        };
        const graph = await answered(api.GET('/v1/cases/{id}/graph', { params: { path: { id: this.start.case ?? '' }, query } }));
        return { source: fromCase(graph as Schemas['FlowGraph']), root };
      }
      case 'back': {
        const query = { ...this.selector(), at: growth.at, ...(growth.colour ? { colour: growth.colour } : {}) };
        const way = await answered(api.GET('/v1/cases/{id}/path', { params: { path: { id: this.start.case ?? '' }, query } }));
        return { source: fromCase((way as Schemas['FlowPath']).graph) };
      }
      case 'tx':
        return { source: fromTransaction(await answered(api.GET('/v1/txs/{chain}/{id}/graph', { params: { path: growth } }))) };
      case 'way': {
        const { chain, from, to, hops, since } = growth;
        const query = { from, to, hops, ...(since ? { since } : {}) };
        return {
          source: fromWays(chain, from, to, await answered(api.GET('/v1/paths/{chain}', { params: { path: { chain }, query } }))),
        };
      }
    }
  }
}

/** A reply with its answer as a part of a graph; one that names a job, or a problem, stays what it is. */
function told<T>(
  reply: { data?: T; error?: unknown; response: Response },
  as: (answer: T) => Source,
): Reply<Source | Schemas['Job']> {
  if (reply.error !== undefined || reply.data === undefined) return { error: reply.error, response: reply.response };
  if (reply.response.status === 202) return { data: reply.data as unknown as Schemas['Job'], response: reply.response };
  return { data: as(reply.data), response: reply.response };
}
