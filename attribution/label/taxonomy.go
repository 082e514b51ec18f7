package label

import (
	"slices"
	"strings"
)

// taxonomy is GraphSense's concepts, child before parent, after INTERPOL's Dark Web and
// Virtual Assets Taxonomy (concept scheme 0.1.0), with a few of our own at the end.
const taxonomy = `behaviour<concept source<concept mention<source website_mention<mention forum_mention<website_mention dark_web<source
abuse<behaviour gray_usage<behaviour mixing<gray_usage coinjoin<mixing white_usage<behaviour sexual_abuse<abuse child_sexual_abuse<sexual_abuse
violence<abuse murder<violence torture<violence human_trafficking<abuse scam<abuse financial_crime<abuse investment_fraud<financial_crime
ponzi_scheme<investment_fraud pyramid_scheme<ponzi_scheme money_laundering<financial_crime payment_card_fraud<financial_crime extortion<abuse
sextortion<extortion ransomware<extortion phishing<abuse hacking<abuse service_hack<hacking account_hack<hacking exploit<hacking
data_breach<hacking social_engineering<hacking malware<hacking drugs<abuse weapons<abuse sanction<abuse counterfeit<abuse extremism<abuse
terrorism<extremism terrorism_financing<extremism black_list<abuse gov_black_list<black_list white_list<white_usage gov_white_list<white_list
deployer<behaviour funder<behaviour entity<concept organization<entity user<entity victim<user perpetrator<user donation<user miner<user
service<entity exchange<service wallet_service<service escrow_wallet<wallet_service ico_wallet<wallet_service cold_wallet<white_usage
hot_wallet<white_usage warm_wallet<white_usage deposit_wallet<white_usage filesharing<service index<service market<service
messaging_service<service mixing_service<service mining_service<service gambling<service search_engine<service shop<service faucet<service
payment_processor<service atm<service hosting<service vpn<service nameservice<service defi<service defi_token<defi defi_lending<defi
defi_dex<defi defi_derivative<defi defi_bridge<defi defi_dao<defi defi_staking<defi defi_custody<defi item<concept collectible<item
swap_service<service state<organization`

// parents are the concepts and what each is a kind of.
var parents = func() map[string]string {
	m := map[string]string{}
	for pair := range strings.FieldsSeq(taxonomy) {
		child, parent, _ := strings.Cut(pair, "<")
		m[child] = parent
	}
	return m
}()

// Known says whether a concept is in the taxonomy.
func Known(concept string) bool {
	_, ok := parents[concept]
	return ok || concept == "concept"
}

// Is says whether a concept is another one or a kind of it.
func Is(concept, of string) bool {
	for concept != "" {
		if concept == of {
			return true
		}
		concept = parents[concept]
	}
	return false
}

// Broad says whether a concept tells little: none, or that somebody is an organization.
func Broad(concept string) bool {
	return slices.Contains([]string{"", "concept", "entity", "organization", "user", "service"}, concept)
}

// Concepts lists the taxonomy in order.
func Concepts() []string {
	list := make([]string, 0, len(parents))
	for c := range parents {
		list = append(list, c)
	}
	slices.Sort(list)
	return list
}

// words maps what other sources call things to the taxonomy.
var words = map[string]string{
	"sanctions": "sanction", "sanctioned": "sanction", "ofac": "sanction", "mixer": "mixing_service", "tumbler": "mixing_service", "scamming": "scam",
	"phish": "phishing", "phish-hack": "phishing", "fake_phishing": "phishing", "exploiter": "exploit", "hack": "hacking", "hacker": "hacking",
	"heist": "service_hack", "darknet": "market", "darknet_market": "market", "dex": "defi_dex", "bridge": "defi_bridge", "lending": "defi_lending",
	"cex": "exchange", "wallet": "wallet_service", "mining": "mining_service", "ponzi": "ponzi_scheme", "terrorist_financing": "terrorism_financing",
	"csam": "child_sexual_abuse", "blacklist": "black_list", "instant_exchange": "swap_service", "government": "state",
}

// ConceptOf finds the concept that a word means; false where none does.
func ConceptOf(word string) (string, bool) {
	word = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(word)), " ", "_")
	if Known(word) {
		return word, true
	}
	c, ok := words[word]
	return c, ok
}

// Confidences are how sure a reason makes, in hundredths (GraphSense TagPacks,
// confidence scheme).
var Confidences = map[string]uint8{
	"override": 100, "ownership": 100, "ledger_immanent": 100, "manual_transaction": 90, "service_api": 70, "forensic_investigation": 70,
	"authority_data": 60, "trusted_provider": 50, "service_data": 50, "forensic": 50, "untrusted_transaction": 40, "web_crawl": 20, "heuristic": 10,
	"unknown": 5,
}

// Stop is where a trace stops.
type Stop string

// The stops; none lets a trace go on.
const (
	StopNone    Stop = ""
	StopService Stop = "service" // holds its customers' money and pays from its own
	StopMixer   Stop = "mixer"
	StopDark    Stop = "dark" // a swap service without public books
)

// stops are the concepts at which value passes into somebody's books. Contracts of DeFi
// are not: what they do is on chain.
var stops = []struct {
	concept string
	stop    Stop
}{
	{"mixing_service", StopMixer},
	{"swap_service", StopDark},
	{"exchange", StopService},
	{"wallet_service", StopService},
	{"gambling", StopService},
	{"market", StopService},
	{"payment_processor", StopService},
	{"atm", StopService},
	{"shop", StopService},
	{"hosting", StopService},
	{"vpn", StopService},
	{"mining_service", StopService},
	{"faucet", StopService},
	{"deposit_wallet", StopService},
	{"hot_wallet", StopService},
	{"cold_wallet", StopService},
	{"warm_wallet", StopService},
}

// swappers are actors that swap coins without public books, whatever a source files
// them under: identifiers and labels begin so.
var swappers = []string{"exch", "changenow", "fixedfloat", "sideshift", "simpleswap", "changelly", "godex", "stealthex", "swapuz", "exolix", "letsexchange", "shapeshift"}

// StopOf says where a trace stops by a claim.
func (c *Claim) StopOf() Stop {
	if (swapper(c.Actor) || swapper(c.Label)) && (Broad(c.Concept) || Is(c.Concept, "service")) {
		return StopDark
	}
	for _, s := range stops {
		if Is(c.Concept, s.concept) {
			return s.stop
		}
	}
	return StopNone
}

// Collects says that an address is a service's own wallet, into which deposits are
// collected, and not one of its deposit addresses.
func (c *Claim) Collects() bool { return c.StopOf() == StopService && c.Concept != "deposit_wallet" }

func swapper(name string) bool {
	name = strings.ToLower(strings.NewReplacer(".", "", " ", "", "-", "", "_", "").Replace(name))
	return slices.ContainsFunc(swappers, func(s string) bool {
		return name == s || name == s+"com" || name == s+"io" || name == s+"cx" || name == s+"ai"
	})
}
