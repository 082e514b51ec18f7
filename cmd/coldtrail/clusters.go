package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"coldtrail/attribution"
	"coldtrail/attribution/cluster"
	"coldtrail/attribution/cluster/files"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/store"
)

// clustered is the folder of clusters beside the store.
const clustered = "clusters"

// clusterFlags say by which rules clusters are grown.
type clusterFlags struct {
	Rules string `placeholder:"RULE,..." help:"Rules of common ownership, by name; by default co-spend on UTXO chains, deposit-address on account chains."`
}

// openedClusters are the clusters of some chains, brought up to date.
type openedClusters struct {
	byChain map[ledger.Chain]*attribution.Clusters
	folders []*files.Folder
}

func (o *openedClusters) close() error {
	var errs []error
	for _, f := range o.folders {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// openClusters opens the clusters of every chain of the store, or of those named, and
// brings them up to date.
func (s *session) openClusters(ctx context.Context, from store.Store, flags clusterFlags, only ...ledger.Chain) (*openedClusters, error) {
	opened := &openedClusters{byChain: map[ledger.Chain]*attribution.Clusters{}}
	statuses, err := from.Status(ctx)
	if err != nil {
		return opened, err
	}
	for i := range statuses {
		chain := statuses[i].Chain
		if len(only) > 0 && chain != only[0] {
			continue
		}
		if err := s.openClustersOf(ctx, from, chain, flags, opened); err != nil {
			return opened, fmt.Errorf("clusters of %s: %w", chain.Short(), err)
		}
	}
	return opened, nil
}

func (s *session) openClustersOf(ctx context.Context, from store.Store, chain ledger.Chain, flags clusterFlags, opened *openedClusters) error {
	rules, err := flags.of(chain.Family())
	if err != nil || len(rules) == 0 {
		return err
	}
	o := attribution.ClusterOptions{Rules: rules}
	if o.Notation, err = notations(chain); err != nil {
		return err
	}
	view := attribution.NewView(from, label.When{}, 0)
	if o.Cuts, err = attribution.Cuts(ctx, from, chain, label.When{}); err != nil {
		return err
	}
	if chain.Family() == ledger.Account {
		revision, err := from.LabelRevision(ctx)
		if err != nil {
			return err
		}
		o.ServiceBasis, o.Service = revision.String(), view.Services(ctx, chain, o.Notation)
	}
	folder, err := s.folder()
	if err != nil {
		return err
	}
	kept, space, err := files.Open(filepath.Join(folder, clustered, folderName(chain, rules)), chain.Family())
	if err != nil {
		return err
	}
	opened.folders = append(opened.folders, kept)
	var bar *progress
	o.Progress = func(done, total uint64) {
		if bar == nil {
			bar = newProgress(s, "clusters of "+chain.Short(), total)
		}
		bar.set(done)
	}
	c, err := attribution.OpenClusters(ctx, from, chain, space, o)
	if err == nil {
		err = c.Sync(ctx)
	}
	if bar != nil {
		bar.end()
	}
	opened.byChain[chain] = c
	return errors.Join(err, view.Err())
}

// folderName names a forest's folder by chain and rules.
func folderName(chain ledger.Chain, rules []*cluster.Rule) string {
	names := string(chain)
	for _, r := range rules {
		names += " " + r.Name
	}
	sum := sha256.Sum256([]byte(names))
	return strings.Map(func(c rune) rune {
		if c == ':' {
			return '-'
		}
		return c
	}, string(chain)) + "-" + hex.EncodeToString(sum[:4])
}

// of are the rules for a family; those of the other are passed over.
func (f *clusterFlags) of(family ledger.Family) (rules []*cluster.Rule, err error) {
	if f.Rules == "" {
		return cluster.Defaults(family), nil
	}
	for name := range strings.SplitSeq(f.Rules, ",") {
		r, err := cluster.RuleNamed(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		if r.Family == family {
			rules = append(rules, r)
		}
	}
	return rules, nil
}
