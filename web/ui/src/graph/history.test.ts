import { expect, test } from 'vitest';
import { begin, each, mostSteps, redo, step, undo } from './history';

test('steps are taken back and done again in their order', () => {
  const history = step(step(begin('a'), 'b'), 'c');
  expect(undo(history).now).toBe('b');
  expect(undo(undo(history)).now).toBe('a');
  expect(redo(undo(undo(history))).now).toBe('b');
  expect(redo(redo(undo(undo(history))))).toEqual(history);
});

test('a new step forgets what was taken back', () => {
  const history = step(undo(step(begin('a'), 'b')), 'c');
  expect(history).toEqual({ past: ['a'], now: 'c', future: [] });
  expect(redo(history)).toBe(history);
});

test('at the ends, and where nothing changed, nothing happens', () => {
  const history = begin('a');
  expect(undo(history)).toBe(history);
  expect(redo(history)).toBe(history);
  expect(step(history, 'a')).toBe(history);
});

test('the oldest steps are forgotten', () => {
  let history = begin(0);
  for (let i = 1; i <= mostSteps + 10; i++) history = step(history, i);
  expect(history.past).toHaveLength(mostSteps);
  expect(history.past[0]).toBe(10);
});

test('every step is changed alike', () => {
  const history = each(undo(step(step(begin(1), 2), 3)), (n) => n * 10);
  expect(history).toEqual({ past: [10], now: 20, future: [30] });
});

test('a step with which nothing changes any more is left out', () => {
  const history = step(step(begin([1]), [1, 2]), [1, 2, 3]);
  const without = each(history, (list) => list.filter((n) => n !== 2));
  expect(without).toEqual({ past: [[1]], now: [1, 3], future: [] });
  expect(each(undo(history), (list) => list.filter((n) => n !== 2))).toEqual({ past: [], now: [1], future: [[1, 3]] });
});
