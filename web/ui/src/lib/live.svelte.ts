import { answered, api, Problem, stream, type Schemas } from '../api/client';
import { pause } from './asked.svelte';
import type { ServerEvent } from './events';
import { cursorAfter, FromNewest } from './newest';

export type Alert = Schemas['Alert'];

/** How many pages are read at most after the connection was lost; whoever was away for longer begins anew. */
const pagesAtMost = 10;
const pageSize = 1000;

/** How many are kept to be shown; older ones are found by the server's list. */
const most = 20_000;

/** The newest alerts, and those that are raised while somebody looks. */
export class LiveAlerts {
  /** Newest first. */
  list = $state.raw<Alert[]>([]);
  state = $state<'connecting' | 'live' | 'lost' | 'off'>('connecting');
  /** How many came since the page was opened. */
  came = $state(0);
  /** Whether there are older ones that were not read. */
  more = $state(false);
  private last = 0;
  private readonly first: number;
  private reader = new FromNewest<Alert>(askAfter);
  private withdrawn: string[] = [];

  /** Reads so many of the newest at first. */
  constructor(first = 50) {
    this.first = first;
  }

  /** Follows the alerts until the signal says that it is enough. */
  async follow(signal: AbortSignal): Promise<void> {
    for (let wait = 1000; !signal.aborted; wait = Math.min(wait * 2, 30_000)) {
      try {
        await this.readUp();
        this.state = 'live';
        await stream(`/v1/events?after=${this.last}`, signal, (event) => {
          wait = 1000;
          this.take(event);
        });
      } catch (cause) {
        if (signal.aborted) return;
        if (cause instanceof Problem && cause.trouble.status === 501) {
          this.state = 'off';
          return;
        }
      }
      this.state = 'lost';
      await pause(wait, signal).catch(() => undefined);
    }
  }

  /** Reads older ones. */
  async older(count = 500): Promise<void> {
    await this.reader.read(count);
    const before = this.list.at(-1)?.sequence ?? Infinity;
    this.show([...this.list, ...this.reader.items.filter((alert) => alert.sequence < before)]);
  }

  /** Reads the newest, or what was raised since the connection was lost. */
  private async readUp(): Promise<void> {
    for (let page = 0; this.last > 0 && page < pagesAtMost; page++) {
      const found = await askAfter(this.last, pageSize);
      this.add(found);
      if (found.length < pageSize) return;
    }
    this.reader = new FromNewest(askAfter);
    await this.reader.read(this.first);
    this.last = this.reader.items[0]?.sequence ?? 0;
    this.show(this.reader.items);
  }

  private take(event: ServerEvent): void {
    if (event.type !== 'alert') return;
    const before = this.last;
    this.add([JSON.parse(event.data) as Alert]);
    if (this.last > before) this.came++;
  }

  private add(alerts: Alert[]): void {
    const fresh = alerts.filter((alert) => alert.sequence > this.last);
    const last = fresh.at(-1);
    if (!last) return;
    this.last = last.sequence;
    this.withdrawn = [...this.withdrawn, ...fresh.flatMap(({ withdraws }) => withdraws ?? [])].slice(-1000);
    this.show([...fresh.toReversed(), ...this.list]);
  }

  private show(alerts: Alert[]): void {
    this.list = alerts.slice(0, most).map((a) => (this.withdrawn.includes(a.id) ? { ...a, state: 'withdrawn' as const } : a));
    this.more = this.reader.more && this.list.length < most;
  }
}

/** Alerts after a number, in order, as the server gives them. */
async function askAfter(after: number, limit: number): Promise<Alert[]> {
  const query = { limit, ...(after > 0 ? { cursor: cursorAfter(after) } : {}) };
  return (await answered(api.GET('/v1/alerts', { params: { query } }))).items;
}
