// What amounts are shown in, and how thick they are drawn.
import { dollars, rough, short } from '../lib/amounts';
import type { Units } from './start';
import type { GraphEdge, Movement, Net, Share } from './types';

export interface Prices {
  /** Dollars per whole unit, by asset. */
  usd: ReadonlyMap<string, string>;
  /** The days that the prices are of, and whether one was carried on. */
  days: string;
}

/** The days of prices: one, or from the first to the last. */
export function priceDays(list: readonly { day: string; stale?: boolean }[]): string {
  const days = [...new Set(list.map((p) => p.day))].sort();
  const span = days.length > 1 ? `${days[0] ?? ''} to ${days.at(-1) ?? ''}` : (days[0] ?? '');
  return list.some((p) => p.stale) ? `${span}, some carried on from days before` : span;
}

export interface Measures {
  units: Units;
  prices: Prices;
  /** The stolen asset of each colour of the case. */
  assets: ReadonlyMap<string, string>;
}

export function movementText(movement: Movement, { units, prices, assets }: Measures): string {
  const bound = movement.shared ? 'at most ' : '';
  if (units === 'origin') {
    if (movement.origin === undefined) return 'not traced';
    return shareText({ colour: movement.colour ?? '', origin: movement.origin }, assets);
  }
  if (units === 'usd') {
    const price = prices.usd.get(movement.asset);
    const value = price === undefined ? undefined : dollars(movement.amount, movement.asset, price);
    return value === undefined ? 'no price' : bound + value;
  }
  return bound + short(movement.amount, movement.asset);
}

/** A part of a stolen asset. */
export function shareText({ colour, origin }: Share, assets: ReadonlyMap<string, string>): string {
  const asset = assets.get(colour);
  return asset === undefined ? `${short(origin, '')} of ${colour}` : `${short(origin, asset)} stolen`;
}

/** All amounts of an edge, the first few in full. */
export function edgeText(edge: GraphEdge, measures: Measures): string {
  const texts = [...new Set(edge.movements.map((m) => movementText(m, measures)))];
  return texts.length <= 2 ? texts.join(', ') : `${texts.slice(0, 2).join(', ')} and ${texts.length - 2} more`;
}

export const thinnest = 1;
export const thickest = 7;

/** How thick each edge is: by its share of the largest of its colour, or of its asset where nothing is traced. */
export function widths(net: Net): Map<string, number> {
  const most = new Map<string, number>();
  const value = (m: Movement) => (m.origin === undefined ? rough(m.amount, m.asset) : Number(m.origin));
  const group = (m: Movement) => (m.origin === undefined ? `asset ${m.asset}` : `colour ${m.colour ?? ''}`);
  for (const { movements } of net.edges.values())
    for (const m of movements) most.set(group(m), Math.max(most.get(group(m)) ?? 0, value(m)));
  const list = new Map<string, number>();
  for (const { key, movements } of net.edges.values()) {
    const share = Math.max(...movements.map((m) => value(m) / (most.get(group(m)) || 1)));
    list.set(key, thinnest + (thickest - thinnest) * Math.sqrt(share));
  }
  return list;
}
