// What the table of places is filtered and sorted by: the server does both, the address of the page keeps them.
import { unitOf } from './amounts';

export const sortable = ['origin', 'amount', 'hops', 'first', 'last', 'kind', 'chain', 'asset', 'entity'] as const;
export type Sort = (typeof sortable)[number];
export type Order = 'asc' | 'desc';

export const filters = ['colour', 'kind', 'chain', 'asset', 'entity', 'q', 'least'] as const;
type Filter = (typeof filters)[number];

export interface PlaceQuery extends Partial<Record<Filter, string>> {
  sort: Sort;
  order: Order;
}

/** Reads it from the address; what is not understood is left out. */
export function placeQuery(read: (name: string) => string): PlaceQuery {
  const sort = sortable.find((s) => s === read('sort')) ?? 'origin';
  const query: PlaceQuery = { sort, order: read('order') === 'asc' ? 'asc' : 'desc' };
  for (const name of filters) {
    const value = read(name);
    if (value && (name !== 'least' || /^\d+$/.test(value))) query[name] = value;
  }
  return query;
}

/** What pressing a column's head leads to: another column begins with the largest, the same one turns round. */
export function sortedBy(sort: Sort, now: PlaceQuery): { sort: string; order: string } {
  const order = now.sort === sort && now.order === 'desc' ? 'asc' : '';
  return { sort: sort === 'origin' ? '' : sort, order };
}

/** Whole units, as typed, in base units; nothing where it is no amount of the asset. */
export function baseUnits(text: string, asset: string): string | undefined {
  const decimals = unitOf(asset)?.decimals ?? 0;
  const match = /^(\d{1,60})(?:\.(\d*))?$/.exec(text.trim().replaceAll(',', ''));
  if (!match || (match[2] ?? '').length > decimals) return undefined;
  return BigInt((match[1] ?? '') + (match[2] ?? '').padEnd(decimals, '0')).toString();
}
