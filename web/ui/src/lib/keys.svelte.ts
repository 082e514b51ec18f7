/** A key that does something on the page that is shown. */
export interface Shortcut {
  /** As people press it: one key ("e"), or two after each other ("g c"). */
  press: string;
  does: string;
  run: () => void;
}

class Keys {
  all = $state.raw<Shortcut[]>([]);
  // The list that is changed: reading a state while it is set would run the effect that adds keys again.
  private list: Shortcut[] = [];
  private first = '';
  private since = 0;

  /** Adds keys and gives what takes them away again: return it from an $effect. */
  add(...list: Shortcut[]): () => void {
    this.all = this.list = [...this.list, ...list];
    return () => {
      this.all = this.list = this.list.filter((s) => !list.includes(s));
    };
  }

  /** Handles a key of the window. Keys that are typed into fields, or held with others, are left alone. */
  press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
    const pair = event.timeStamp - this.since < 1500 ? `${this.first} ${event.key}` : '';
    const found = this.list.findLast((s) => s.press === pair) ?? this.list.findLast((s) => s.press === event.key);
    if (found) {
      this.first = '';
      event.preventDefault();
      found.run();
      return;
    }
    this.first = event.key;
    this.since = event.timeStamp;
  }
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export const keys = new Keys();
