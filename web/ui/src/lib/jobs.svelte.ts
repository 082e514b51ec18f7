import { answered, api, Problem, readTrouble, type Schemas, type Trouble } from '../api/client';
import { pause } from './asked.svelte';

/** How often jobs are looked at while one goes on, and while none does, in milliseconds. */
const often = 1000;
const seldom = 8000;

/** The newest jobs, looked at again and again as long as somebody looks. */
export class Jobs {
  list = $state.raw<Schemas['Job'][]>();
  trouble = $state.raw<Trouble>();

  async read(signal?: AbortSignal): Promise<void> {
    try {
      this.list = (
        await answered(api.GET('/v1/jobs', { params: { query: { limit: 100 } }, ...(signal ? { signal } : {}) }))
      ).items;
      this.trouble = undefined;
    } catch (cause) {
      if (signal?.aborted) return;
      this.trouble = cause instanceof Problem ? cause.trouble : readTrouble({ title: String(cause) }, 0);
    }
  }

  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.read(signal);
      const goesOn = this.list?.some((job) => job.state === 'waiting' || job.state === 'running');
      await pause(goesOn ? often : seldom, signal).catch(() => undefined);
    }
  }
}
