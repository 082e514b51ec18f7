// The questions to the server that make up a graph.
import { answered, api, type Reply, type Schemas } from '../api/client';
import { fromCase, fromNeighbours, fromTransaction, fromWays } from './sources';
import type { Growth } from './sheet';
import type { Start } from './start';
import type { Point, Source } from './types';

type Question = (signal: AbortSignal) => Promise<Reply<Source | Schemas['Job']>>;

/** How many counterparties are asked for: of the address that a graph begins at, and of one that is expanded. */
const firstNeighbours = 50;
const moreNeighbours = 25;

/** The question for what a graph begins at. */
export function startQuestion(start: Start): Question {
  if (start.case) return caseGraph(start, {});
  if (start.address) return growthQuestion(start, { kind: 'near', ...start.address, direction: 'both', limit: firstNeighbours });
  if (start.tx) return growthQuestion(start, { kind: 'tx', ...start.tx });
  if (start.way) return growthQuestion(start, { kind: 'way', ...start.way, hops: 6 });
  return () => Promise.resolve({ data: { nodes: [], movements: [], gaps: [] }, response: new Response() });
}

export function growthQuestion(start: Start, growth: Growth): Question {
  switch (growth.kind) {
    case 'near': {
      const { kind: _, chain, address, ...filters } = growth;
      void _;
      return (signal) =>
        turned(
          api.GET('/v1/addresses/{chain}/{address}/neighbours', {
            params: { path: { chain, address }, query: { limit: moreNeighbours, ...filters } },
            signal,
          }),
          (page) => fromNeighbours(chain, address, page),
        );
    }
    case 'tx': {
      const { chain, id } = growth;
      return (signal) =>
        turned(api.GET('/v1/txs/{chain}/{id}/graph', { params: { path: { chain, id } }, signal }), fromTransaction);
    }
    case 'way': {
      const { kind: _, chain, ...query } = growth;
      void _;
      return (signal) =>
        turned(api.GET('/v1/paths/{chain}', { params: { path: { chain }, query }, signal }), (ways) =>
          fromWays(chain, growth.from, growth.to, ways),
        );
    }
    case 'case': {
      const { kind: _, ...bounds } = growth;
      void _;
      return caseGraph(start, { ...bounds, limit: 500 });
    }
    case 'back': {
      const colour = growth.colour ?? start.colour;
      return (signal) =>
        turned(
          api.GET('/v1/cases/{id}/path', {
            params: { path: { id: start.case ?? '' }, query: { ...trace(start), at: growth.at, ...(colour ? { colour } : {}) } },
            signal,
          }),
          (path) => fromCase(path.graph),
        );
    }
  }
}

type CaseQuery = Pick<Start, 'least' | 'since' | 'until' | 'hops' | 'root' | 'limit' | 'colour' | 'group'>;

function caseGraph(start: Start, bounds: CaseQuery): Question {
  const names = ['least', 'since', 'until', 'hops', 'root', 'limit', 'colour', 'group'] as const;
  const own = Object.fromEntries(names.filter((n) => start[n] !== undefined).map((n) => [n, start[n]])) as CaseQuery;
  return (signal) =>
    turned(
      api.GET('/v1/cases/{id}/graph', {
        params: { path: { id: start.case ?? '' }, query: { ...trace(start), ...own, ...bounds } },
        signal,
      }),
      fromCase,
    );
}

function trace(start: Start): { method?: Schemas['Method']; as_of?: string } {
  return {
    ...(start.method ? { method: start.method as Schemas['Method'] } : {}),
    ...(start.as_of ? { as_of: start.as_of } : {}),
  };
}

/** A reply with its answer as a part of a graph; one that names a job, or a problem, stays what it is. */
async function turned<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
  turn: (answer: Exclude<T, Schemas['Job']>) => Source,
): Promise<Reply<Source | Schemas['Job']>> {
  const { data, error, response } = await asked;
  if (error !== undefined || data === undefined) return { error, response };
  if (response.status === 202) return { data: data as unknown as Schemas['Job'], response };
  return { data: turn(data as Exclude<T, Schemas['Job']>), response };
}

/** The stolen asset of each colour of a case. */
export async function stolenAssets(start: Start): Promise<Map<string, string>> {
  if (!start.case) return new Map();
  const summary = await answered(
    api.GET('/v1/cases/{id}/summary', { params: { path: { id: start.case }, query: trace(start) } }),
  );
  return new Map('colours' in summary ? summary.colours.map((c) => [c.colour, c.asset]) : []);
}

/** Places for a whole graph. */
export async function layout(all: Source): Promise<Map<string, Point>> {
  const pairs = new Map(
    all.movements.filter((m) => m.from !== m.to).map((m) => [`${m.from}\n${m.to}`, { from: m.from, to: m.to }]),
  );
  const placed = await answered(
    api.POST('/v1/graph/layout', { body: { nodes: all.nodes.map(({ key }) => ({ key })), edges: [...pairs.values()] } }),
  );
  return new Map(placed.nodes.map(({ key, x, y }) => [key, { x, y }]));
}
