import { answered, api, Problem, readTrouble, type Schemas, type Trouble } from '../api/client';
import { withVerdicts, type Basis, type Row } from './screening';

/** A list that was judged. */
export interface Judged {
  rows: Row[];
  basis: Basis;
  /** The number of the answer in the audit log, as the server says it. */
  audit: string;
  /** The age of the data in seconds, or unknown. */
  age: string;
  /** When it was judged, in milliseconds. */
  at: number;
}

/** Judges lists. What was judged last stays while somebody looks elsewhere: whoever follows a hit comes back to it. */
class Batch {
  judged = $state.raw<Judged>();
  trouble = $state.raw<Trouble>();
  /** How many are being judged. */
  busy = $state(0);
  private stop: AbortController | undefined;

  async judge(rows: Row[]): Promise<void> {
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    this.busy = rows.length;
    this.judged = undefined;
    this.trouble = undefined;
    try {
      const judged = await ask(rows, stop.signal);
      if (!stop.signal.aborted) this.judged = judged;
    } catch (cause) {
      if (stop.signal.aborted) return;
      const said = { title: cause instanceof Error ? cause.message : String(cause) };
      this.trouble = cause instanceof Problem ? cause.trouble : readTrouble(said, 0);
    }
    this.busy = 0;
  }

  /** Forgets the list and stops what is being asked. */
  clear(): void {
    this.stop?.abort();
    this.judged = undefined;
    this.trouble = undefined;
    this.busy = 0;
  }
}

async function ask(rows: Row[], signal: AbortSignal): Promise<Judged> {
  const questions = rows.flatMap((row) => (row.question ? [row.question] : []));
  const reply = api.POST('/v1/screen', { body: { questions }, signal });
  const said = (await answered(reply)) as Schemas['Verdicts'];
  const { headers } = (await reply).response;
  return {
    rows: withVerdicts(rows, said.verdicts),
    basis: said.basis,
    audit: headers.get('Coldtrail-Audit') ?? 'unknown',
    age: headers.get('Coldtrail-Data-Age') ?? 'unknown',
    at: Date.now(),
  };
}

export const batch = new Batch();
