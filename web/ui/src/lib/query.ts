// What a page shows is in the query of its hash route, so that a link shows the same.
import { push, replace, router } from 'svelte-spa-router';

/** The query of the page that is shown. */
export function asked(name: string): string {
  return new URLSearchParams(router.querystring ?? '').get(name) ?? '';
}

/** The route that is shown with other values; an empty one is left out. */
export function routeWith(values: Record<string, string>): string {
  const query = new URLSearchParams(router.querystring ?? '');
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  return text ? `${router.location}?${text}` : router.location;
}

/** Shows other values; the way back leads to what was shown before. */
export function show(values: Record<string, string>): void {
  void push(routeWith(values));
}

/** Shows other values in the place of what is shown, as while typing. */
export function amend(values: Record<string, string>): void {
  void replace(routeWith(values));
}
