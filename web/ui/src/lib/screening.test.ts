import { describe, expect, it } from 'vitest';
import { csv } from './csv';
import { asTable, counts, passes, rowsOf, withVerdicts, type BatchVerdict, type Basis } from './screening';

const a = '0x47666fab8bd0ac7003bce3f5c3585383f09486e2';
const wish = { chain: '', purpose: '' as const, asset: '', amount: '' };
const basis: Basis = {
  index: 1,
  heads: { 'eip155:1': { height: 9, hash: '', time: 900 } },
  labels: '',
  policy: '',
  cases: '',
  rules: '',
};
const severe: BatchVerdict = {
  subject: a,
  chain: 'eip155:1',
  level: 'severe',
  outcome: 'refuse',
  score: 90,
  reasons: [
    { code: 'taint-direct', outcome: 'refuse', why: 'Stolen.', fact: 0 },
    { code: 'taint-direct', outcome: 'refuse', why: 'Stolen.', fact: 1 },
  ],
  facts: [
    { kind: 'taint', hops: 0, source: 'case x' },
    { kind: 'label', hops: 0, by: '=evil()' },
  ],
};

describe('rowsOf', () => {
  it('takes chain and wishes from the row first', () => {
    const rows = rowsOf(
      [
        ['chain', 'address'],
        ['bitcoin', 'x'],
        ['', a],
      ],
      { header: true, subject: 1, chain: 0 },
      { chain: 'ethereum', purpose: 'deposit', asset: 'eip155:1/slip44:60', amount: '5' },
    );
    expect(rows.map((row) => row.question)).toEqual([
      { subject: 'x', chain: 'bitcoin', purpose: 'deposit', asset: 'eip155:1/slip44:60', amount: '5' },
      { subject: a, chain: 'ethereum', purpose: 'deposit', asset: 'eip155:1/slip44:60', amount: '5' },
    ]);
    expect(rows.map((row) => row.number)).toEqual([1, 2]);
  });
  it('leaves no row out: what cannot be asked is unknown, and never clean', () => {
    const table = [['', 'note'], ['x'.repeat(201)], ['é'], ['two words'], [a, 'Bitcoin "Cash"'], [a, 'ethereum']];
    const rows = rowsOf(table, { header: false, subject: 0, chain: 1 }, wish);
    expect(rows.map((row) => row.question)).toEqual([...Array(5).fill(undefined), { subject: a, chain: 'ethereum' }]);
    expect(rows.map((row) => row.verdict.reasons[0]?.code)).toEqual([
      'no-address',
      'not-an-address',
      'not-an-address',
      'not-an-address',
      'no-chain',
      'not-asked',
    ]);
    for (const { verdict } of rows) expect([verdict.level, verdict.outcome]).toEqual(['unknown', 'review']);
  });
});

describe('withVerdicts', () => {
  const rows = rowsOf([[''], [a]], { header: false, subject: 0, chain: -1 }, wish);
  it('gives each question its answer', () => {
    const judged = withVerdicts(rows, [severe]);
    expect(judged.map((row) => row.verdict.outcome)).toEqual(['review', 'refuse']);
    expect(counts(judged)).toEqual({ freeze: 0, refuse: 1, review: 1, monitor: 0, allow: 0, unknown: 1 });
    expect(judged.filter((row) => passes(row, 'unknown')).map((row) => row.number)).toEqual([1]);
    expect(judged.filter((row) => passes(row, '')).length).toBe(2);
  });
  it('shows nothing where answers are missing or too many', () => {
    expect(() => withVerdicts(rows, [])).toThrow('asked about 1 and answered for 0');
    expect(() => withVerdicts(rows, [severe, severe])).toThrow('asked about 1 and answered for 2');
  });
});

it('what is taken away says all, and calculates nothing', () => {
  const rows = withVerdicts(rowsOf([['=cmd()'], [a]], { header: false, subject: 0, chain: -1 }, wish), [
    {
      ...severe,
      subject: '=cmd()',
      level: 'unknown',
      outcome: 'review',
      score: 0,
      reasons: [],
      facts: [],
      chain: undefined,
    } as never,
    severe,
  ]);
  const lines = csv(asTable(rows, basis, '17')).split('\r\n');
  expect(lines[1]).toBe("1,'=cmd(),'=cmd(),,review,unknown,0,,,,1970-01-01T00:15:00.000Z,17");
  expect(lines[2]).toBe(`2,${a},${a},eip155:1,refuse,severe,90,taint-direct,Stolen.,case x; =evil(),1970-01-01T00:15:00.000Z,17`);
});
