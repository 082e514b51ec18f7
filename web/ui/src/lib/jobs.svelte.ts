import { answered, api, download, Problem, readTrouble, type Trouble } from '../api/client';
import { pause, type Job } from './asked.svelte';
import { messages } from './told.svelte';

export type { Job };

/** How long to wait before jobs are looked at again, in milliseconds: while one runs, and while none does. */
const busy = 800;
const calm = 5000;

/** Whether a job has not ended. */
export function runs(job: Job): boolean {
  return job.state === 'waiting' || job.state === 'running';
}

/** How long a job took, in seconds; of one that runs, until now. */
export function took(job: Job, now: number): number {
  return job.started ? Math.max(0, (job.ended ?? now) - job.started) : 0;
}

/** A size in bytes for people, in units of 1000. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** The jobs of the server, looked at again and again while somebody looks. */
export class JobList {
  /** Newest first. */
  list = $state.raw<Job[]>([]);
  trouble = $state.raw<Trouble>();
  known = $state(false);
  private wake: (() => void) | undefined;

  /** Follows the jobs until the signal says that it is enough. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.read(signal);
        this.trouble = undefined;
      } catch (cause) {
        if (signal.aborted) return;
        this.trouble = cause instanceof Problem ? cause.trouble : readTrouble({ title: String(cause) }, 0);
        if (this.trouble.status === 501) return;
      }
      const woken = new Promise<void>((resolve) => (this.wake = resolve));
      await Promise.race([woken, pause(this.list.some(runs) ? busy : calm, signal).catch(() => undefined)]);
    }
  }

  /** Looks at once. */
  look(): void {
    this.wake?.();
  }

  /** Cancels a job, or forgets one that has ended. */
  async end(job: Job): Promise<void> {
    try {
      await answered(api.DELETE('/v1/jobs/{id}', { params: { path: { id: job.id } } }));
      messages.say(runs(job) ? `Cancelled: ${job.title}` : `Removed from the list: ${job.title}`);
    } catch (cause) {
      messages.fail(cause);
    }
    this.look();
  }

  private async read(signal: AbortSignal): Promise<void> {
    const all: Job[] = [];
    let cursor: string | undefined;
    do {
      const page = await answered(
        api.GET('/v1/jobs', { params: { query: { limit: 1000, ...(cursor ? { cursor } : {}) } }, signal }),
      );
      all.push(...page.items);
      cursor = page.next;
    } while (cursor && all.length < 5000);
    this.list = all;
    this.known = true;
  }
}

/** Saves what a job made. */
export async function saveResult(job: Job): Promise<void> {
  try {
    await download(`/v1/jobs/${encodeURIComponent(job.id)}/result`);
  } catch (cause) {
    messages.fail(cause);
  }
}
