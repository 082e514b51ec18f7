// What strangers write stays text. Two things are done with it: characters that cannot be seen are made visible, and what
// is an address of the web may become a link.

/** A piece of a text: letters, or one character that cannot be seen, by its code. */
export interface Piece {
  text: string;
  /** What the character is, where it cannot be seen. */
  code?: string;
}

const named: Record<string, string> = {
  '\u200b': 'zero width space',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u202a': 'left-to-right embedding',
  '\u202b': 'right-to-left embedding',
  '\u202c': 'end of a change of direction',
  '\u202d': 'left-to-right override',
  '\u202e': 'right-to-left override',
  '\u2066': 'left-to-right isolate',
  '\u2067': 'right-to-left isolate',
  '\u2068': 'isolate',
  '\u2069': 'end of an isolate',
  '\ufeff': 'byte order mark',
};

// Controls, marks that change the direction of writing, and characters of no width. A joiner between pictures is left alone.
const unseen =
  /[\p{Cc}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|(?<!\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)\u200d|[\u{e0000}-\u{e007f}]/gu;

/** Cuts a text at the characters that cannot be seen, so that nobody reads another text than was written. */
export function pieces(text: string): Piece[] {
  const list: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(unseen)) {
    if (found.index > from) list.push({ text: text.slice(from, found.index) });
    list.push({ text: codeOf(found[0]), code: named[found[0]] ?? 'a character that cannot be seen' });
    from = found.index + found[0].length;
  }
  if (from < text.length) list.push({ text: text.slice(from) });
  return list;
}

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Where a source leads, if it is an address of the web and says itself to whom it leads; else nothing. */
export function webAddress(text: string | undefined): string | undefined {
  if (!text || !/^https?:\/\//i.test(text)) return undefined;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  if (url.username || url.password) return undefined; // https://bank.example@elsewhere.example deceives
  return url.href;
}
