import { describe, expect, it, test } from 'vitest';
import { csv, guessColumns, inert, parseTable, separatorOf, TableError } from './csv';

const a = '0x47666fab8bd0ac7003bce3f5c3585383f09486e2';
const b = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq';

test('cells are quoted where they must be, and are never formulas', () => {
  expect(
    csv([
      ['a', 'b,c'],
      ['say "x"', '=1+1'],
      ['@x', 'one\ntwo'],
    ]),
  ).toBe('a,"b,c"\r\n"say ""x""",\'=1+1\r\n\'@x,"one\ntwo"\r\n');
});

test('every beginning of a formula is made inert', () => {
  for (const text of ['=1', '+1', '-1', '@a', '\t=1', '\r=1', ' =1', '\n=1', '＝1', '＋1', '－1', '＠a', '\u0000=1'])
    expect(inert(text)).toBe(`'${text}`);
  for (const text of ['a=1', '', '0x1', '1-2', 'ether']) expect(inert(text)).toBe(text);
});

describe('parseTable', () => {
  it('reads quotes, doubled quotes, separators and ends of lines in quotes', () => {
    expect(parseTable(`"a ""b""","c,d"\r\n"two\nlines",x\r\n`, 10)).toEqual([
      ['a "b"', 'c,d'],
      ['two\nlines', 'x'],
    ]);
  });
  it('reads any end of line, a byte order mark, and a file without a last end', () => {
    expect(parseTable('\ufeffa,b\rc,d\ne,f\r\ng,', 10)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
      ['g', ''],
    ]);
  });
  it('passes over lines without anything', () => {
    expect(parseTable('\n\na\n  \n,\nb\n', 10)).toEqual([['a'], ['b']]);
  });
  it('reads semicolons, tabs and bars', () => {
    for (const sign of [';', '\t', '|']) {
      expect(separatorOf(`x${sign}y\n1${sign}2,5\n`)).toBe(sign);
      expect(parseTable(`x${sign}y\n1${sign}2,5\n`, 10)).toEqual([
        ['x', 'y'],
        ['1', '2,5'],
      ]);
    }
  });
  it('refuses what has no end, and names the line', () => {
    expect(() => parseTable('a\nb,"c\nd', 10)).toThrow(new TableError('The quotation mark on line 2 has no end.'));
  });
  it('refuses more rows than are wanted and does not cut them', () => {
    expect(parseTable('a\nb\n', 2)).toHaveLength(2);
    expect(() => parseTable('a\nb\nc\n', 2)).toThrow(TableError);
  });
  it('reads back what csv writes', () => {
    const rows = [
      ['a"b', 'c,d', 'e\nf'],
      ['', 'x', ''],
    ];
    expect(parseTable(csv(rows), 10)).toEqual(rows);
  });
});

describe('guessColumns', () => {
  it('finds columns by their names, in any order', () => {
    const rows = parseTable(`note,Chain,Wallet address\nx,ethereum,${a}\ny,bitcoin,${b}\n`, 10);
    expect(guessColumns(rows)).toEqual({ header: true, subject: 2, chain: 1 });
  });
  it('finds them by what stands there where there are no names', () => {
    expect(
      guessColumns([
        ['17', a],
        ['18', b],
      ]),
    ).toEqual({ header: false, subject: 1, chain: -1 });
    expect(guessColumns([['eth', a]])).toEqual({ header: false, subject: 1, chain: 0 });
  });
  it('takes a list of addresses for what it is', () => {
    expect(guessColumns([[a], ['nonsense']])).toEqual({ header: false, subject: 0, chain: -1 });
    expect(guessColumns([['nonsense'], [a]])).toEqual({ header: false, subject: 0, chain: -1 });
    expect(guessColumns([['address'], ['nonsense']])).toEqual({ header: true, subject: 0, chain: -1 });
    expect(guessColumns([])).toEqual({ header: false, subject: 0, chain: -1 });
  });
});
