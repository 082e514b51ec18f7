package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"coldtrail/ingest"
	"coldtrail/ledger"
)

type followVerb struct {
	Chain string   `arg:"" help:"bitcoin, ethereum or another network by name, eip155:N or bip122:…"`
	From  string   `required:"" placeholder:"KIND:PLACE" help:"Its node: rpc:URL."`
	Also  []string `placeholder:"CHAIN=KIND:PLACE" help:"More chains to follow at the same time."`

	screeningFlags
	followFlags
}

// Run follows chains at their tips and keeps the stolen value of the open cases current,
// until it is interrupted.
func (v *followVerb) Run(ctx context.Context, s *session) (err error) {
	chains, err := parseFollowed("CHAIN", append([]string{v.Chain + "=" + v.From}, v.Also...))
	if err != nil {
		return err
	}
	v.live = true
	o, err := v.openScreening(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	t := &followTalk{session: s, opened: o, spoke: map[ledger.Chain]bool{}}
	return v.follow(ctx, s, o, chains, watcher{changed: t.changed, current: t.current, failed: t.failed, reorganised: t.reorganised})
}

// followTalk prints what happens while chains are followed.
type followTalk struct {
	session *session
	opened  *opened

	turn  sync.Mutex
	spoke map[ledger.Chain]bool // that it is at the tip
}

// followLine is one change of a chain.
type followLine struct {
	Chain     ledger.Chain `json:"chain"`
	Height    uint64       `json:"height"`
	Hash      string       `json:"hash"`
	Added     uint64       `json:"added_blocks"`
	Addresses int          `json:"addresses"` // of which something is known
	Index     uint64       `json:"index"`
	Trouble   string       `json:"trouble,omitempty"`
}

func (t *followTalk) changed(_ context.Context, chain ledger.Chain, p ingest.Progress) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	now := t.opened.engine.Now()
	head := now.Basis().Heads[string(chain)]
	line := followLine{Chain: chain, Height: head.Height, Hash: head.Hash, Added: p.Blocks, Addresses: now.Len(), Index: now.Basis().Index}
	if err := t.opened.engine.Trouble(); err != nil {
		line.Trouble = err.Error()
	}
	if t.session.json {
		return t.session.printJSON(line)
	}
	fmt.Fprintf(t.session.stdout, "%s: block %d (%d added), something is known of %d addresses\n", chain.Short(), line.Height, line.Added, line.Addresses)
	if line.Trouble != "" {
		fmt.Fprintf(t.session.stderr, "note: a case is not followed: %s\n", inert(line.Trouble))
	}
	return nil
}

func (t *followTalk) current(chain ledger.Chain) {
	t.turn.Lock()
	defer t.turn.Unlock()
	if !t.spoke[chain] {
		t.spoke[chain] = true
		fmt.Fprintf(t.session.stderr, "note: %s is at the tip of its node; waiting for blocks\n", chain.Short())
	}
}

func (t *followTalk) failed(chain ledger.Chain, err error, again time.Duration) {
	t.turn.Lock()
	defer t.turn.Unlock()
	t.spoke[chain] = false
	fmt.Fprintf(t.session.stderr, "note: %s: %s; trying again in %s\n", chain.Short(), inert(err.Error()), again)
}

func (t *followTalk) reorganised(chain ledger.Chain, fork ledger.Height, depth int) {
	t.turn.Lock()
	defer t.turn.Unlock()
	fmt.Fprintf(t.session.stderr, "note: %s was reorganised after block %d; %d blocks were taken back\n", chain.Short(), fork, depth)
}
