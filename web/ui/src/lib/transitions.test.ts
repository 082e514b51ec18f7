import { describe, expect, it } from 'vitest';
import type { Schemas } from '../api/client';
import { causeWords, entered, gravest, transitionOf, type Transition } from './transitions';

const alert = (body: unknown, kind = 'breaker-transition'): Schemas['Alert'] => ({
  sequence: 3,
  id: 'x',
  kind,
  body,
  created: 99,
  state: 'standing',
});

describe('transitionOf', () => {
  it('reads the body of an alert', () => {
    const body = {
      cause: 'gate',
      from: 'NORMAL',
      to: 'WATCH',
      incident: 'i',
      route: 'a>b',
      moment: 7,
      score: 5,
      threshold: 60,
      sequence: 2,
    };
    expect(transitionOf(alert(body))).toMatchObject({ ...body, by: '', reason: '', until: 0 });
  });
  it('makes nothing up', () => {
    for (const body of [null, 7, 'x', [], {}, { from: 'NORMAL', to: 7, cause: 'score' }])
      expect(transitionOf(alert(body))).toBeUndefined();
    expect(transitionOf(alert({ from: 'NORMAL', to: 'WATCH', cause: 'score' }, 'watch-hit'))).toBeUndefined();
    expect(transitionOf(alert({ from: 'NORMAL', to: 'WATCH', cause: 'score' }))?.moment).toBe(99);
  });
});

it('finds what brought a state about', () => {
  const made = (incident: string, from: string, to: string, threshold: number): Transition => ({
    sequence: threshold,
    moment: threshold,
    incident,
    route: 'r',
    from,
    to,
    cause: 'score',
    score: 1,
    threshold,
  });
  const state: Schemas['VenueState'] = { incident: 'i', route: 'r', state: 'LIMIT', beneath: 'LIMIT', since: 1, score: 70 };
  const list = [
    made('j', 'WATCH', 'LIMIT', 9),
    made('i', 'LIMIT', 'LIMIT', 8),
    made('i', 'WATCH', 'LIMIT', 7),
    made('i', 'NORMAL', 'WATCH', 6),
  ];
  expect(entered(state, list)?.threshold).toBe(7);
  expect(entered({ ...state, state: 'HALT' }, list)).toBeUndefined();
});

it('knows the gravest of states, and the words of causes', () => {
  expect(gravest([])).toBe('NORMAL');
  expect(gravest([{ state: 'WATCH' }, { state: 'HALT' }, { state: 'LIMIT' }])).toBe('HALT');
  expect(causeWords('gate')).toContain('tainted value');
  expect(causeWords('something new')).toBe('something new');
});
