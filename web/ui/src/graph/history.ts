/** What was done, step by step. Nothing in it changes: every step gives another history. */
export interface History<T> {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
}

/** How many steps can be taken back. */
export const mostSteps = 200;

export function begin<T>(now: T): History<T> {
  return { past: [], now, future: [] };
}

/** Does something. What was undone before cannot be redone after it. */
export function step<T>(history: History<T>, next: T): History<T> {
  if (Object.is(next, history.now)) return history;
  return { past: [...history.past, history.now].slice(-mostSteps), now: next, future: [] };
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future] };
}

export function redo<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.now], now: after, future };
}

/** Changes every step alike. Steps that are no step any more, because nothing changes with them, are left out. */
export function each<T>(history: History<T>, change: (step: T) => T): History<T> {
  const now = change(history.now);
  const past = apart([...history.past.map(change), now]).slice(0, -1);
  const future = apart([now, ...history.future.map(change)]).slice(1);
  return { past, now, future };
}

function apart<T>(steps: T[]): T[] {
  return steps.filter((one, i) => i === 0 || JSON.stringify(one) !== JSON.stringify(steps[i - 1]));
}
