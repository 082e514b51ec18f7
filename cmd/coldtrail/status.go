package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"coldtrail/ledger"
	"coldtrail/server"
	"coldtrail/store"
)

type statusVerb struct {
	Ready string `placeholder:"URL" help:"Ask the server at this address, such as http://127.0.0.1:8801, whether it is ready, and open no store: exit 0 ready, 1 not ready, 2 no answer."`
}

// statusChain is one chain in `status --json`, which the server tells in the same words.
type statusChain = server.ChainHeld

// heldOf is what a store holds of a chain.
func heldOf(st *store.Status) statusChain {
	c := statusChain{
		Chain: string(st.Chain), Height: uint64(st.Height), Blocks: st.Blocks, Txs: st.Txs, Weakest: st.Weakest.String(),
		First: uint64(st.First), Time: time.Unix(st.Time, 0).UTC().Format(time.RFC3339), Content: "sha256:" + st.Content.String(),
	}
	if !st.Hash.IsZero() {
		c.Hash = st.Chain.FormatHash(st.Hash)
	}
	if st.Chain.Family() == ledger.UTXO {
		c.UnspentOutputs, c.UnspentValue = &st.UnspentOutputs, fmt.Sprint(st.UnspentValue)
	} else {
		c.Accounts = &st.Accounts
	}
	return c
}

// Run prints what the store holds, or whether a server is ready.
func (v *statusVerb) Run(ctx context.Context, s *session) (err error) {
	if v.Ready != "" {
		return s.askReady(ctx, v.Ready)
	}
	from, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	statuses, err := from.Status(ctx)
	if err != nil {
		return err
	}
	chains := []statusChain{}
	for i := range statuses {
		chains = append(chains, heldOf(&statuses[i]))
	}
	revision, err := from.LabelRevision(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"chains": chains, "labels": revision.String(), "claims": revision.Count})
	}
	if err := s.printStatus(chains); err != nil {
		return err
	}
	if revision.Count > 0 {
		fmt.Fprintf(s.stdout, "%d claims about who is behind addresses, %s\n", revision.Count, revision.String())
	}
	return nil
}

func (s *session) printStatus(chains []statusChain) error {
	if len(chains) == 0 {
		place, err := s.place()
		if err != nil {
			return err
		}
		fmt.Fprintf(s.stdout, "The store %s is empty. Fill it with: coldtrail ingest bitcoin --from blocks:PLACE\n", place)
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHAIN\tHEIGHT\tTIME\tBLOCKS\tTXS\tRESTS ON\tHOLDS")
	for i := range chains {
		c := &chains[i]
		holds := ""
		if c.UnspentOutputs != nil {
			holds = fmt.Sprintf("%d unspent outputs, %s satoshi", *c.UnspentOutputs, c.UnspentValue)
		} else if c.Accounts != nil {
			holds = fmt.Sprintf("%d accounts", *c.Accounts)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\t%s\t%s\n", ledger.Chain(c.Chain).Short(), c.Height, c.Time, c.Blocks, c.Txs, c.Weakest, holds)
	}
	return w.Flush()
}
