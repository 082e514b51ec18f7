//go:build !small

package main

import (
	"context"
	"strings"
	"time"

	"coldtrail/casebook"
	"coldtrail/casebook/postgres"
	"coldtrail/store/clickhouse"
)

// clusterHosts gives the addresses of the store on ClickHouse.
func (s *session) clusterHosts() ([]string, error) {
	options, err := clickhouse.Parse(strings.TrimSpace(s.store), time.Now)
	return options.Hosts, err
}

// openCluster opens the store on ClickHouse.
func (s *session) openCluster(ctx context.Context) (*clickhouse.Store, error) {
	options, err := clickhouse.Parse(strings.TrimSpace(s.store), time.Now)
	if err != nil {
		return nil, err
	}
	return clickhouse.Open(ctx, options)
}

// openPostgres opens the casebook at an address.
func openPostgres(ctx context.Context, place string) (*casebook.SQL, error) {
	return postgres.Open(ctx, place, time.Now().Unix(), postgres.Options{})
}

// openPostgresDatabase opens the database of a casebook as it is.
func openPostgresDatabase(ctx context.Context, place string) (casebook.Database, error) {
	return postgres.OpenDatabase(ctx, place, postgres.Options{})
}
