package clickhousetest_test

import (
	"strings"
	"testing"
	"time"

	"coldtrail/internal/clickhousetest"
)

// ask wants an answer.
func ask(t *testing.T, n *clickhousetest.Node, statement string) string {
	t.Helper()
	answer, err := n.Query(t.Context(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return strings.TrimSpace(answer)
}

// eventually waits for an answer, which takes as long as servers need to see each other.
func eventually(t *testing.T, n *clickhousetest.Node, statement, want string) {
	t.Helper()
	var answer string
	var err error
	for range 600 {
		if answer, err = n.Query(t.Context(), statement); err == nil && strings.TrimSpace(answer) == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s is %q (%v), want %q", statement, answer, err, want)
}

func TestSingle(t *testing.T) {
	c := clickhousetest.Single(t)
	if again := clickhousetest.Single(t); again != c {
		t.Error("a second server was started")
	}
	if len(c.Shards) != 1 || len(c.Shards[0]) != 1 || c.Keeper != "" {
		t.Fatalf("%d shards, ZooKeeper %q", len(c.Shards), c.Keeper)
	}
	n := c.Shards[0][0]
	for statement, want := range map[string]string{
		"SELECT 40 + 2": "42",
		"SELECT host_address, port, shard_num, replica_num FROM system.clusters WHERE cluster = 'coldtrail'": strings.Replace(n.Address, ":", "\t", 1) + "\t1\t1",
		"SELECT toString(toDateTime(86400))": "1970-01-02 00:00:00",
	} {
		if got := ask(t, n, statement); got != want {
			t.Errorf("%s = %q, want %q", statement, got, want)
		}
	}
	if _, err := n.Query(t.Context(), "SELECT nothing"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("a wrong statement: %v", err)
	}
}

func TestCluster(t *testing.T) {
	c := clickhousetest.Start(t, 2, 2)
	first, second := c.Shards[0][0], c.Shards[0][1]
	other := c.Shards[1][1]
	ask(t, first, `CREATE TABLE moved ON CLUSTER coldtrail (height UInt64, amount UInt64)
		ENGINE = ReplicatedMergeTree('/tables/{shard}/moved', '{replica}') ORDER BY height`)
	ask(t, first, "CREATE TABLE everywhere ON CLUSTER coldtrail AS moved ENGINE = Distributed(coldtrail, default, moved, height)")
	ask(t, first, "INSERT INTO moved VALUES (1, 10), (2, 20)")
	eventually(t, second, "SELECT count(), sum(amount) FROM moved", "2\t30")
	if got := ask(t, other, "SELECT count() FROM moved"); got != "0" {
		t.Errorf("the other shard has %s rows", got)
	}
	if got := ask(t, other, "SELECT count(), sum(amount) FROM everywhere"); got != "2\t30" {
		t.Errorf("all shards have %q", got)
	}

	t.Run("a replica is killed and catches up", func(t *testing.T) {
		second.Kill()
		if _, err := second.Query(t.Context(), "SELECT 1"); err == nil {
			t.Fatal("a killed server answers")
		}
		ask(t, first, "INSERT INTO moved VALUES (3, 30)")
		second.Restart(t)
		ask(t, second, "CREATE TABLE late ON CLUSTER coldtrail (height UInt64) ENGINE = MergeTree ORDER BY height")
		if got := ask(t, other, "EXISTS late"); got != "1" {
			t.Errorf("a table made by a server that has just started is on another: %s", got)
		}
		eventually(t, second, "SELECT count(), sum(amount) FROM moved", "3\t60")
	})

	t.Run("ZooKeeper is killed and comes back", func(t *testing.T) {
		c.KillKeeper()
		if got := ask(t, second, "SELECT count(), sum(amount) FROM moved"); got != "3\t60" {
			t.Errorf("without ZooKeeper: %q", got)
		}
		if _, err := first.Query(t.Context(), "INSERT INTO moved VALUES (4, 40)"); err == nil {
			t.Error("an insert was accepted without ZooKeeper")
		}
		c.RestartKeeper(t)
		eventually(t, first, "SELECT is_readonly FROM system.replicas WHERE table = 'moved'", "0")
		eventually(t, first, "INSERT INTO moved VALUES (5, 50)", "")
		eventually(t, second, "SELECT count(), sum(amount) FROM moved", "4\t110")
	})
}
