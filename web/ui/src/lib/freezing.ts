// What could still be frozen, put together by who can do it.
import type { Schemas } from '../api/client';
import { exact } from './amounts';
import { chainName } from './chains';

export type Freezable = Schemas['Freezable'];

export interface Power {
  who: string;
  act: Freezable['act'];
  jurisdictions: string;
  rows: Freezable[];
  /** What the rows stand for, by colour. */
  origins: Map<string, string>;
}

/** Groups rows by who can act, in the order in which they first come: the largest first. */
export function powers(rows: Freezable[]): Power[] {
  const groups = new Map<string, Power>();
  for (const row of rows) {
    const key = `${row.act} ${row.who}`;
    let group = groups.get(key);
    if (!group) {
      group = { who: row.who, act: row.act, jurisdictions: row.jurisdictions ?? '', rows: [], origins: new Map() };
      groups.set(key, group);
    }
    group.rows.push(row);
    const before = group.origins.get(row.colour) ?? '0';
    group.origins.set(row.colour, (BigInt(before) + BigInt(row.origin)).toString());
  }
  return [...groups.values()];
}

/** Rows as text to be pasted into a letter: everything that whoever acts needs, exact. */
export function asText(rows: Freezable[], of: { case: string; method: string; digest: string; left: number }): string {
  const lines = rows.map(
    (row) =>
      `${chainName(row.chain)} ${row.address || row.at}${row.address && row.at !== row.address ? ` (${row.at})` : ''}: ` +
      `${exact(row.amount, row.asset)}, there since ${row.first}, last moved ${row.last}`,
  );
  if (of.left > 0) lines.push(`This is not the whole list: ${of.left} places of the case are not in it.`);
  return [...lines, `Case ${of.case}, traced by ${of.method}, digest ${of.digest}`, ''].join('\n');
}

/** Rows as a table, with a heading. */
export function asTable(rows: Freezable[], asset: (colour: string) => string): string[][] {
  const head = [
    'who',
    'act',
    'jurisdictions',
    'chain',
    'asset',
    'place',
    'address',
    'amount',
    'colour',
    'origin',
    'stolen_asset',
    'first',
    'last',
    'why',
  ];
  return [
    head,
    ...rows.map((r) => [
      r.who,
      r.act,
      r.jurisdictions ?? '',
      r.chain,
      r.asset,
      r.at,
      r.address,
      r.amount,
      r.colour,
      r.origin,
      asset(r.colour),
      r.first,
      r.last,
      r.why,
    ]),
  ];
}
