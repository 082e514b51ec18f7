import { guessColumns, parseTable } from './csv';

/** How many questions one request may ask. */
export const mostSubjects = 10_000;

export interface Asking {
  subject: string;
  chain?: string;
}

/**
 * Reads whom a pasted or dropped text asks about: one a line, or a table whose columns are found by names and content. What
 * is no address is asked about all the same, so that its verdict is unknown and not missing.
 */
export function questionsOf(text: string): Asking[] {
  const rows = parseTable(text, mostSubjects + 1);
  const columns = guessColumns(rows);
  const list = rows.slice(columns.header ? 1 : 0).map((row) => {
    const subject = (row[columns.subject] ?? row[0] ?? '').trim();
    const chain = columns.chain < 0 ? '' : (row[columns.chain] ?? '').trim();
    return chain ? { subject, chain } : { subject };
  });
  if (list.length > mostSubjects) throw new Error(`There are more than ${mostSubjects} rows; cut the file in parts.`);
  return list.filter((asking) => asking.subject !== '');
}
