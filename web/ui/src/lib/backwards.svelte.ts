import { Problem, readTrouble, type Trouble } from '../api/client';
import { FromNewest, type AskAfter } from './newest';

/** A list that goes by numbers, read from its newest, of which more is read when somebody wants it. */
export class Backwards<T extends { sequence?: number }> {
  items = $state.raw<T[]>([]);
  more = $state(false);
  known = $state(false);
  busy = $state(false);
  trouble = $state.raw<Trouble>();
  private list: FromNewest<T> | undefined;

  /** Begins anew with what is newest now. */
  async begin(ask: AskAfter<T>, wanted = 50): Promise<void> {
    this.list = new FromNewest(ask);
    await this.read(wanted);
  }

  async read(wanted = 200): Promise<void> {
    const list = this.list;
    if (!list) return;
    this.busy = true;
    try {
      await list.read(wanted);
      if (list !== this.list) return;
      this.items = list.items;
      this.more = list.more;
      this.known = true;
      this.trouble = undefined;
    } catch (cause) {
      if (list !== this.list) return;
      this.trouble = cause instanceof Problem ? cause.trouble : readTrouble({ title: String(cause) }, 0);
    }
    this.busy = false;
  }

  end(): void {
    this.list = undefined;
    this.busy = false;
  }
}
