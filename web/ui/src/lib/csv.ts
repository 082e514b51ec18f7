// Tables as files (RFC 4180). Cells hold text of strangers: one that a spreadsheet would take for a formula gets an
// apostrophe in front.

/** What makes a spreadsheet calculate: also the wide forms of the signs, and a space or an end of line before them. */
const formula = /^[\s\u0000]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

/** A text that no spreadsheet calculates. */
export function inert(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

function cell(text: string): string {
  const safe = inert(text);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(rows: string[][]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A file that is no table, with the line on which that shows. */
export class TableError extends Error {}

/** What parts the cells of a text: the sign that is on most of its first lines, outside of quotes; a comma in doubt. */
export function separatorOf(text: string): string {
  const lines = text
    .slice(0, 20_000)
    .replace(/"[^"]*"/g, '')
    .split(/[\r\n]+/)
    .filter((line) => line.trim())
    .slice(0, 20);
  const counted = [',', ';', '\t', '|'].map((sign) => ({ sign, lines: lines.filter((line) => line.includes(sign)).length }));
  return counted.reduce((best, next) => (next.lines > best.lines ? next : best)).sign;
}

/**
 * Reads a table: cells may be quoted, lines may end in any way, lines without anything are passed over. More than `most`
 * rows are refused and not cut: a row that is not judged must not read as if it were.
 */
export function parseTable(text: string, most: number): string[][] {
  const content = text.replace(/^\ufeff/, '');
  const separator = separatorOf(content);
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  let line = 1;
  const endRow = () => {
    if (row.some((text) => text.trim())) rows.push(row);
    row = [];
    if (rows.length > most) throw new TableError(`There are more than ${most} rows; cut the file in parts.`);
  };
  while (at < content.length) {
    let value = '';
    if (content[at] === '"') {
      const begun = line;
      for (at++; ; at++) {
        const end = content.indexOf('"', at);
        if (end < 0) throw new TableError(`The quotation mark on line ${begun} has no end.`);
        value += content.slice(at, end);
        at = end + 1;
        if (content[at] !== '"') break;
        value += '"';
      }
      line += value.split('\n').length - 1;
      // What stands between the closing mark and the separator belongs to the cell, as spreadsheets read it.
    }
    const from = at;
    while (at < content.length && content[at] !== separator && content[at] !== '\n' && content[at] !== '\r') at++;
    row.push((value + content.slice(from, at)).trim());
    if (content[at] === separator) {
      at++;
      if (at === content.length) row.push('');
      continue;
    }
    if (content[at] === '\r' && content[at + 1] === '\n') at++;
    at++;
    line++;
    endRow();
  }
  endRow();
  return rows;
}

/** Which columns of a table say what. -1 is none. */
export interface Columns {
  header: boolean;
  subject: number;
  chain: number;
}

/** Whether a text looks like an address or a transaction of some chain. It decides nothing but what the page proposes. */
export function looksLikeSubject(text: string): boolean {
  return /^(0x[0-9a-f]{40}|(0x)?[0-9a-f]{64}|(bc1|tb1|bcrt1|ltc1)[02-9ac-hj-np-z]{20,90}|[1-9A-HJ-NP-Za-km-z]{25,64})$/i.test(
    text,
  );
}

const subjectNames = /^(address|addr|wallet|account|subject|transaction|tx|txid|tx_?hash|hash)$|address|wallet/i;
const chainNames = /chain|network|currency/i;
const someChain = /^(bitcoin|ethereum|btc|eth|eip155:\d+|bip122:[0-9a-f]+)$/i;

/** Proposes the columns by names in the first row and by what stands below. */
export function guessColumns(rows: string[][]): Columns {
  const first = rows[0] ?? [];
  const some = rows.slice(1, 200);
  const width = Math.max(0, ...rows.slice(0, 200).map((row) => row.length));
  const share = (column: number, is: (text: string) => boolean) => some.filter((row) => is(row[column] ?? '')).length;
  const best = (is: (text: string) => boolean) =>
    Array.from({ length: width }, (_, column) => ({ column, found: share(column, is) + (is(first[column] ?? '') ? 1 : 0) }))
      .filter(({ found }) => found > 0)
      .reduce((a, b) => (b.found > a.found ? b : a), { column: -1, found: 0 }).column;
  const header = !first.some(looksLikeSubject) && first.some((name) => subjectNames.test(name) || chainNames.test(name));
  let subject = best(looksLikeSubject);
  if (subject < 0 && header) subject = first.findIndex((name) => subjectNames.test(name));
  let chain = best((text) => someChain.test(text));
  if (chain < 0 && header) chain = first.findIndex((name) => chainNames.test(name));
  return { header, subject: Math.max(0, subject), chain: chain === subject ? -1 : chain };
}
