// Which lines of a text another one lacks (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986).

export interface Line {
  is: 'same' | 'added' | 'removed';
  text: string;
  /** Its number before and after, from 1; 0 where it is not there. */
  before: number;
  after: number;
}

/** Beyond so many differences lines are no longer compared one by one: what is between is told as removed and added. */
const most = 1000;

/** The shortest way from one text to another, line by line. */
export function difference(before: string, after: string): Line[] {
  const a = linesOf(before);
  const b = linesOf(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const out: Line[] = [];
  let from = 0;
  let to = 0;
  const add = (is: Line['is']) => {
    const text = (is === 'added' ? b[to] : a[from]) ?? '';
    if (is !== 'added') from++;
    if (is !== 'removed') to++;
    out.push({ is, text, before: is === 'added' ? 0 : from, after: is === 'removed' ? 0 : to });
  };
  for (let i = 0; i < head; i++) add('same');
  for (const is of steps(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) add(is);
  for (let i = 0; i < tail; i++) add('same');
  return out;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function steps(a: string[], b: string[]): Line['is'][] {
  const trail: Map<number, number>[] = [];
  const reach = new Map<number, number>([[1, 0]]); // by diagonal, how far a was read
  for (let d = 0; d <= Math.min(a.length + b.length, most); d++) {
    trail.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      let x = down(reach, k, d) ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return back(trail, a.length, b.length);
    }
  }
  return [...a.map(() => 'removed' as const), ...b.map(() => 'added' as const)];
}

/** Whether the way to a diagonal goes down, by a line that is added. */
function down(reach: Map<number, number>, k: number, d: number): boolean {
  return k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
}

function back(trail: Map<number, number>[], x: number, y: number): Line['is'][] {
  const found: Line['is'][] = [];
  for (let d = trail.length - 1; d >= 0; d--) {
    const reach = trail[d] as Map<number, number>;
    const k = x - y;
    const added = down(reach, k, d);
    const fromX = reach.get(added ? k + 1 : k - 1) ?? 0;
    const fromY = fromX - (added ? k + 1 : k - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      found.push('same');
      x--;
      y--;
    }
    if (d > 0) {
      found.push(added ? 'added' : 'removed');
      x = fromX;
      y = fromY;
    }
  }
  return found.reverse();
}

/** A difference of which only the surroundings of what changed are shown; a number says how many lines were left out. */
export function surroundings(lines: Line[], around = 3): (Line | number)[] {
  const near = new Set<number>();
  lines.forEach((line, i) => {
    if (line.is !== 'same') for (let j = i - around; j <= i + around; j++) near.add(j);
  });
  const out: (Line | number)[] = [];
  lines.forEach((line, i) => {
    if (near.has(i)) out.push(line);
    else if (typeof out.at(-1) === 'number') (out[out.length - 1] as number)++;
    else out.push(1);
  });
  return out;
}
