package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"coldtrail/crossing"
	"coldtrail/ledger"
)

// Case is a case file: what was stolen, from whom, and what an analyst asserts.
// docs/formats/case-file.md describes every key.
type Case struct {
	File         string      `yaml:"-"` // where it was read, for messages
	Name         string      `yaml:"case"`
	Title        string      `yaml:"title"`
	Date         string      `yaml:"date"`
	Aliases      []string    `yaml:"aliases"`
	AttributedTo Attribution `yaml:"attributed_to"`
	Thefts       []Theft     `yaml:"thefts"`
	Victims      []string    `yaml:"victims"`
	Links        []Link      `yaml:"links"`
	Labels       []Label     `yaml:"labels,omitempty"`
	// Networks says which chain of the ledger a network name in bridges' messages
	// means, such as BTC; Bridges adds contracts to the tables of protocols.
	Networks map[string]string `yaml:"networks,omitempty"`
	Bridges  []Bridge          `yaml:"bridges,omitempty"`
	// Services are swap services whose payouts nothing on chain joins to their deposits.
	Services []Service `yaml:"services,omitempty"`
	StopAt   Limits    `yaml:"stop_at"`
}

// Attribution says who is held responsible, who says so, where and when.
type Attribution struct {
	Actor      string `yaml:"actor"`
	By         string `yaml:"by"`
	Source     string `yaml:"source,omitempty"`
	Date       string `yaml:"date,omitempty"`
	Confidence string `yaml:"confidence"`
}

// Theft names one stolen asset by where it moved: Tx with From, To and LogIndex
// to choose among its movements; Transfer as TX:N, the Nth movement from 0;
// Outpoint as TXID:VOUT; or Address with Since and Until, everything the address
// receives in that time.
type Theft struct {
	Colour   string `yaml:"colour"`
	Chain    string `yaml:"chain"`
	Asset    string `yaml:"asset"`
	Tx       string `yaml:"tx"`
	From     string `yaml:"from"`
	To       string `yaml:"to"`
	LogIndex *int32 `yaml:"log_index"`
	Transfer string `yaml:"transfer"`
	Outpoint string `yaml:"outpoint"`
	Address  string `yaml:"address"`
	Since    string `yaml:"since"` // RFC 3339, a date, or a height
	Until    string `yaml:"until"` // the same, included
	Amount   string `yaml:"amount"`
}

// Link is an analyst's assertion that what reached one side came out at another.
// All that passes it is inferred for ever.
type Link struct {
	From  LinkFrom `yaml:"from"`
	To    LinkTo   `yaml:"to"`
	Score uint32   `yaml:"score_bp"`
	By    string   `yaml:"by"`
	Why   string   `yaml:"why"`
}

// LinkFrom is the near side: tainted lots of the asset that arrive at one of the
// addresses, up to and not including transaction Until where it is given.
type LinkFrom struct {
	Chain     string   `yaml:"chain"`
	Addresses []string `yaml:"addresses"`
	Asset     string   `yaml:"asset"`
	Until     string   `yaml:"until"`
}

// LinkTo is the far side: Amount base units of the asset that arrive at the
// address just before transaction Before.
type LinkTo struct {
	Chain   string `yaml:"chain"`
	Address string `yaml:"address"`
	Asset   string `yaml:"asset"`
	Amount  string `yaml:"amount"`
	Before  string `yaml:"before"`
}

// Label is an analyst's word on an address: value that reaches it stops there.
type Label struct {
	Chain   string `yaml:"chain"`
	Address string `yaml:"address"`
	Kind    string `yaml:"kind"` // service, mixer, dark, frozen or in-transit
	Entity  string `yaml:"entity"`
	By      string `yaml:"by"`
	Why     string `yaml:"why"`
}

// Bridge is a contract of a bridge that the tables do not list.
type Bridge struct {
	Protocol string `yaml:"protocol"`
	Chain    string `yaml:"chain"`
	Contract string `yaml:"contract"`
	Role     string `yaml:"role"`
}

// Limits are where the user wants the trace to stop.
type Limits struct {
	Hops     uint32 `yaml:"hops"`     // 0 is no limit
	Services *bool  `yaml:"services"` // stop at labelled services; true unless set false
}

// A CaseError says what is wrong in a case file, and where.
type CaseError struct {
	File, Place, Reason string
	Cause               error // such as a store that cannot answer; nil where the file alone is wrong
}

// Unwrap gives the cause.
func (e *CaseError) Unwrap() error { return e.Cause }

// Error is "file: place: reason" in one line.
func (e *CaseError) Error() string {
	if e.Place == "" {
		return e.File + ": " + e.Reason
	}
	return e.File + ": " + e.Place + ": " + e.Reason
}

// maxCaseBytes bounds a case file; real ones have a few kilobytes.
const maxCaseBytes = 8 << 20

// ParseCase reads one case file. Unknown keys are errors, as typing mistakes in
// evidence must not pass silently. The name of the file is for messages only.
func ParseCase(file string, r io.Reader) (*Case, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxCaseBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(text) > maxCaseBytes {
		return nil, &CaseError{File: file, Reason: "case file is larger than 8 MiB"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	c := &Case{}
	if err := decoder.Decode(c); err != nil {
		return nil, &CaseError{File: file, Reason: oneLine(err)}
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, &CaseError{File: file, Reason: "more than one YAML document; write one case per file"}
	}
	c.File = file
	return c, c.check()
}

func oneLine(err error) string {
	if errors.Is(err, io.EOF) {
		return "the file is empty"
	}
	return strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
}

func (c *Case) check() error {
	fail := func(place, reason string) error { return &CaseError{File: c.File, Place: place, Reason: reason} }
	if c.Name == "" || strings.ContainsAny(c.Name, "/ \t\n") {
		return fail("case", "a case needs a name without spaces or slashes")
	}
	if len(c.Thefts) == 0 {
		return fail("thefts", "a case needs at least one theft")
	}
	for i := range c.Thefts {
		if reason := c.Thefts[i].check(); reason != "" {
			return fail(fmt.Sprintf("thefts[%d]", i), reason)
		}
	}
	for i := range c.Links {
		if reason := c.Links[i].check(); reason != "" {
			return fail(fmt.Sprintf("links[%d]", i), reason)
		}
	}
	return c.checkPlaces()
}

// checkPlaces checks labels, networks and bridges.
func (c *Case) checkPlaces() error {
	fail := func(place, format string, args ...any) error {
		return &CaseError{File: c.File, Place: place, Reason: fmt.Sprintf(format, args...)}
	}
	for i := range c.Labels {
		l, place := &c.Labels[i], fmt.Sprintf("labels[%d]", i)
		if _, err := ledger.ParseChain(l.Chain); err != nil {
			return fail(place, "%v", err)
		}
		if !slices.Contains(labelKinds, l.Kind) {
			return fail(place, "kind %q: use one of %s", l.Kind, strings.Join(labelKinds, ", "))
		}
		if l.Address == "" || l.Entity == "" || l.By == "" {
			return fail(place, "a label needs address, entity and by (who says so)")
		}
	}
	for name, chain := range c.Networks {
		if _, err := ledger.ParseChain(chain); err != nil {
			return fail("networks."+name, "%v", err)
		}
	}
	for i := range c.Services {
		if reason := c.Services[i].check(); reason != "" {
			return fail(fmt.Sprintf("services[%d] (%s)", i, c.Services[i].Name), "%s", reason)
		}
	}
	for i := range c.Bridges {
		b, place := &c.Bridges[i], fmt.Sprintf("bridges[%d]", i)
		if _, err := ledger.ParseChain(b.Chain); err != nil {
			return fail(place, "%v", err)
		}
		if !slices.ContainsFunc(crossing.Protocols, func(p *crossing.Protocol) bool { return p.Name == b.Protocol }) {
			return fail(place, "protocol %q is not known", b.Protocol)
		}
	}
	return nil
}

// labelKinds are where a label may stop a trace.
var labelKinds = []string{"service", "mixer", "dark", "frozen", "in-transit"}

// check says what is wrong with the theft, or nothing.
func (t *Theft) check() string {
	named := 0
	for _, way := range []string{t.Tx, t.Transfer, t.Outpoint, t.Address} {
		if way != "" {
			named++
		}
	}
	switch {
	case t.Colour == "" || strings.ContainsAny(t.Colour, "/ \t\n"):
		return "a theft needs a colour without spaces or slashes"
	case named != 1:
		return "name the theft by exactly one of tx, transfer, outpoint, address"
	case t.Address == "" && (t.Since != "" || t.Until != ""):
		return "since and until go with address"
	}
	return ""
}

// check says what is wrong with the link, or nothing.
func (l *Link) check() string {
	switch {
	case l.Score == 0 || l.Score > 10_000:
		return "a link needs a score_bp of 1 to 10000 basis points"
	case l.By == "" || l.Why == "":
		return "a link needs by (who asserts it) and why"
	case len(l.From.Addresses) == 0 || l.To.Address == "" || l.To.Before == "" || l.To.Amount == "":
		return "a link needs from.addresses, to.address, to.amount and to.before"
	}
	return ""
}
