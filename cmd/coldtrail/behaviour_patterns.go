package main

import (
	"fmt"
	"strings"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/behaviour"
	"coldtrail/ledger"
)

// listedPattern is a pattern in JSON.
type listedPattern struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Definition string `json:"definition"`
	Source     string `json:"source"`
}

// listedToken is a token that counts as real without being named.
type listedToken struct {
	Symbol string `json:"symbol"`
	Asset  string `json:"asset"`
}

// list prints the patterns by the figures that decide.
func (*behaviourVerb) list(s *session) error {
	p := attribution.ConductParameters()
	var rows []listedPattern
	for _, pattern := range behaviour.Patterns {
		row := listedPattern{Name: pattern.Name, Title: pattern.Title, Source: pattern.Source}
		if define := definitions[pattern.Name]; define != nil {
			row.Definition = define(&p)
		}
		rows = append(rows, row)
	}
	var tokens []listedToken
	for _, t := range attribution.Tokens {
		tokens = append(tokens, listedToken{t.Symbol, string(t.Asset)})
	}
	if s.json {
		return s.printJSON(map[string]any{"patterns": rows, "tokens": tokens})
	}
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(s.stdout, "%s: %s\n  %s\n  source: %s\n", r.Name, r.Title, r.Definition, r.Source)
	}
	fmt.Fprintln(s.stdout, "\nTokens that count as real (--token adds others):")
	for _, t := range tokens {
		fmt.Fprintf(s.stdout, "  %-6s %s\n", t.Symbol, t.Asset)
	}
	return nil
}

// times says a window.
func times(seconds uint64) string {
	text := (time.Duration(min(seconds, 1<<33)) * time.Second).String()
	text = strings.TrimSuffix(strings.TrimSuffix(text, "0s"), "0m")
	if hours, ok := strings.CutSuffix(text, "h"); ok && hours != "1" {
		return hours + " hours"
	}
	return text
}

func bursts(b behaviour.Burst, what string) string {
	return fmt.Sprintf("at least %d %s within %s", b.Number, what, times(b.Window))
}

// limits says a limit of the native assets.
func limits(p *behaviour.Parameters, of func(behaviour.Limits) ledger.Amount) string {
	var texts []string
	for _, chain := range []ledger.Chain{ledger.Ethereum, ledger.Bitcoin} {
		if amount := of(p.Limits[chain.Native()]); !amount.IsZero() {
			texts = append(texts, decimals(amount.Dec(), string(chain.Native())))
		}
	}
	return strings.Join(texts, " or ")
}

func dustOf(l behaviour.Limits) ledger.Amount   { return l.Dust }
func gasOf(l behaviour.Limits) ledger.Amount    { return l.Gas }
func fanOutOf(l behaviour.Limits) ledger.Amount { return l.FanOut }

// definitions say each pattern in a sentence, with its figures.
var definitions = map[string]func(p *behaviour.Parameters) string{
	"fan-out": func(p *behaviour.Parameters) string {
		return "One asset sent to " + bursts(p.FanOut, "receivers") + ", in all at least " + limits(p, fanOutOf) + " (--limit fan-out=…; by number alone where an asset has no limit)."
	},
	"equal-amount-fan-out": func(p *behaviour.Parameters) string {
		return "Exactly one amount sent to " + bursts(p.EqualFanOut, "receivers") + "."
	},
	"fan-in": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("One asset received from %s, of which %s leaves by %s after the last receipt.", bursts(p.FanIn, "senders"), percent(p.FanInForward), times(p.FanInWithin))
	},
	"structuring": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("To one target %s, each of %s to %s of a reporting threshold (--limit reporting=…; none by default).",
			bursts(p.Structuring, "transfers"), percent(p.StructuringLeast), percent(p.StructuringMost))
	},
	"pass-through": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("A receipt of which the address's next movement of the asset sends %s or more on, within %s.", percent(p.PassThroughKept), times(p.PassThroughWithin))
	},
	"dormancy": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("Nothing sent for %d days, then %s of an asset gone within %s.", p.DormancyFor/86_400, percent(p.DormancyMoved), times(p.DormancyWithin))
	},
	"dusting": func(p *behaviour.Parameters) string {
		return "Amounts of at most " + limits(p, dustOf) + " (--limit dust=…) sent to " + bursts(p.Dusting, "addresses") + "."
	},
	"dusted": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("Dust received from a transaction in which the same sender gives it to at least %d others.", p.Dusting.Number)
	},
	"address-poisoning": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("Nothing, dust or an unlisted token moved to or from an address whose first %d and last %d digits are those of a real counterparty of the %d days before.",
			p.PoisoningDigits, p.PoisoningDigits, p.PoisoningWithin/86_400)
	},
	"gas-funding": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("The first native value of an address, below %s (--limit gas=…) and from no exchange; it makes a transaction within %s.", limits(p, gasOf), times(p.GasFundingWithin))
	},
	"gas-top-up": func(p *behaviour.Parameters) string {
		return "Native value for an address that holds a token and nothing for fees; it sends a token within " + times(p.GasTopUpWithin) + "."
	},
	"sweep": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("%s or more of a balance sent to one address within %s of a receipt, at least %d times.", percent(p.SweepShare), times(p.Sweep.Window), p.Sweep.Number)
	},
	"hot-wallet": func(p *behaviour.Parameters) string {
		h := &p.HotWallet
		return fmt.Sprintf("Within %d days at least %d senders, %d receivers, %d days with movements and %d senders labelled as deposit wallets.", h.Days, h.Senders, h.Receivers, h.ActiveDays, h.Sweepers)
	},
	"exchange-hopping": func(p *behaviour.Parameters) string { return "Sent to " + bursts(p.Hopping, "named services") + "." },
	"bridge-spraying": func(p *behaviour.Parameters) string {
		return "Toward one chain, or into one bridge, " + bursts(p.BridgeBurst, "transactions") + "; or " + bursts(p.BridgeSeries, "transactions") + "."
	},
	"mixer-use": func(*behaviour.Parameters) string {
		return "A transfer to or from a labelled mixer, or a part in a coinjoin."
	},
	"commingling": func(*behaviour.Parameters) string {
		return "Taint of two incidents or more came to the subject (--case)."
	},
	"commingled-transaction": func(*behaviour.Parameters) string {
		return "One transaction brought taint of two incidents or more to the subject (--case)."
	},
	"layering": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("%s, forward from the subject, each with one receipt and one sending of the asset that keeps %s or more.", bursts(p.Layering, "addresses in a row"), percent(p.LayeringKept))
	},
	"round-trip": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("A path from the subject back to it, with at least %d changes of asset, within %d days.", p.RoundTrip.Number, p.RoundTrip.Window/86_400)
	},
	"peel-chain": func(p *behaviour.Parameters) string {
		return fmt.Sprintf("At least %d transactions in a row, forward from the subject, each of one owner's coins into two outputs: at most %s is paid, the change, or %s in the larger output, goes on within %d days (--change).",
			p.Peel.Steps, percent(p.Peel.Peeled), percent(p.Peel.Continuing), p.Peel.Within/86_400)
	},
}
