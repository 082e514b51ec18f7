import { describe, expect, it } from 'vitest';
import type { Schemas } from '../api/client';
import { dataOf, factWords, reasonsOf } from './verdicts';

const basis: Schemas['Basis'] = {
  index: 1,
  heads: { 'eip155:1': { height: 9, hash: '', time: 900 }, 'bip122:0': { height: 5, hash: '', time: 500 } },
  labels: '',
  policy: '',
  cases: '',
  rules: '',
};

describe('reasonsOf', () => {
  it('puts the facts of one reason together and keeps the order', () => {
    const verdict: Schemas['Verdict'] = {
      subject: 'x',
      level: 'severe',
      outcome: 'refuse',
      score: 90,
      reasons: [
        { code: 'taint-direct', outcome: 'refuse', why: 'Stolen.', fact: 1 },
        { code: 'taint-direct', outcome: 'refuse', why: 'Stolen.', fact: 0 },
        { code: 'stale', outcome: 'review', why: 'Old.', fact: -1 },
      ],
      facts: [
        { kind: 'taint', hops: 0 },
        { kind: 'taint', hops: 2 },
      ],
      basis,
    };
    expect(reasonsOf(verdict)).toEqual([
      { code: 'taint-direct', outcome: 'refuse', why: 'Stolen.', facts: [verdict.facts[1], verdict.facts[0]] },
      { code: 'stale', outcome: 'review', why: 'Old.', facts: [] },
    ]);
  });
});

describe('dataOf', () => {
  it('is of the chain, or of the one that is furthest behind', () => {
    expect(dataOf(basis, 'eip155:1')).toBe(900);
    expect(dataOf(basis, undefined)).toBe(500);
    expect(dataOf({ ...basis, heads: {} }, 'eip155:1')).toBeUndefined();
  });
});

describe('factWords', () => {
  it('says which way and how far', () => {
    expect(factWords({ kind: 'taint', direction: 'received', hops: 0 })).toBe('stolen value came to it, directly');
    expect(factWords({ kind: 'counterparty', direction: 'sent', hops: 3 })).toBe('value went from it, 3 hops away');
  });
});
