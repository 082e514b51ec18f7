import { expect, test } from 'vitest';
import type { Schemas } from '../api/client';
import { alertName, alertWords } from './alertwords';

const alert = (body: unknown) => ({ body }) as Schemas['Alert'];

test('changes are said as far as they are understood', () => {
  expect(alertWords(alert({ from: 'open', to: 'paused', reason: 'drained' }))).toBe('from open to paused: drained');
  expect(alertWords(alert({ from: { outcome: 'allow' }, to: { outcome: 'refuse', level: 'severe' } }))).toBe(
    'from allow to refuse, severe',
  );
  expect(alertWords(alert({ to: 7, why: ['x'] }))).toBe('');
  expect(alertWords(alert(null))).toBe('');
});

test('a kind that is not known keeps its name', () => {
  expect(alertName('watch-hit')).toBe('Watched address moved');
  expect(alertName('odd')).toBe('odd');
});
