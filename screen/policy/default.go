package policy

// DefaultText is the bundled policy: a starting point to read, to copy and to change.
// docs/methods/screening.md says where its figures come from.
const DefaultText = `# The bundled policy of Coldtrail. Copy it, change it, raise its version, and let
# "coldtrail policy test" say what would have been decided otherwise.
name: default
version: 1

# How grave a concept is, 0 to 100. A concept that is not here has its parent's.
severities:
  sanction: 100
  gov_black_list: 100
  child_sexual_abuse: 100
  terrorism: 100
  terrorism_financing: 100
  service_hack: 90
  exploit: 90
  hacking: 80
  ransomware: 90
  perpetrator: 90
  extortion: 80
  malware: 80
  market: 80
  abuse: 70
  scam: 70
  phishing: 70
  ponzi_scheme: 70
  mixing_service: 70
  mixing: 50
  coinjoin: 50
  swap_service: 50
  gambling: 30
  defi_bridge: 10
  defi_dex: 5
  exchange: 0
  miner: 0
  victim: 0

levels: {low: 1, medium: 25, high: 50, severe: 80}

numbers:
  # of the score
  direct_min_cents: 10000     # direct exposure counts in full from USD 100
  direct_min_share_bp: 100    # or one per cent of all that moved
  floor_cents: 1000           # below USD 10
  floor_share_bp: 1           # and 0.01 per cent it does not count
  dust_cents: 1000            # so little that nobody need have wanted it
  decay_bp: 8000              # what one more hop leaves of a weight
  max_hops: 5                 # beyond, value does not count in the score
  max_age_seconds: 900        # older data cannot tell
  owned_bp: 8000              # a conclusion about the owner, against a claim about the address
  # of the rules below
  grave: 80                   # severity
  serious: 60
  light: 25
  sure: 50                    # confidence of a claim
  doubtful: 20
  certain_bp: 10000           # certainty of taint
  weak_bp: 5000
  mostly_bp: 5000             # share of all that moved
  review_share_bp: 1000
  ignore_share_bp: 10
  review_cents: 1000000       # USD 10,000

# Fallback prices, for thresholds and not for accounts. An asset that is not here is judged
# by its share alone.
assets:
  bip122:000000000019d6689c085ae165831e93/slip44:0:
    {symbol: BTC, decimals: 8, price_cents: 10000000, price_source: "a round figure of this policy, high on purpose; replace it"}
  eip155:1/slip44:60:
    {symbol: ETH, decimals: 18, price_cents: 400000, price_source: "a round figure of this policy, high on purpose; replace it"}
  eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2:
    {symbol: WETH, decimals: 18, price_cents: 400000, price_source: "as ETH"}
  eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84:
    {symbol: stETH, decimals: 18, price_cents: 400000, price_source: "as ETH"}
  eip155:1/erc20:0x2260fac5e5542a773aa44fbcfedf7c193bc2c599:
    {symbol: WBTC, decimals: 8, price_cents: 10000000, price_source: "as BTC"}
  eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7:
    {symbol: USDT, decimals: 6, price_cents: 100, price_source: "its peg"}
  eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48:
    {symbol: USDC, decimals: 6, price_cents: 100, price_source: "its peg"}
  eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f:
    {symbol: DAI, decimals: 18, price_cents: 100, price_source: "its peg"}

groups:
  # Whoever is said to be on the other side of the law.
  thief: {categories: [perpetrator, abuse]}
  # Money of many people in one wallet. A deposit address is one customer's, and is not
  # here; nor are services whose business is to hide where money comes from.
  service:
    categories: [exchange, wallet_service, payment_processor, atm, mining_service, gambling, faucet, shop, defi, hot_wallet, cold_wallet, warm_wallet]
    confidence: 50
    value: share
  victim: {categories: [victim], confidence: 50, unless: [thief], value: none}

unknown: review
taint: service_hack

rules:
  # What an authority says.
  - name: sanctioned
    kinds: [label]
    when: fact.sanction && fact.in_force
    outcome: refuse
    outcome_for: {deposit: freeze, refund: freeze}
    level: severe
    why: An authority lists this very address, and did at the moment asked for.
  - name: sanctioned-later
    kinds: [label, cluster]
    when: fact.sanction && fact.later
    outcome: review
    level: medium
    why: An authority lists it, but did not yet at the moment asked for; the decision of then stands, and somebody should look at it again.
  - name: delisted
    kinds: [label, cluster]
    when: fact.sanction && fact.ended
    outcome: allow
    why: An authority listed it once, and had ended that by the moment asked for.
  - name: sanctioned-owner
    kinds: [cluster]
    when: fact.sanction && fact.in_force
    outcome: review
    level: high
    why: A rule concludes that the owner of a listed address owns this one too; a conclusion is not a listing.
  - name: said-to-be-sanctioned
    kinds: [label, cluster]
    when: "!fact.sanction && fact.in_force && (fact.is('sanction') || fact.is('gov_black_list'))"
    outcome: review
    level: high
    why: Somebody says that it is sanctioned, without an authority's list to show for it.
  - name: sanctioned-counterparty
    kinds: [counterparty, taint]
    except: [service, victim]
    when: fact.sanction && fact.direct && (fact.valued || fact.direction == 'sent')
    outcome: refuse
    level: severe
    why: It dealt directly with somebody whom an authority lists; there is no amount too small, except for dust that came unasked.
  - name: sanctioned-counterparty-unvalued
    kinds: [counterparty, taint]
    except: [service, victim]
    when: fact.sanction && fact.direct && !fact.valued && fact.direction != 'sent'
    outcome: review
    level: high
    why: Something came directly from somebody whom an authority lists, and nobody can tell whether it was more than dust, as it has no price.

  # What people say about the address.
  - name: labelled-grave
    kinds: [label]
    when: fact.severity >= policy.grave && fact.confidence >= policy.sure && fact.in_force && !fact.sanction && !fact.is('sanction') && !fact.is('gov_black_list')
    outcome: refuse
    outcome_for: {deposit: freeze, refund: freeze}
    level: high
    why: A source that can be relied on says that it belongs to a grave offender.
  - name: labelled-grave-unsure
    kinds: [label]
    when: fact.severity >= policy.grave && fact.confidence < policy.sure && fact.confidence >= policy.doubtful && fact.in_force && !fact.sanction
    outcome: review
    level: medium
    why: A source of middling confidence says that it belongs to a grave offender.
  - name: labelled-grave-rumour
    kinds: [label]
    when: fact.severity >= policy.grave && fact.confidence < policy.doubtful && fact.in_force && !fact.sanction
    outcome: monitor
    level: low
    why: A source of little confidence says that it belongs to a grave offender; that alone holds up nobody.
  - name: labelled-serious
    kinds: [label]
    when: fact.severity >= policy.serious && fact.severity < policy.grave && fact.in_force && fact.confidence >= policy.sure
    outcome: review
    level: medium
    why: A source that can be relied on says that it belongs to a serious offender or to a mixer.
  - name: labelled-light
    kinds: [label]
    when: fact.severity >= policy.light && fact.severity < policy.grave && fact.in_force && (fact.severity < policy.serious || fact.confidence < policy.sure)
    outcome: monitor
    why: What it is said to be is worth a second look, and no reason to hold it.
  - name: known-service
    kinds: [label]
    only: [service]
    when: fact.severity < policy.light && fact.in_force
    outcome: allow
    why: It is a service that keeps many people's money; what it received is judged by its share.
  - name: known-victim
    kinds: [label]
    only: [victim]
    when: fact.in_force && fact.is('victim')
    outcome: allow
    why: It is a victim's; that it dealt with the thief speaks for it and not against it.

  # What rules conclude about its owner: never more than a review.
  - name: owner-grave
    kinds: [cluster]
    when: fact.severity >= policy.grave && fact.in_force && !fact.sanction && fact.confidence >= policy.sure
    outcome: review
    level: medium
    why: A rule concludes that its owner is one of whom grave things are said.
  - name: owner-notable
    kinds: [cluster]
    when: fact.severity >= policy.light && fact.in_force && !fact.sanction && (fact.severity < policy.grave || fact.confidence < policy.sure)
    outcome: monitor
    why: A rule concludes that its owner is worth a second look.

  # Stolen value, by exact accounting.
  - name: taint-direct
    kinds: [taint]
    except: [service, victim]
    when: fact.direct && fact.material && fact.certainty_bp >= policy.certain_bp
    outcome: refuse
    outcome_for: {deposit: freeze, refund: freeze}
    level: high
    why: Stolen value came to it, or went from it, with nobody in between.
  - name: taint-mostly
    kinds: [taint]
    except: [service, victim]
    when: "!fact.direct && fact.hops <= policy.max_hops && fact.share_bp >= policy.mostly_bp && fact.certainty_bp >= policy.certain_bp && !fact.trifling"
    outcome: refuse
    outcome_for: {deposit: freeze, refund: freeze}
    level: high
    why: Most of all that it moved is stolen, as a matter of accounting and not of opinion.
  - name: taint-large
    kinds: [taint]
    except: [service, victim]
    when: "!fact.trifling && fact.hops <= policy.max_hops && fact.certainty_bp >= policy.weak_bp && (fact.share_bp >= policy.review_share_bp || fact.cents >= policy.review_cents || fact.unmeasured || fact.material)"
    outcome: review
    level: medium
    why: Stolen value is a tenth or more of what it moved, or worth USD 10,000 or more, or came with nobody in between, or nobody can tell how much it is.
  - name: taint-far
    kinds: [taint]
    except: [service, victim]
    when: fact.hops > policy.max_hops && fact.share_bp >= policy.mostly_bp && !fact.trifling
    outcome: review
    why: Most of all that it moved is stolen, but so many hands ago that its holder may know nothing of it.
  - name: taint-held
    kinds: [taint]
    purposes: [deposit, swap, refund]
    except: [service, victim]
    when: fact.holds && fact.hops <= policy.max_hops && fact.certainty_bp >= policy.weak_bp && (fact.held_cents >= policy.direct_min_cents || !fact.valued) && !(fact.share_known && fact.share_bp <= policy.ignore_share_bp)
    outcome: review
    level: medium
    why: Stolen value still lies there, and what is paid next may be it.
  - name: taint-some
    kinds: [taint]
    except: [service, victim]
    when: "!fact.trifling && !(fact.share_known && fact.share_bp <= policy.ignore_share_bp && fact.cents < policy.review_cents)"
    outcome: monitor
    level: low
    why: More than a thousandth of what it moved is stolen.
  - name: taint-together
    scope: subject
    kinds: [taint]
    direction: received
    least: 2
    except: [service, victim]
    when: sum(facts.map(f, f.certainty_bp >= policy.weak_bp && f.hops <= policy.max_hops, f.cents)) >= policy.review_cents
    outcome: review
    level: medium
    why: Taken together, the stolen value that came to it is worth USD 10,000 or more.

  # Whom it dealt with.
  - name: dealt-grave
    kinds: [counterparty]
    except: [service, victim]
    when: fact.direct && fact.severity >= policy.grave && !fact.sanction && fact.material && fact.confidence >= policy.sure
    outcome: review
    level: medium
    why: It dealt directly, for USD 100 or one per cent or more, with somebody of whom a reliable source says grave things.
  - name: dealt-large
    kinds: [counterparty]
    except: [service, victim]
    when: fact.severity >= policy.serious && fact.hops <= policy.max_hops && (fact.share_bp >= policy.review_share_bp || fact.cents >= policy.review_cents || fact.unmeasured) && !fact.trifling
    outcome: review
    level: medium
    why: A tenth or more of what it moved, or USD 10,000 or more, came from or went to somebody of whom serious things are said.
  - name: dealt-some
    kinds: [counterparty]
    except: [service, victim]
    when: fact.severity >= policy.light && fact.hops <= policy.max_hops && !fact.trifling && !(fact.share_known && fact.share_bp <= policy.ignore_share_bp && fact.cents < policy.review_cents)
    outcome: monitor
    why: It dealt, directly or through others, with somebody who is worth a second look.
  - name: dealt-together-received
    scope: subject
    kinds: [counterparty]
    direction: received
    least: 2
    except: [service, victim]
    when: sum(facts.map(f, f.severity >= policy.serious && f.hops <= policy.max_hops, f.share_bp)) >= policy.review_share_bp
    outcome: review
    level: medium
    why: Taken together, a tenth or more of what it received came from people of whom serious things are said.
  - name: dealt-together-sent
    scope: subject
    kinds: [counterparty]
    direction: sent
    least: 2
    except: [service, victim]
    when: sum(facts.map(f, f.severity >= policy.serious && f.hops <= policy.max_hops, f.share_bp)) >= policy.review_share_bp
    outcome: review
    level: medium
    why: Taken together, a tenth or more of what it sent went to people of whom serious things are said.

  # The same, for services and for victims.
  - name: service-mostly
    kinds: [taint, counterparty]
    only: [service]
    except: [victim]
    when: fact.severity >= policy.serious && fact.share_bp >= policy.mostly_bp
    outcome: review
    level: medium
    why: Most of what this service moved is of one such source; that is no longer a pool of many people's money.
  - name: service-notable
    kinds: [taint, counterparty]
    only: [service]
    except: [victim]
    when: fact.severity >= policy.light && fact.share_bp >= policy.review_share_bp && fact.share_bp < policy.mostly_bp
    outcome: monitor
    why: A tenth or more of what this service moved is of one such source.
  - name: service-pool
    kinds: [taint, counterparty]
    only: [service]
    except: [victim]
    when: fact.severity >= policy.light && fact.share_bp < policy.review_share_bp
    outcome: allow
    why: A service receives from everybody and pays from a pool; that some of it is tainted is no reason to refuse the service.
  - name: victim-dealings
    kinds: [taint, counterparty]
    only: [victim]
    when: fact.severity >= policy.light
    outcome: monitor
    outcome_for: {refund: allow}
    why: It is a victim's; what moved between it and the thief is the theft, or what came back of it.

tests:
  - name: nothing is known, and its chain is held
    expect: {outcome: allow, level: none, reasons: [no-facts]}
  - name: nothing is known, as its chain is not held
    subject: {held: false}
    expect: {outcome: review, level: unknown, reasons: [chain-not-held]}
  - name: nothing is known, but the data is 16 minutes old
    subject: {age_seconds: 960}
    expect: {outcome: review, level: unknown, reasons: [stale]}
  - name: not an address
    subject: {not_an_address: true}
    expect: {outcome: review, level: unknown, reasons: [not-an-address]}
  - name: a listed address wants to withdraw
    question: {purpose: withdrawal}
    facts: [{kind: label, sanction: true, category: sanction, authority: OFAC, confidence: 60, from: 2022-08-08}]
    expect: {outcome: refuse, level: severe, reasons: [sanctioned]}
  - name: a listed address deposits
    question: {purpose: deposit}
    facts: [{kind: label, sanction: true, category: sanction, authority: OFAC, confidence: 60, from: 2022-08-08}]
    expect: {outcome: freeze, level: severe, reasons: [sanctioned]}
  - name: it was listed only after the moment asked for
    question: {purpose: deposit, at: 2022-08-01}
    facts: [{kind: label, sanction: true, category: sanction, authority: OFAC, confidence: 60, from: 2022-08-08}]
    expect: {outcome: review, reasons: [sanctioned-later], absent: [sanctioned]}
  - name: it was delisted
    facts: [{kind: label, sanction: true, category: sanction, authority: OFAC, confidence: 60, from: 2022-08-08, to: 2025-03-21}]
    expect: {outcome: allow, level: none, reasons: [delisted]}
  - name: it was listed at the moment asked for, and is not now
    question: {at: 2023-01-01}
    facts: [{kind: label, sanction: true, category: sanction, authority: OFAC, confidence: 60, from: 2022-08-08, to: 2025-03-21}]
    expect: {outcome: refuse, level: severe, reasons: [sanctioned]}
  - name: its owner is concluded to be listed
    facts: [{kind: cluster, sanction: true, category: sanction, confidence: 60, rule: co-spend}]
    expect: {outcome: review, level: high, reasons: [sanctioned-owner]}
  - name: it received USD 50 from a listed address
    facts: [{kind: counterparty, direction: received, sanction: true, category: sanction, confidence: 60, hops: 1, asset: "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", amount: 50000000, total: 100000000000}]
    expect: {outcome: refuse, level: severe, reasons: [sanctioned-counterparty]}
  - name: a listed address dusted it
    facts: [{kind: counterparty, direction: received, sanction: true, category: sanction, confidence: 60, hops: 1, asset: "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", amount: 1000000}]
    expect: {outcome: allow, level: none, reasons: [dust]}
  - name: a movement of nothing in its name
    facts: [{kind: counterparty, direction: sent, sanction: true, category: sanction, confidence: 60, hops: 1, asset: "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", total: 100000000000}]
    expect: {outcome: allow, level: none, reasons: [poisoning]}
  - name: the thief wants a refund
    question: {purpose: refund}
    facts: [{kind: label, category: perpetrator, confidence: 90}]
    expect: {outcome: freeze, level: severe, reasons: [labelled-grave]}
  - name: an address that holds stolen ether wants a refund
    question: {purpose: refund}
    facts: [{kind: taint, direction: received, incident: i, asset: "eip155:1/slip44:60", amount: 10000000000000000000, held: 10000000000000000000, total: 10000000000000000000, hops: 1, certainty_bp: 10000}]
    expect: {outcome: freeze, level: severe, reasons: [taint-direct, taint-held]}
  - name: a victim wants a refund
    question: {purpose: refund}
    facts:
      - {kind: label, category: victim, confidence: 60}
      - {kind: taint, direction: received, incident: i, asset: "eip155:1/slip44:60", amount: 10000000000000000000, total: 10000000000000000000, hops: 1, certainty_bp: 10000}
    expect: {outcome: allow, level: none, reasons: [known-victim, victim-dealings]}
  - name: a thief whom somebody also calls a victim wants a refund
    question: {purpose: refund}
    facts:
      - {kind: label, category: victim, confidence: 60}
      - {kind: label, category: exploit, confidence: 50}
    expect: {outcome: freeze, reasons: [labelled-grave], absent: [known-victim]}
  - name: an exchange's hot wallet received stolen ether
    question: {purpose: withdrawal}
    facts:
      - {kind: label, category: exchange, confidence: 60}
      - {kind: taint, direction: received, incident: i, asset: "eip155:1/slip44:60", amount: 500000000000000000000, held: 500000000000000000000, total: 5000000000000000000000000, hops: 1, certainty_bp: 10000}
    expect: {outcome: allow, level: none, reasons: [known-service, service-pool]}
  - name: a rumour that it is a hacker's
    facts: [{kind: label, category: hacking, confidence: 10}]
    expect: {outcome: monitor, level: low, reasons: [labelled-grave-rumour]}
  - name: taint that rests on an inference
    facts: [{kind: taint, direction: received, incident: i, asset: "eip155:1/slip44:60", amount: 10000000000000000000, total: 10000000000000000000, hops: 1, certainty_bp: 8000}]
    expect: {outcome: review, level: high, reasons: [taint-large], absent: [taint-direct]}
  - name: all that it received came from a listed address, by way of another
    question: {purpose: deposit}
    facts: [{kind: counterparty, direction: received, sanction: true, category: sanction, authority: OFAC, confidence: 100, hops: 2, asset: "eip155:1/slip44:60", amount: 10000000000000000000, total: 10000000000000000000}]
    expect: {outcome: review, reasons: [dealt-large], absent: [sanctioned-counterparty]}
  - name: all that it sent went on to a listed address
    question: {purpose: withdrawal}
    facts: [{kind: counterparty, direction: sent, sanction: true, category: sanction, authority: OFAC, confidence: 60, hops: 2, asset: "eip155:1/slip44:60", amount: 10000000000000000000, total: 10000000000000000000}]
    expect: {outcome: review, reasons: [dealt-large], absent: [sanctioned-counterparty]}
  - name: USD 400 came from a listed address five hops away, and nobody can tell of how much
    facts: [{kind: counterparty, direction: received, sanction: true, category: sanction, authority: OFAC, confidence: 60, hops: 5, asset: "eip155:1/slip44:60", amount: 100000000000000000}]
    expect: {outcome: monitor, reasons: [dealt-some], absent: [sanctioned-counterparty, dealt-large]}
  - name: USD 40,000 came from a listed address five hops away, and nobody can tell of how much
    facts: [{kind: counterparty, direction: received, sanction: true, category: sanction, authority: OFAC, confidence: 60, hops: 5, asset: "eip155:1/slip44:60", amount: 10000000000000000000}]
    expect: {outcome: review, reasons: [dealt-large], absent: [sanctioned-counterparty]}
  - name: a hundredth came from a thief, three hops away
    facts: [{kind: counterparty, direction: received, category: exploit, confidence: 60, hops: 3, asset: "eip155:1/slip44:60", amount: 100000000000000000, total: 10000000000000000000}]
    expect: {outcome: monitor, reasons: [dealt-some], absent: [dealt-large, dealt-grave]}
  - name: USD 12 of USD 40,000 came from a thief, four hops away
    facts: [{kind: counterparty, direction: received, category: exploit, confidence: 60, hops: 4, asset: "eip155:1/slip44:60", amount: 3000000000000000, total: 10000000000000000000}]
    expect: {outcome: allow, level: none, absent: [dealt-some]}
  - name: an exchange got a listed address's ether from another customer
    question: {purpose: withdrawal}
    facts:
      - {kind: label, category: exchange, confidence: 60}
      - {kind: counterparty, direction: received, sanction: true, category: sanction, authority: OFAC, confidence: 60, hops: 2, asset: "eip155:1/slip44:60", amount: 10000000000000000000}
    expect: {outcome: allow, level: none, reasons: [known-service, service-pool], absent: [dealt-large]}
  - name: an exchange, and nothing else
    facts: [{kind: label, category: exchange, confidence: 60}]
    expect: {outcome: allow, level: none, reasons: [known-service]}
`
