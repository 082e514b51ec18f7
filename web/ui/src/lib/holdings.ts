// The league table of who holds how much. The description of the API leaves the parts of the report to the command
// that makes it, `coldtrail holdings --json`; they are named here.
import type { Schemas } from '../api/client';

/** What a figure of a holding rests on, strongest first, in words for people. */
export const evidence: Record<string, { name: string; says: string }> = {
  verified: { name: 'verified', says: 'Addresses that the owner or a court published.' },
  attributed: { name: 'attributed', says: 'Addresses that a named provider labels.' },
  'self-reported': { name: 'self-reported', says: 'The owner’s word, without addresses.' },
  inferred: { name: 'inferred', says: 'Addresses that clustering adds.' },
  'custody-dependent': { name: 'custody-dependent', says: 'Addresses of a custodian.' },
  estimated: { name: 'estimated', says: 'A third party’s figure without addresses.' },
};

/** One statement on a holding. */
export interface StatedRow {
  actor: string;
  name: string;
  asset: string;
  /** Whole units, as stated. */
  quantity: string;
  as_of: string;
  by: string;
  kind: string;
  stated_usd?: string;
  unranked?: string;
  note?: string;
  rank?: number;
  symbol: string;
  /** Base units. */
  amount: string;
  value_usd?: string;
  share_ppm: number | null;
  age_days: number;
  stale: boolean;
  also?: StatedRow[];
  source_numbers: number[];
}

export interface Stated {
  asset: string;
  symbol: string;
  decimals: number;
  price: { value_e8: number; close: number; market: string; source: string; stale: boolean } | null;
  price_missing?: string;
  price_source_number?: number;
  rows: StatedRow[];
  unranked: StatedRow[];
  besides: StatedRow[];
  total: { amount: string; value_usd?: string; rule: string };
}

/** A sum of values; the dollars are missing where a price is. */
export interface Range {
  value_usd?: string;
  rows: number;
  unvalued: number;
}

export interface DerivedRow {
  kind: string;
  chain: string;
  asset: string;
  symbol?: string;
  address: string;
  amount: string;
  confidence: number;
  by: string;
  source?: string;
  value_usd?: string;
  price_missing?: string;
  stale: boolean;
}

export interface DerivedEntity {
  actor: string;
  name: string;
  rank?: number;
  strict: Range;
  probable: Range;
  possible: Range;
  rows: DerivedRow[];
}

export interface Source {
  id: string;
  by: string;
  title: string;
  uri?: string;
  date: string;
  quotes?: string;
}

export interface Holdings {
  as_of: string;
  stated: Stated;
  derived: { entities: DerivedEntity[]; left_out: string[] };
  sources: Source[];
  digest: string;
}

export function holdingsOf(report: Schemas['HoldingsReport']): Holdings {
  return report as unknown as Holdings;
}

/** The newest day that a statement in the table is of; empty where there is none. */
export function newestDay(report: Holdings): string {
  return report.stated.rows.reduce((newest, row) => (row.as_of > newest ? row.as_of : newest), '');
}

/** Whether nothing in the table was known of late: every statement is stale, and no address shows anything. */
export function isOld(report: Holdings): boolean {
  return report.derived.entities.length === 0 && report.stated.rows.length > 0 && report.stated.rows.every((row) => row.stale);
}

/** How much more or less another statement says than a row, in base units and in words. */
export function difference(row: StatedRow, other: StatedRow): { units: string; more: boolean; same: boolean } {
  const by = BigInt(other.amount) - BigInt(row.amount);
  return { units: (by < 0n ? -by : by).toString(), more: by > 0n, same: by === 0n };
}

/** Days to look at the table on: the last one and others at even distances before it, oldest first. */
export function sampleDays(last: string, span: number, samples: number): string[] {
  const end = Date.parse(`${last}T00:00:00Z`);
  const days: string[] = [];
  for (let i = samples - 1; i >= 0; i--) {
    const before = Math.round((span * i) / (samples - 1));
    const day = new Date(end - before * 86_400_000).toISOString().slice(0, 10);
    if (day !== days.at(-1)) days.push(day);
  }
  return days;
}

/** A source's address as a link, if it is one of the web. */
export function webLink(uri: string | undefined): string | undefined {
  if (!uri) return undefined;
  try {
    const url = new URL(uri);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}
