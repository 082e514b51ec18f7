/** The entries of a list, each once, without empty ones. */
export function distinct(list: string[]): string[] {
  return [...new Set(list)].filter(Boolean);
}
