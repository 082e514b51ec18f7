// Lists of addresses that are judged at once: what is asked of the server, and what is said of its answers.
import type { Schemas } from '../api/client';
import type { Columns } from './csv';
import { distinct } from './lists';
import { dataOf, reasonsOf } from './verdicts';

export type BatchVerdict = Schemas['BatchVerdict'];
export type Basis = Schemas['Basis'];

/** How many the server judges at once. */
export const most = 10_000;

/** What counts for every row that does not say it itself. */
export interface Wish {
  chain: string;
  purpose: Schemas['Purpose'];
  asset: string;
  amount: string;
}

/** A row of a list. */
export interface Row {
  /** Its number in the list, from 1; the names of columns do not count. */
  number: number;
  given: string;
  /** What is asked; nothing where the row cannot be asked about. */
  question?: Schemas['Question'];
  verdict: BatchVerdict;
}

// The server refuses a whole list for one row that is no question. Such rows are judged here: nobody can tell.
const longest = 200;
const longestChain = 80;
const plain = /^[!-~]+$/;
const name = /^[!#-[\]-~]+$/; // without quotation marks and backslashes

/** A verdict for what the server cannot be asked: nobody can tell, which is never clean. */
function untold(given: string, code: string, why: string): BatchVerdict {
  return {
    subject: given,
    level: 'unknown',
    outcome: 'review',
    score: 0,
    reasons: [{ code, outcome: 'review', why, fact: -1 }],
    facts: [],
  };
}

/** The rows of a table, in order. None is left out: what cannot be asked has its verdict at once, and what is asked has none yet. */
export function rowsOf(table: string[][], columns: Columns, wish: Wish): Row[] {
  return table.slice(columns.header ? 1 : 0).map((cells, i) => {
    const given = (cells[columns.subject] ?? '').trim();
    const chain = ((columns.chain < 0 ? '' : cells[columns.chain]) ?? '').trim() || wish.chain.trim();
    const row = { number: i + 1, given, verdict: untold(given, 'not-asked', 'The server did not answer for it.') };
    if (!given) return { ...row, verdict: untold(given, 'no-address', 'The row has nothing in the column of addresses.') };
    if (given.length > longest || !plain.test(given))
      return {
        ...row,
        verdict: untold(given, 'not-an-address', 'It is no address: it is too long, or has signs that no address has.'),
      };
    if (chain && (chain.length > longestChain || !name.test(chain)))
      return {
        ...row,
        verdict: untold(given, 'no-chain', `What the row names as its chain is none: ${chain.slice(0, longestChain)}`),
      };
    const question: Schemas['Question'] = { subject: given };
    if (chain) question.chain = chain;
    if (wish.purpose) question.purpose = wish.purpose;
    if (wish.asset.trim()) question.asset = wish.asset.trim();
    if (wish.amount.trim()) question.amount = wish.amount.trim();
    return { ...row, question };
  });
}

/** The rows with the answers of the server, which are as many as the questions and in their order; else it is an error. */
export function withVerdicts(rows: Row[], verdicts: BatchVerdict[]): Row[] {
  let at = 0;
  const out = rows.map((row) => {
    if (!row.question) return row;
    const verdict = verdicts[at++];
    return verdict ? { ...row, verdict } : row;
  });
  if (at !== verdicts.length)
    throw new Error(`The server was asked about ${at} and answered for ${verdicts.length}; no answer is shown.`);
  return out;
}

/** What rows are filtered by: an outcome, or that nobody can tell. */
export const filters = ['freeze', 'refuse', 'review', 'monitor', 'allow', 'unknown'] as const;
export type Filter = (typeof filters)[number];

export function isFilter(text: string): text is Filter {
  return (filters as readonly string[]).includes(text);
}

export function passes(row: Row, filter: string): boolean {
  return !isFilter(filter) || (filter === 'unknown' ? row.verdict.level : row.verdict.outcome) === filter;
}

/** How many rows pass each filter. */
export function counts(rows: Row[]): Record<Filter, number> {
  return Object.fromEntries(filters.map((filter) => [filter, rows.filter((row) => passes(row, filter)).length])) as Record<
    Filter,
    number
  >;
}

/** A verdict of a list with the basis of the list, unless it has one of its own. */
export function whole(verdict: BatchVerdict, basis: Basis): Schemas['Verdict'] {
  return { ...verdict, basis: verdict.basis ?? basis };
}

/** By whose word a verdict is what it is. */
export function sourcesOf(verdict: BatchVerdict): string[] {
  return distinct(verdict.facts.map((fact) => fact.by ?? fact.source ?? ''));
}

/** What the server says of its audit log: the number of a record, or that there is none. */
export function auditWords(audit: string): string {
  if (/^\d+$/.test(audit)) return `record ${audit}`;
  return audit === 'off' ? 'not kept by this server' : audit;
}

/** The table that people take away. */
export function asTable(rows: Row[], basis: Basis, audit: string): string[][] {
  const head = [
    'row',
    'given',
    'subject',
    'chain',
    'outcome',
    'level',
    'score',
    'reasons',
    'why',
    'sources',
    'data until',
    'audit',
  ];
  return [
    head,
    ...rows.map(({ number, given, verdict }) => {
      const reasons = reasonsOf(whole(verdict, basis));
      const until = dataOf(verdict.basis ?? basis, verdict.chain);
      return [
        String(number),
        given,
        verdict.subject,
        verdict.chain ?? '',
        verdict.outcome,
        verdict.level,
        String(verdict.score),
        distinct(reasons.map((reason) => reason.code)).join(' '),
        distinct(reasons.map((reason) => reason.why)).join(' '),
        sourcesOf(verdict).join('; '),
        until === undefined ? 'unknown' : new Date(until * 1000).toISOString(),
        audit,
      ];
    }),
  ];
}
