import { expect, test } from 'vitest';
import { csv } from './csv';

test('cells are quoted where they must be, and are never formulas', () => {
  expect(
    csv([
      ['a', 'b,c'],
      ['say "x"', '=1+1'],
      ['@x', 'one\ntwo'],
    ]),
  ).toBe('a,"b,c"\r\n"say ""x""",\'=1+1\r\n\'@x,"one\ntwo"\r\n');
});
