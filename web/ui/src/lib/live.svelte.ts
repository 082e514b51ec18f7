import { answered, api, Problem, stream, type Schemas } from '../api/client';
import { pause } from './asked.svelte';
import type { ServerEvent } from './events';

export type Alert = Schemas['Alert'];

/** How many pages are read at most to find the newest. */
const pagesAtMost = 10;

/** The newest alerts, and those that are raised while somebody looks. */
export class LiveAlerts {
  /** Newest first. */
  list = $state.raw<Alert[]>([]);
  state = $state<'connecting' | 'live' | 'lost' | 'off'>('connecting');
  /** How many came since the page was opened. */
  came = $state(0);
  private last = 0;
  private readonly kept: number;

  /** Keeps so many alerts to be shown. */
  constructor(kept = 50) {
    this.kept = kept;
  }

  /** Follows the alerts until the signal says that it is enough. */
  async follow(signal: AbortSignal): Promise<void> {
    for (let wait = 1000; !signal.aborted; wait = Math.min(wait * 2, 30_000)) {
      try {
        await this.readUp(signal);
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

  /** Reads what was raised before. The list of the server begins with the oldest. */
  private async readUp(signal: AbortSignal): Promise<void> {
    let cursor: string | undefined;
    for (let page = 0; page < pagesAtMost; page++) {
      const got = await answered(
        api.GET('/v1/alerts', { params: { query: { limit: 1000, ...(cursor ? { cursor } : {}) } }, signal }),
      );
      this.add(got.items);
      cursor = got.next;
      if (!cursor) return;
    }
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
    const withdrawn = fresh.map((alert) => alert.withdraws);
    const older = this.list.map((a) => (withdrawn.includes(a.id) ? { ...a, state: 'withdrawn' as const } : a));
    this.list = [...fresh.toReversed(), ...older].slice(0, this.kept);
  }
}
