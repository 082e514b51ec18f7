import { expect, test } from 'vitest';
import { EventReader } from './events';

test('events are put together out of any pieces', () => {
  const text = ': hello\n\nid: 7\nevent: alert\ndata: {"a":\ndata: 1}\n\nevent: closing\r\ndata: end\r\n\r\n';
  for (const size of [1, 2, 3, 7, text.length]) {
    const reader = new EventReader();
    const events = [];
    for (let i = 0; i < text.length; i += size) events.push(...reader.take(text.slice(i, i + size)));
    expect(events).toEqual([
      { type: 'alert', data: '{"a":\n1}', id: '7' },
      { type: 'closing', data: 'end', id: '7' },
    ]);
  }
});

test('an event without an end is not given, and one without data is none', () => {
  const reader = new EventReader();
  expect(reader.take('event: alert\n\ndata: x\n')).toEqual([]);
  expect(reader.take('\n')).toEqual([{ type: 'message', data: 'x', id: '' }]);
});

test('an endless event is refused', () => {
  const reader = new EventReader();
  expect(() => reader.take('data: '.padEnd(1_100_000, 'x'))).toThrow('too long');
});
