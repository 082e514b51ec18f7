package trace

import (
	"fmt"
	"strings"
	"time"

	"coldtrail/ledger"
)

// Service is a swap service that takes value in at addresses that labels of its name
// list, and pays from wallets of its own: nothing on chain joins the two. Candidates
// are scored; nothing is followed unless somebody answers for it.
type Service struct {
	Name    string       `yaml:"name"` // the entity of its labels
	Wallets []Wallet     `yaml:"wallets"`
	By      string       `yaml:"by"`               // who says that the wallets are the service's
	Window  string       `yaml:"window,omitempty"` // within which a payout comes, such as 6h
	Accept  []Acceptance `yaml:"accept,omitempty"`
	Follow  *Policy      `yaml:"follow,omitempty"`
}

// Wallet is an address that a service pays from.
type Wallet struct {
	Chain   string `yaml:"chain"`
	Address string `yaml:"address"`
}

// Acceptance is an analyst's decision that a payout answers a deposit. What passes is
// inferred for ever, with the candidate's score or with the one given here.
type Acceptance struct {
	Deposit string `yaml:"deposit"` // transaction
	Payout  string `yaml:"payout"`  // TXID:VOUT, or TX:N for movement N of an account chain
	Score   uint32 `yaml:"score_bp,omitempty"`
	By      string `yaml:"by"`
	Why     string `yaml:"why"`
}

// Policy follows every candidate of at least a score that is in the likeliest
// one-to-one assignment.
type Policy struct {
	Least uint32 `yaml:"least_bp"`
	By    string `yaml:"by"`
	Why   string `yaml:"why"`
}

// check says what is wrong with the service, or nothing.
func (s *Service) check() string {
	if s.Name == "" || s.By == "" || len(s.Wallets) == 0 {
		return "a service needs name (the entity of its labels), wallets and by (who says so)"
	}
	for i := range s.Wallets {
		if _, err := ledger.ParseChain(s.Wallets[i].Chain); err != nil {
			return fmt.Sprintf("wallets[%d]: %v", i, err)
		}
	}
	if s.Window != "" {
		if d, err := time.ParseDuration(s.Window); err != nil || d < time.Minute || d > 30*24*time.Hour {
			return fmt.Sprintf("window %q: write a duration of one minute to 30 days, such as 6h", s.Window)
		}
	}
	for i := range s.Accept {
		a := &s.Accept[i]
		switch _, index, ok := strings.Cut(a.Payout, ":"); {
		case a.Deposit == "" || !ok || index == "":
			return fmt.Sprintf("accept[%d]: name the deposit's transaction and the payout as TXID:VOUT, or TX:N on account chains", i)
		case a.By == "" || a.Why == "":
			return fmt.Sprintf("accept[%d]: an acceptance needs by (who answers for it) and why", i)
		case a.Score > 9_999:
			return fmt.Sprintf("accept[%d]: score_bp is at most 9999: nothing on chain proves it", i)
		}
	}
	if f := s.Follow; f != nil && (f.Least < 5000 || f.Least > 10_000 || f.By == "" || f.Why == "") {
		return "follow needs least_bp of 5000 to 10000, by (who answers for it) and why"
	}
	return ""
}
