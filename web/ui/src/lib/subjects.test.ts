import { describe, expect, it } from 'vitest';
import { mostSubjects, questionsOf } from './subjects';

const thief = '0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2';

describe('questionsOf', () => {
  it('takes one a line, and says nothing of empty lines', () => {
    expect(questionsOf(`${thief}\n\n  bc1qx  \r\n`)).toEqual([{ subject: thief }, { subject: 'bc1qx' }]);
  });
  it('finds the columns of a table by their names', () => {
    const text = `id,network,wallet address\n1,ethereum,"${thief}"\n2,bitcoin,bc1qx\n`;
    expect(questionsOf(text)).toEqual([
      { subject: thief, chain: 'ethereum' },
      { subject: 'bc1qx', chain: 'bitcoin' },
    ]);
  });
  it('asks about what is no address, too: it must not go missing', () => {
    expect(questionsOf(`address\n${thief}\nnonsense`)).toEqual([{ subject: thief }, { subject: 'nonsense' }]);
  });
  it('refuses more than the server takes', () => {
    expect(() => questionsOf('x\n'.repeat(mostSubjects + 1))).toThrow(/10000/);
    expect(questionsOf('x\n'.repeat(mostSubjects))).toHaveLength(mostSubjects);
  });
});
