import { expect, test } from 'vitest';
import { caseNamed, template } from './casefile';

test('the identifier is the value of the key case', () => {
  expect(caseNamed(template)).toBe('my-case');
  expect(caseNamed('# a comment\ntitle: x\ncase: bybit-2025 # the theft\n')).toBe('bybit-2025');
  expect(caseNamed('case: "two words"\n')).toBe('two words');
  expect(caseNamed("case: 'it'\n")).toBe('it');
});

test('where there is none, nothing is made up', () => {
  for (const text of ['', 'title: x', '  case: nested\n', 'case:\n', 'case: # later\n', 'showcase: x'])
    expect(caseNamed(text)).toBe('');
});
