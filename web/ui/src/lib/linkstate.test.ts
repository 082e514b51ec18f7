import { expect, test, vi } from 'vitest';

vi.mock('svelte-spa-router', () => ({
  router: { location: '/cases/x', querystring: 'method=lifo&q=a%20b' },
  replace: () => Promise.resolve(),
}));

test('a query keeps what is not changed and leaves out what is empty', async () => {
  const { changed } = await import('./linkstate.svelte');
  expect(changed('method=lifo&q=a', { q: '' })).toBe('?method=lifo');
  expect(changed('', {})).toBe('');
  expect(changed('a=1', { b: 'x&y=z' })).toBe('?a=1&b=x%26y%3Dz');
});

test('another page keeps only what is named', async () => {
  const { keeping } = await import('./linkstate.svelte');
  expect(keeping('/cases/x/time', ['method', 'as_of'])).toBe('#/cases/x/time?method=lifo');
  expect(keeping('/cases/x/where', ['method'], { kind: 'held' })).toBe('#/cases/x/where?method=lifo&kind=held');
});
