import type { Schemas } from '../api/client';

export type Method = Schemas['Method'];

/** The six ways in which tainted and clean value part, in one plain sentence each. */
export const methods: { method: Method; name: string; says: string }[] = [
  { method: 'fifo', name: 'First in, first out', says: 'What came in first leaves first: the rule of Clayton’s case (1816).' },
  { method: 'haircut', name: 'Pro rata', says: 'Stolen and clean value leave in the proportion in which they lie there.' },
  { method: 'lifo', name: 'Last in, first out', says: 'What came in last leaves first.' },
  { method: 'seniority', name: 'Dirty first', says: 'Stolen value leaves first, in order of arrival, then clean value.' },
  { method: 'tiho', name: 'Taint in, highest out', says: 'As dirty first, but the largest output is served first.' },
  {
    method: 'poison',
    name: 'Any taint taints all',
    says: 'Whatever touches stolen value is tainted whole. An upper bound: it claims no origins.',
  },
];

export function isMethod(text: string): text is Method {
  return methods.some((m) => m.method === text);
}

/** Which trace of a case is meant. */
export interface Chosen {
  id: string;
  method: Method;
  /** A day or a moment; empty is the newest block. */
  asOf: string;
}

/** The query that selects it. */
export function selector(chosen: Chosen): { method: Method; as_of?: string } {
  return { method: chosen.method, ...(chosen.asOf ? { as_of: chosen.asOf } : {}) };
}
