// What a graph begins at, and how it is asked for: all of it is in the link.

export type Units = 'native' | 'origin' | 'usd';
export type View = 'picture' | 'table';

/** What the query of the route says. */
export interface Start {
  case?: string;
  method?: string;
  as_of?: string;
  colour?: string;
  group?: 'address' | 'entity' | 'cluster';
  limit?: number;
  least?: string;
  since?: string;
  until?: string;
  hops?: number;
  root?: string;
  address?: { chain: string; address: string };
  tx?: { chain: string; id: string };
  way?: { chain: string; from: string; to: string };
}

export interface Query {
  start: Start;
  units: Units;
  /** The day of the prices; the newest where it is empty. */
  day: string;
  view: View;
  /** A packed sheet. */
  state: string;
}

const texts = ['case', 'method', 'as_of', 'colour', 'least', 'since', 'until', 'root'] as const;
const groups = ['address', 'entity', 'cluster'] as const;

/** Reads the query; what is no part of it is left out. */
export function readQuery(query: string): Query {
  const from = new URLSearchParams(query);
  const start: Start = {};
  for (const name of texts) {
    const value = from.get(name);
    if (value) start[name] = value;
  }
  const group = groups.find((g) => g === from.get('group'));
  if (group && group !== 'address') start.group = group;
  const limit = number(from.get('limit'), 10_000);
  if (limit) start.limit = limit;
  const hops = number(from.get('hops'), 1_000_000);
  if (hops) start.hops = hops;
  const [chain = '', one = '', two = ''] = (from.get('address') ?? from.get('tx') ?? from.get('way') ?? '').split('|');
  if (from.has('address') && chain && one) start.address = { chain, address: one };
  else if (from.has('tx') && chain && one) start.tx = { chain, id: one };
  else if (from.has('way') && chain && one && two) start.way = { chain, from: one, to: two };
  const units = from.get('units');
  return {
    start,
    units: units === 'origin' || units === 'usd' ? units : 'native',
    day: /^\d{4}-\d{2}-\d{2}$/.test(from.get('day') ?? '') ? (from.get('day') ?? '') : '',
    view: from.get('view') === 'table' ? 'table' : 'picture',
    state: from.get('s') ?? '',
  };
}

/** Writes what readQuery reads. */
export function writeQuery({ start, units, day, view, state }: Query): string {
  const to = new URLSearchParams();
  for (const name of texts) if (start[name]) to.set(name, start[name]);
  if (start.group && start.group !== 'address') to.set('group', start.group);
  if (start.limit) to.set('limit', String(start.limit));
  if (start.hops) to.set('hops', String(start.hops));
  if (start.address) to.set('address', `${start.address.chain}|${start.address.address}`);
  if (start.tx) to.set('tx', `${start.tx.chain}|${start.tx.id}`);
  if (start.way) to.set('way', `${start.way.chain}|${start.way.from}|${start.way.to}`);
  if (units !== 'native') to.set('units', units);
  if (day) to.set('day', day);
  if (view !== 'picture') to.set('view', view);
  if (state) to.set('s', state);
  return to.toString();
}

/** Whether there is anything to begin at. */
export function begins(start: Start): boolean {
  return !!(start.case || start.address || start.tx || start.way);
}

function number(text: string | null, most: number): number | undefined {
  const value = Number(text ?? '');
  return Number.isSafeInteger(value) && value > 0 && value <= most ? value : undefined;
}
