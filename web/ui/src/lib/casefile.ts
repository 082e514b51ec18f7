// What the form of a case reads of a case file before the server judges it. The server alone says whether it is right.

/** The identifier that a case file goes under: the value of its key `case`, or nothing where it has none in plain words. */
export function caseNamed(text: string): string {
  const found = /^case:[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#][^#\n]*))/m.exec(text);
  return (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim();
}

/** Where a new case begins: what a case file has to say. */
export const template = `case: my-case
title: What was stolen from whom
date: 2025-01-31
thefts:
  - colour: eth
    chain: ethereum
    asset: native
    tx: 0x0000000000000000000000000000000000000000000000000000000000000000
    to: 0x0000000000000000000000000000000000000000
    amount: 1000000000000000000
`;
