import { SvelteMap } from 'svelte/reactivity';
import { answered, api, type Schemas } from '../api/client';
import { distinct } from './lists';

/** How many addresses are looked up for one page, and how many at once. */
const most = 40;
const atOnce = 4;

/** What labels say of the addresses of a page. Those of which nothing is said are in it with an empty list. */
export class Parties {
  readonly said = new SvelteMap<string, Schemas['Label'][]>();
  /** How many were not looked up, or could not be. */
  missing = $state(0);

  async look(chain: string, addresses: string[], signal: AbortSignal): Promise<void> {
    const all = distinct(addresses);
    const waiting = all.slice(0, most);
    this.said.clear();
    this.missing = all.length - waiting.length;
    await Promise.all(Array.from({ length: atOnce }, () => this.work(chain, waiting, signal)));
  }

  private async work(chain: string, waiting: string[], signal: AbortSignal): Promise<void> {
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      try {
        const path = { chain, address };
        const page = await answered(api.GET('/v1/addresses/{chain}/{address}/labels', { params: { path }, signal }));
        if (!signal.aborted) this.said.set(address, page.items);
      } catch {
        if (signal.aborted) return;
        this.missing++;
      }
    }
  }
}
