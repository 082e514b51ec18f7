const rules: Record<string, string> = {
  'co-spend':
    'Coins of both were spent together in one payment: who signed it had the keys of both. It misleads where two people pay together.',
  'deposit-address': 'Everything that ever left the one went to wallets of the service: it collects for the service.',
  'deposit-customers': 'Both paid into the same deposit address, which a service gives to one customer.',
  'deposit-spend': 'A service swept both, as it does with the deposit addresses of its customers.',
  'deposit-unlisted': 'The one passes everything on to the other, as the deposit address of a service that no list names does.',
  creator: 'The one signed the transaction that made the contract at the other.',
  'gas-funder': 'The one paid for the first fees of the other, shortly before it acted for the first time.',
  'gas-top-up': 'The one pays for the fees of the other.',
  'self-authorisation': 'The one allowed the other to spend its tokens. It misleads most of all: phishing works so.',
};

/** Why a rule holds two addresses for one owner's, in plain words; nothing where only its name is known. */
export function ruleWords(rule: string): string {
  if (rule.startsWith('change')) return 'The one is where the rest of a payment by the other went back to.';
  return rules[rule] ?? '';
}
