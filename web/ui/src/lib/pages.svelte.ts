import { answered, Problem, readTrouble, type Reply, type Trouble } from '../api/client';
import { Asked, type Job } from './asked.svelte';

/** A list that the server gives in pages. */
interface Page<T> {
  items: T[];
  next?: string;
}

/** Asks for the page that begins at a cursor; the first one begins with none. */
type Question<P> = (from: { cursor?: string }, signal: AbortSignal) => Promise<Reply<P | Job>>;

/** A list of which more is asked for when somebody wants it. What the first page says of the whole list stays. */
export class Pages<T, P extends Page<T>> {
  readonly first = new Asked<P>();
  items = $state.raw<T[]>([]);
  next = $state('');
  busy = $state(false);
  trouble = $state.raw<Trouble>();
  private question: Question<P> | undefined;
  private generation = 0;

  async ask(question: Question<P>): Promise<void> {
    const generation = ++this.generation;
    this.question = question;
    this.trouble = undefined;
    await this.first.ask((signal) => question({}, signal));
    if (generation !== this.generation) return;
    this.items = this.first.value?.items ?? [];
    this.next = this.first.value?.next ?? '';
  }

  /** Adds the next page. */
  async more(): Promise<void> {
    const generation = this.generation;
    if (!this.next || !this.question || this.busy) return;
    this.busy = true;
    try {
      const page = await answered(this.question({ cursor: this.next }, new AbortController().signal));
      if (generation !== this.generation || !('items' in page)) return;
      this.items = [...this.items, ...page.items];
      this.next = page.next ?? '';
      this.trouble = undefined;
    } catch (cause) {
      if (generation === this.generation)
        this.trouble = cause instanceof Problem ? cause.trouble : readTrouble({ title: String(cause) }, 0);
    } finally {
      this.busy = false;
    }
  }

  end(): void {
    this.generation++;
    this.first.end();
  }
}
