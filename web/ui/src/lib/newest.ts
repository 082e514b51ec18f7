// The server gives alerts and decisions in the order of their numbers, the oldest first, after a number. People want to see
// the newest first: this reads such a list from its end.

interface Numbered {
  sequence?: number;
}

/** Gives up to `limit` entries whose number is greater than `after`, in order. */
export type AskAfter<T> = (after: number, limit: number) => Promise<T[]>;

/** The cursor of a list that goes by numbers, as the server writes it. */
export function cursorAfter(number: number): string {
  return btoa(String(number)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const page = 1000; // as much as the server gives at once

export class FromNewest<T extends Numbered> {
  /** What was read so far, the newest first. */
  items: T[] = [];
  /** Whether there is more before. */
  more = true;
  private readonly ask: AskAfter<T>;
  private below: number | undefined; // all from this number on was read
  private window = page;

  constructor(ask: AskAfter<T>) {
    this.ask = ask;
  }

  /** Reads on until there are at least so many more, or no others. */
  async read(wanted: number): Promise<void> {
    const enough = this.items.length + wanted;
    if (this.below === undefined) await this.begin();
    while (this.more && this.items.length < enough) await this.step();
  }

  private async begin(): Promise<void> {
    const first = await this.ask(0, page);
    if (first.length < page) {
      this.items = first.toReversed();
      this.more = false;
      this.below = 0;
      return;
    }
    let low = numberOf(first.at(-1)); // there is an entry with this number, and maybe later ones
    let step = page;
    for (;;) {
      const found = await this.ask(low + step - 1, 1);
      if (found.length > 0) {
        low = numberOf(found[0]);
        step *= 2;
      } else if (step === 1) break;
      else step = Math.floor(step / 2);
    }
    this.below = low + 1;
  }

  /** Reads the entries before. The wider the gaps between numbers, the further it looks at once. */
  private async step(): Promise<void> {
    const below = this.below ?? 0;
    const after = Math.max(0, below - 1 - this.window);
    const found = await this.ask(after, page);
    if (found.length === page && numberOf(found.at(-1)) < below - 1 && this.window > page) {
      this.window = page; // there was more in between than one answer holds
      return;
    }
    const fresh = found.filter((entry) => numberOf(entry) < below);
    this.items = [...this.items, ...fresh.toReversed()];
    this.below = after + 1;
    this.more = after > 0;
    if (fresh.length < page / 4) this.window *= 4;
  }
}

function numberOf(entry: Numbered | undefined): number {
  return entry?.sequence ?? 0;
}
