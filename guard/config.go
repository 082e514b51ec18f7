package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen/breaker"
)

// Config is how a venue is guarded: the breaker's parameters, and beside them the keys
// that follow.
type Config struct {
	Breaker breaker.Config
	// Chain is where the venue's contracts or wallets are, CAIP-2 (key chain). For a venue
	// that posts its uses it is the chain of their senders, where that is one.
	Chain ledger.Chain
	// Addresses are the contracts or wallets (key addresses).
	Addresses []string
	// Finality is from how many blocks on top on a use counts as final (key finality): 12,
	// or 6 on chains of Bitcoin's family.
	Finality uint64
	// FourEyes are the states that two people have to set by hand, the second with the
	// words of the first (key four_eyes); Looser among them stands for every one that is
	// looser than what is in force.
	FourEyes []string
}

// Looser stands for every state that is looser than the one in force.
const Looser = "LOOSER"

// The bounds of a configuration.
const (
	maxAddresses = 1000
	maxFinality  = 10_000
)

// The depths from which blocks count as final.
const (
	accountFinality = 12
	outputFinality  = 6
)

// own are the keys that are not the breaker's.
type own struct {
	Chain     string   `yaml:"chain"`
	Addresses []string `yaml:"addresses"`
	Finality  uint64   `yaml:"finality"`
	FourEyes  []string `yaml:"four_eyes"`
}

var ownKeys = []string{"chain", "addresses", "finality", "four_eyes"}

// ParseConfig reads the configuration of a venue: YAML, JSON, or YAML in a JSON string.
// What it leaves out is the breaker's default. Errors are ErrInvalid.
func ParseConfig(kind casebook.VenueKind, venue string, text []byte) (Config, error) {
	c, err := parseConfig(venue, text)
	if err == nil {
		err = c.check(kind)
	}
	if err != nil {
		return Config{}, fmt.Errorf("%w: the configuration of venue %q: %w", ErrInvalid, venue, err)
	}
	return c, nil
}

func parseConfig(venue string, text []byte) (c Config, err error) {
	var inner string
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '"' && json.Unmarshal(trimmed, &inner) == nil {
		text = []byte(inner)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return c, err
	}
	mine, rest, err := split(&root)
	if err != nil {
		return c, err
	}
	if c.Breaker, err = breaker.ParseConfig(rest); err != nil {
		return c, err
	}
	if name := c.Breaker.Venue; name != venue && name != breaker.Default().Venue {
		return c, fmt.Errorf("it is of venue %q", name)
	}
	c.Breaker.Venue = venue
	if mine.Chain != "" {
		if c.Chain, err = ledger.ParseChain(mine.Chain); err != nil {
			return c, err
		}
	}
	c.Addresses, c.FourEyes, c.Finality = mine.Addresses, mine.FourEyes, mine.Finality
	if c.Finality == 0 {
		c.Finality = accountFinality
		if c.Chain.Family() == ledger.UTXO {
			c.Finality = outputFinality
		}
	}
	return c, c.Breaker.Check()
}

// split parts the guard's keys from the breaker's.
func split(root *yaml.Node) (mine own, rest []byte, err error) {
	if len(root.Content) == 0 {
		return mine, nil, nil
	}
	top := root.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return mine, nil, nil
	}
	if top.Kind != yaml.MappingNode {
		return mine, nil, fmt.Errorf("line %d: it is no mapping", top.Line)
	}
	of := [2]yaml.Node{{Kind: yaml.MappingNode}, {Kind: yaml.MappingNode}}
	for i := 0; i+1 < len(top.Content); i += 2 {
		to := &of[1]
		if slices.Contains(ownKeys, top.Content[i].Value) {
			to = &of[0]
		}
		to.Content = append(to.Content, top.Content[i], top.Content[i+1])
	}
	if err := of[0].Decode(&mine); err != nil {
		return mine, nil, err
	}
	if len(of[1].Content) > 0 {
		rest, err = yaml.Marshal(&of[1])
	}
	return mine, rest, err
}

// check says what is wrong with the guard's own keys.
func (c *Config) check(kind casebook.VenueKind) error {
	switch kind {
	case casebook.Posted:
	case casebook.Contract, casebook.HotWallet:
		if c.Chain == "" || len(c.Addresses) == 0 {
			return fmt.Errorf("a venue of kind %s has a chain and addresses", kind)
		}
		if kind == casebook.Contract && c.Chain.Family() != ledger.Account {
			return fmt.Errorf("chain %s has no contracts", c.Chain)
		}
	default:
		return fmt.Errorf("kind %q is not known", kind)
	}
	if len(c.Addresses) > maxAddresses || c.Finality > maxFinality {
		return fmt.Errorf("at most %d addresses and %d blocks of finality are taken", maxAddresses, maxFinality)
	}
	for _, s := range c.FourEyes {
		if s != Looser && !slices.Contains(breaker.States, breaker.State(s)) {
			return fmt.Errorf("four_eyes: there is no state %q", s)
		}
	}
	return nil
}

// owned reads the addresses.
func (c *Config) owned(notations func(ledger.Chain) (ledger.Notation, error)) (ledger.Notation, map[ledger.Address]bool, error) {
	notation, err := notations(c.Chain)
	if err != nil {
		return nil, nil, err
	}
	set := map[ledger.Address]bool{}
	for _, text := range c.Addresses {
		a, err := notation.ParseAddress(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: address %q: %w", ErrInvalid, text, err)
		}
		set[a] = true
	}
	return notation, set, nil
}
