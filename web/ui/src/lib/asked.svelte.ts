import { answered, api, Problem, readTrouble, type Reply, type Schemas, type Trouble } from '../api/client';

/** Work that has to be done before there is an answer. */
export type Job = Schemas['Job'];

/** How often a job is looked at, in milliseconds. */
const every = 700;

/**
 * One question to the server and what became of it, for a page to show. An answer of status 202 names the job that makes
 * it: the question is asked again when the job is done.
 */
export class Asked<T> {
  value = $state.raw<T>();
  trouble = $state.raw<Trouble>();
  job = $state.raw<Job>();
  busy = $state(false);
  private stop: AbortController | undefined;

  /** Asks; what was asked before is forgotten. The value before stays until there is another. */
  async ask(question: (signal: AbortSignal) => Promise<Reply<T | Job>>): Promise<void> {
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    this.busy = true;
    try {
      const value = await this.until(question, stop.signal);
      if (stop.signal.aborted) return;
      this.value = value;
      this.trouble = undefined;
    } catch (cause) {
      if (stop.signal.aborted) return;
      this.value = undefined;
      this.trouble = cause instanceof Problem ? cause.trouble : readTrouble({ title: String(cause) }, 0);
    }
    this.job = undefined;
    this.busy = false;
  }

  /** Forgets the question. */
  end(): void {
    this.stop?.abort();
    this.busy = false;
    this.job = undefined;
  }

  private async until(question: (signal: AbortSignal) => Promise<Reply<T | Job>>, signal: AbortSignal): Promise<T> {
    for (;;) {
      const reply = question(signal);
      const value = await answered(reply);
      if ((await reply).response.status !== 202) return value as T;
      await this.follow(value as Job, signal);
    }
  }

  /** Waits until a job has ended. */
  private async follow(begun: Job, signal: AbortSignal): Promise<void> {
    let job = begun;
    while (job.state === 'waiting' || job.state === 'running') {
      this.job = job;
      await pause(every, signal);
      job = await answered(api.GET('/v1/jobs/{id}', { params: { path: { id: job.id } }, signal }));
    }
    if (job.state !== 'done')
      throw new Problem({
        title: job.state === 'cancelled' ? 'The work was cancelled.' : 'The work failed.',
        detail: job.error ?? '',
        next: job.state === 'cancelled' ? 'Ask again to begin anew.' : '',
        status: 0,
      });
  }
}

/** Waits, unless the question is forgotten meanwhile. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('forgotten', 'AbortError'));
    });
  });
}
