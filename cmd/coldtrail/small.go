//go:build small

package main

import (
	"context"
	"errors"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/store"
)

// A small build leaves out what one machine with a folder does not need: ClickHouse,
// PostgreSQL and Parquet, a fifth of what is compiled. Whoever asks for one of them is told.
var (
	errNoServers = errors.New("this is a small build, without ClickHouse and PostgreSQL; leave --store and --casebook out, or build coldtrail without -tags small")
	errNoParquet = errors.New("this is a small build, without Parquet files; build coldtrail without -tags small")
)

func (*session) clusterHosts() ([]string, error) { return nil, errNoServers }

func (*session) openCluster(context.Context) (store.Store, error) { return nil, errNoServers }

func openPostgres(context.Context, string) (*casebook.SQL, error) { return nil, errNoServers }

func openPostgresDatabase(context.Context, string) (casebook.Database, error) {
	return casebook.Database{}, errNoServers
}

func (*ingestVerb) share(context.Context, *session, ledger.Chain) error { return errNoServers }

func openParquet(context.Context, *ingestVerb, sourceAt) (blockSource, error) {
	return nil, errNoParquet
}

type exportVerb struct {
	Asked []string `arg:"" optional:"" passthrough:"" help:"Not in a small build."`
}

// Run refuses.
func (*exportVerb) Run() error { return errNoParquet }

type importVerb struct {
	Asked []string `arg:"" optional:"" passthrough:"" help:"Not in a small build."`
}

// Run refuses.
func (*importVerb) Run() error { return errNoParquet }
