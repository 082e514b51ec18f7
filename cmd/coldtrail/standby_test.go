package main_test

import (
	"fmt"
	"testing"

	"coldtrail/internal/clickhousetest"
)

// storeURL is the address of a database on a cluster.
func storeURL(c *clickhousetest.Cluster, database string) string {
	return fmt.Sprintf("clickhouse://%s,%s/%s?cluster=%s&keeper=%s", c.Shards[0][0].Address, c.Shards[1][1].Address, database, c.Name, c.Keeper)
}

// TestStandby: two servers follow two nodes on one store in a cluster. Both answer from the
// newest block, though only one of them writes; after a reorganisation, too. Then whoever
// writes is killed, and the other goes on.
func TestStandby(t *testing.T) {
	cluster := clickhousetest.Start(t, 2, 2)
	c, file := newChase(t)
	store := []string{"--store", storeURL(cluster, "standby")}
	one := serve(t, append(store, c.follow(t.TempDir(), file, c.accounts.URL())...)...)
	one.wait("at both tips", func() bool { return c.atTips(one) })
	two := serve(t, append(store, c.follow(t.TempDir(), file, c.accounts.URL())...)...)
	both := func() bool { return c.atTips(one) && c.atTips(two) }
	two.wait("at both tips", both)
	back := c.mark()
	c.step()
	c.accounts.Mine(2)
	two.wait("at both tips", both)
	c.compare(two, file)
	back()
	c.step() // which is not what it was
	c.accounts.Mine(4)
	if err := c.outputs.Mine(3); err != nil {
		t.Fatal(err)
	}
	two.wait("at both tips", both)
	c.compare(one, file)
	c.compare(two, file)
	one.kill()
	c.step()
	two.wait("at both tips, alone", func() bool { return c.atTips(two) })
	c.compare(two, file)
}
