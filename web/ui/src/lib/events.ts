// Server-sent events (HTML, section 9.2), read from a fetch: a browser's EventSource can send no key.

export interface ServerEvent {
  type: string;
  data: string;
  id: string;
}

/** The most that one event may have before the stream is given up, in characters. */
const most = 1 << 20;

/** Puts events together out of pieces of text. */
export class EventReader {
  private rest = '';
  private event: ServerEvent = { type: 'message', data: '', id: '' };

  /** Takes a piece and gives the events that it completes. */
  take(piece: string): ServerEvent[] {
    this.rest += piece;
    if (this.rest.length + this.event.data.length > most) throw new Error('an event of the server is too long');
    const events: ServerEvent[] = [];
    for (let end = this.rest.search(/[\r\n]/); end >= 0; end = this.rest.search(/[\r\n]/)) {
      // A carriage return at the end may be half of a line's end.
      if (this.rest[end] === '\r' && end === this.rest.length - 1) break;
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(this.rest.startsWith('\r\n', end) ? end + 2 : end + 1);
      if (line) this.line(line);
      else if (this.event.data) {
        events.push({ ...this.event, data: this.event.data.slice(0, -1) });
        this.event = { type: 'message', data: '', id: this.event.id };
      } else this.event.type = 'message';
    }
    return events;
  }

  private line(line: string): void {
    const at = line.indexOf(':');
    const name = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
    if (name === 'event') this.event.type = value;
    if (name === 'data') this.event.data += `${value}\n`;
    if (name === 'id') this.event.id = value;
  }
}
