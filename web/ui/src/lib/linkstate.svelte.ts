// What a page shows is in its address, so that a link shows the same: tab, filters, method, moment, sorting.
import { replace, router } from 'svelte-spa-router';

/** A value of the address of the page; empty where it is not there. */
export function chosen(name: string): string {
  return new URLSearchParams(router.querystring ?? '').get(name) ?? '';
}

/** The query with some values changed; what is empty is left out. */
export function changed(query: string, values: Record<string, string>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  return text ? `?${text}` : '';
}

/** Changes values of the address, without a step in the history for every key that is pressed. */
export function choose(values: Record<string, string>): void {
  void replace(router.location + changed(router.querystring ?? '', values));
}

/** The address of a page with only some values of the present one. */
export function keeping(location: string, names: string[], values: Record<string, string> = {}): string {
  const kept = Object.fromEntries(names.map((name) => [name, chosen(name)]));
  return `#${location}${changed('', { ...kept, ...values })}`;
}
