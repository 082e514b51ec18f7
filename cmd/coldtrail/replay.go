package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"

	"coldtrail/internal/laundering"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/embedded"
)

type replayVerb struct {
	Scenario string `default:"bybit" enum:"bybit,honest-week,harmony,ronin,coinex,dmm,owners" help:"What to play: bybit, honest-week, harmony, ronin, coinex, dmm or owners."`
	Out      string `short:"o" required:"" placeholder:"DIR" help:"An empty or missing folder for the ledger, the case and the truth."`
	Seed     uint64 `default:"1" help:"The same seed gives the same bytes."`
	Scale    uint64 `default:"1000" help:"Divide every amount by this; 1 is the full volume."`
	Thin     uint64 `default:"1" help:"Divide the number of transactions by this."`
	Wallets  int    `default:"6954" help:"Over about how many bitcoin wallets the money spreads; 35772 is the state of April 2025."`
	Quiet    bool   `help:"Leave out everybody else's traffic."`
}

// Run plays a laundering into a ledger of its own.
func (v *replayVerb) Run(ctx context.Context, s *session) (err error) {
	folder := filepath.Join(v.Out, "ledger")
	if entries, err := os.ReadDir(v.Out); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty; name another folder with -o", v.Out)
	}
	if err := os.MkdirAll(v.Out, 0o750); err != nil {
		return err
	}
	into, err := embedded.Open(ctx, folder, embedded.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	played, err := v.play(ctx, s, into)
	if err != nil {
		return err
	}
	if err := writeYAML(filepath.Join(v.Out, "case.yaml"), laundering.CaseOf(v.Scenario, played)); err != nil {
		return err
	}
	if err := writeTruth(filepath.Join(v.Out, "truth.json"), played); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(played.Totals)
	}
	for _, name := range sortedKeys(played.Totals) {
		fmt.Fprintf(s.stdout, "%-24s %s\n", name, played.Totals[name])
	}
	fmt.Fprintf(s.stdout, "\nThe ledger, the case and the truth are in %s. Now:\n  coldtrail trace %s --data %s\n", v.Out, filepath.Join(v.Out, "case.yaml"), folder)
	return nil
}

// replayBatch is how many blocks are appended at once.
const replayBatch = 256

// play plays into a store, in batches.
func (v *replayVerb) play(ctx context.Context, s *session, into store.Writer) (*replay.Played, error) {
	var wait []*ledger.Block
	bar := newProgress(s, "replay", 0)
	done := uint64(0)
	flush := func() error {
		for _, chain := range []ledger.Chain{ledger.Ethereum, replay.Regtest} {
			of := slices.DeleteFunc(slices.Clone(wait), func(b *ledger.Block) bool { return b.Chain != chain })
			if err := into.Append(ctx, of); err != nil {
				return err
			}
		}
		done += uint64(len(wait))
		wait = wait[:0]
		bar.set(done)
		return nil
	}
	sink := func(b *ledger.Block) error {
		if wait = append(wait, b); len(wait) < replayBatch {
			return nil
		}
		return flush()
	}
	options := replay.Options{Seed: v.Seed, Scale: v.Scale, Thin: v.Thin, Scenario: v.Scenario, Wallets: v.Wallets, Quiet: v.Quiet}
	played, err := replay.Play(options, replay.NewAccounts(v.Seed, laundering.Height, sink), replay.NewOutputs(v.Seed, sink))
	if err == nil {
		err = flush()
	}
	bar.end()
	return played, err
}

func writeYAML(file string, value any) error {
	text, err := yaml.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644) //nolint:gosec // a case file is for everybody
}

// writeTruth writes where everything really is, by method.
func writeTruth(file string, p *replay.Played) error {
	truth := map[string][]replay.Row{}
	for _, method := range replay.Methods {
		truth[method] = p.Truth.Rows(method)
	}
	text, err := json.MarshalIndent(map[string]any{
		"dispositions": truth, "totals": p.Totals, "opaque_pairs": p.Pairs, "published_labels": p.Published, "coinjoins": p.CoinJoins, "owners": p.Owners,
		"deposits": p.Deposits, "mixes": p.Mixes, "shared": p.Shared, "conducts": p.Conducts,
	}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // the truth of a replay is no secret
}

// sortedKeys lists the names of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
