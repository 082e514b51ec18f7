import type { Schemas } from '../api/client';

export type Fact = Schemas['Fact'];

/** A reason with all the facts that it was given for. */
export interface Reasoned {
  code: string;
  outcome: Schemas['Outcome'];
  why: string;
  facts: Fact[];
}

/** The reasons of a verdict, each once, in the order of the verdict: the gravest first. */
export function reasonsOf(verdict: Schemas['Verdict']): Reasoned[] {
  const list = new Map<string, Reasoned>();
  for (const { code, outcome, why = '', fact } of verdict.reasons) {
    const key = `${code} ${outcome}`;
    const reason = list.get(key) ?? { code, outcome, why, facts: [] };
    list.set(key, reason);
    const found = verdict.facts[fact];
    if (found) reason.facts.push(found);
  }
  return [...list.values()];
}

/** What a fact is, in words that need no glossary. */
export function factWords(fact: Fact): string {
  const hops = fact.hops === 0 ? 'directly' : fact.hops === 1 ? 'one hop away' : `${fact.hops} hops away`;
  switch (fact.kind) {
    case 'label':
      return 'is said of it';
    case 'cluster':
      return 'is said of another address of the same owner';
    case 'taint':
      return fact.direction === 'sent' ? `stolen value went from it, ${hops}` : `stolen value came to it, ${hops}`;
    case 'counterparty':
      return fact.direction === 'sent' ? `value went from it, ${hops}` : `value came to it, ${hops}`;
  }
}

/** The newest moment that a verdict knows of a chain, in Unix seconds; of the chain that is furthest behind without one. */
export function dataOf(basis: Schemas['Basis'], chain: string | undefined): number | undefined {
  const own = chain ? basis.heads[chain] : undefined;
  if (own) return own.time;
  const times = Object.values(basis.heads).map((head) => head.time);
  return times.length > 0 ? Math.min(...times) : undefined;
}
