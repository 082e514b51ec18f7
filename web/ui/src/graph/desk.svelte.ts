// What the graph page holds: the sheet of what somebody did, the answers that it needs, and what follows from both.
import { Problem, readTrouble, type Trouble } from '../api/client';
import { Asked } from '../lib/asked.svelte';
import { messages } from '../lib/told.svelte';
import { growthQuestion, layout, startQuestion, stolenAssets } from './ask';
import { pack, unpack } from './codec';
import { begin, each, redo, step, undo, type History } from './history';
import { build, join, type Part } from './net';
import { placeAll, placesOf } from './place';
import { arrange, blank, ungrow, type Growth, type Sheet } from './sheet';
import type { Start } from './start';
import { keyOf, type Net, type Point, type Source } from './types';

const nothing: Source = { nodes: [], movements: [], gaps: [] };

export class GraphDesk {
  readonly first = new Asked<Source>();
  history = $state.raw<History<Sheet>>(begin(blank));
  /** The answers to what was grown, by the question. */
  private grown = $state.raw<ReadonlyMap<string, Part>>(new Map());
  /** The server's places for whole graphs, by what was grown until then. */
  private layouts = $state.raw<ReadonlyMap<string, ReadonlyMap<string, Point>>>(new Map());
  private asking = new Set<string>();
  trouble = $state.raw<Trouble>();
  busy = $state(0);
  start = $state.raw<Start>({});
  /** Whether it is known what was done with the graph. */
  opened = $state(false);

  readonly sheet = $derived(this.history.now);
  readonly all = $derived(this.joined(this.sheet.grown.length));
  readonly net = $derived<Net>(build(this.all, this.sheet, this.start.group === 'entity'));
  /** Whether the server placed what the graph begins with, and nothing was arranged since. */
  private readonly placed = $derived(
    this.sheet.arranged === 0 && !!this.first.value?.nodes.every((n) => n.x !== undefined && n.y !== undefined),
  );
  private readonly layoutKey = $derived(JSON.stringify(this.sheet.grown.slice(0, this.sheet.arranged)));
  /** The places that stay when the graph grows. */
  readonly base = $derived.by((): ReadonlyMap<string, Point> | undefined => {
    if (!this.placed) return this.layouts.get(this.layoutKey);
    return new Map((this.first.value?.nodes ?? []).map(({ key, x = 0, y = 0 }) => [key, { x, y }]));
  });
  readonly places = $derived(placesOf(this.net, this.sheet, placeAll(this.all, this.base ?? new Map())));
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
  /** The stolen asset of each colour, as the case says. */
  assets = $state.raw<ReadonlyMap<string, string>>(new Map());

  /** Begins at something; the sheet is what a link says was done there. */
  async begin(start: Start, state: string): Promise<void> {
    this.opened = false;
    this.start = start;
    this.grown = new Map();
    this.layouts = new Map();
    this.asking.clear();
    this.assets = new Map();
    let sheet = blank;
    try {
      sheet = await unpack(state);
      this.trouble = undefined;
    } catch (cause) {
      this.fail(cause);
    }
    if (start !== this.start) return;
    this.history = begin(sheet);
    this.opened = true;
    void this.first.ask(startQuestion(start)).then(() => this.learnColours(start));
    for (const growth of sheet.grown) void this.fetch(growth);
  }

  do(sheet: Sheet): void {
    this.trouble = undefined;
    this.history = step(this.history, sheet);
    for (const growth of sheet.grown) if (!this.grown.has(JSON.stringify(growth))) void this.fetch(growth);
  }
  undo(): void {
    this.history = undo(this.history);
  }
  redo(): void {
    this.history = redo(this.history);
  }

  /** Forgets what is being asked. */
  end(): void {
    this.first.end();
  }

  /** Lets the server place everything, also what was added since. */
  arrange(): void {
    this.do(arrange(this.sheet));
  }

  /** Asks for the places that are not known yet: call it in an effect. */
  settle(): void {
    const key = this.layoutKey;
    const parts = this.joined(this.sheet.arranged);
    const answered = this.sheet.grown.slice(0, this.sheet.arranged).every((g) => this.grown.has(JSON.stringify(g)));
    if (this.placed || !answered || parts.nodes.length === 0 || this.layouts.has(key) || this.asking.has(key)) return;
    this.asking.add(key); // once: what the server refuses to place is placed here, beside its neighbours
    void this.during(() => this.place(key, parts));
  }

  private async place(key: string, all: Source): Promise<void> {
    const start = this.start;
    const places = await layout(all);
    if (start === this.start) this.layouts = new Map([...this.layouts, [key, places]]);
  }

  /** All answers until one growth as one graph. */
  private joined(until: number): Source {
    const parts: Part[] = [{ source: this.first.value ?? nothing }];
    for (const growth of this.sheet.grown.slice(0, until)) {
      const part = this.grown.get(JSON.stringify(growth));
      if (part) parts.push(part);
    }
    return join(parts);
  }

  private async learnColours(start: Start): Promise<void> {
    if (!start.case || !this.first.value) return;
    await this.during(async () => {
      const assets = await stolenAssets(start);
      if (start === this.start) this.assets = assets;
    });
  }

  /** What was done, for a link; empty where it is too long for one. */
  packed(): Promise<string> {
    return pack(this.sheet);
  }

  private async fetch(growth: Growth): Promise<void> {
    const start = this.start;
    const key = JSON.stringify(growth);
    if (this.asking.has(key)) return;
    this.asking.add(key);
    const asked = new Asked<Source>();
    this.busy++;
    await asked.ask(growthQuestion(start, growth));
    this.busy--;
    this.asking.delete(key);
    if (start !== this.start) return;
    if (asked.value) {
      const part: Part = { source: asked.value, ...(growth.kind === 'case' ? { root: growth.root } : {}) };
      if (this.opened && this.adds(part.source) === 0) messages.say('Nothing was found that is not in the graph already.');
      this.grown = new Map([...this.grown, [key, part]]);
      return;
    }
    this.trouble = asked.trouble;
    this.history = each(this.history, (sheet) => ungrow(sheet, growth)); // what was refused is no step
  }

  /** How many nodes and movements of an answer are not there yet. */
  private adds(source: Source): number {
    const nodes = new Set(this.all.nodes.map((n) => n.key));
    const edges = new Set(this.all.movements.map((m) => `${m.from}\n${m.to}`));
    return (
      source.nodes.filter((n) => !nodes.has(n.key)).length +
      source.movements.filter((m) => !edges.has(`${m.from}\n${m.to}`)).length
    );
  }

  private async during(work: () => Promise<void>): Promise<void> {
    this.busy++;
    try {
      await work();
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
}
