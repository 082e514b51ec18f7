/** Short messages that a page leaves behind: what was done, or why not. Read aloud by screen readers. */
export interface Told {
  id: number;
  text: string;
  bad: boolean;
}

class Messages {
  list = $state.raw<Told[]>([]);
  private next = 1;

  say(text: string): void {
    this.add(text, false);
  }

  fail(cause: unknown): void {
    this.add(cause instanceof Error ? cause.message : String(cause), true);
  }

  drop(id: number): void {
    this.list = this.list.filter((m) => m.id !== id);
  }

  private add(text: string, bad: boolean): void {
    const id = this.next++;
    this.list = [...this.list.slice(-3), { id, text, bad }];
    if (!bad) setTimeout(() => this.drop(id), 6000);
  }
}

export const messages = new Messages();
