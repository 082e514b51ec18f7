package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"coldtrail/crossing/opaque"
	"coldtrail/internal/synthetic"
)

type benchVerb struct {
	Txs       uint64 `default:"1000000" help:"Transactions of the generated chain."`
	Seed      uint64 `default:"1" help:"Seed of the generated chain."`
	Keep      string `placeholder:"DIR" help:"Make chain and store in this folder, and leave them there."`
	Inputs    uint64 `placeholder:"N" help:"Grow clusters of a chain of so many inputs, made on the fly, too; 100000000 takes some 7 GB."`
	InFiles   bool   `help:"With --inputs, keep these clusters in files while they grow."`
	Thin      uint64 `default:"1" hidden:"" help:"Divide what is played for measuring attribution by this."`
	Addresses uint64 `default:"10000000" help:"Addresses of the screening index."`
	Phase     string `hidden:"" help:"One part of the measurement, in a process of its own."`
}

// measure is one line of the table.
type measure struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Unit   string `json:"unit"`
	Target string `json:"target"`
}

// Run generates a chain and measures every stage, each in a process of its own, so
// that processor time and peak memory are the stage's.
func (v *benchVerb) Run(ctx context.Context, s *session) (err error) {
	if v.Phase != "" {
		return v.runPhase(ctx, s)
	}
	folder := v.Keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "coldtrail-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	b := bench{verb: v, session: s, folder: folder}
	if err := b.measureAll(ctx); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(map[string]any{"txs": v.Txs, "seed": v.Seed, "measures": b.table, "attribution": b.attribution})
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MEASURE\tVALUE\tUNIT\tTARGET")
	for _, m := range b.table {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Name, m.Value, m.Unit, m.Target)
	}
	return w.Flush()
}

// bench is one run of the benchmark.
type bench struct {
	verb    *benchVerb
	session *session
	folder  string
	table   []measure
	// attribution is behind the measures of it.
	attribution *attributed
}

func (b *bench) blocks() string { return filepath.Join(b.folder, "blocks") }
func (b *bench) store() string  { return filepath.Join(b.folder, "store") }

func (b *bench) add(name string, value float64, unit, target string) {
	text := fmt.Sprintf("%.2f", value)
	if value >= 100 {
		text = fmt.Sprintf("%.0f", value)
	}
	b.table = append(b.table, measure{name, text, unit, target})
}

// usage is what a process cost.
type usage struct {
	wall, cpu time.Duration
	peak      uint64 // bytes resident at most
}

// child runs the program itself and reads the JSON it prints.
func (b *bench) child(ctx context.Context, into any, args ...string) (usage, error) {
	program, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	fmt.Fprintf(b.session.stderr, "bench: %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, program, append([]string{"--json", "--data", b.store()}, args...)...) //nolint:gosec // our own program
	cmd.Stderr = b.session.stderr
	began := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	u := usage{wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peak = uint64(r.Maxrss) << 10
	}
	return u, json.Unmarshal(out, into)
}

func (b *bench) phase(ctx context.Context, name string, into any, args ...string) (usage, error) {
	return b.child(ctx, into, append([]string{"bench", "--phase", name, "--keep", b.folder, "--txs", fmt.Sprint(b.verb.Txs), "--seed", fmt.Sprint(b.verb.Seed)}, args...)...)
}

func (b *bench) measureAll(ctx context.Context) error {
	var made synthetic.Stats
	if _, err := b.phase(ctx, "generate", &made); err != nil {
		return err
	}
	edges := float64(made.Inputs + made.Outputs)
	b.add("transactions", float64(made.Transactions), "", "")
	b.add("inputs + outputs", edges, "", "")
	var decoded struct{ Seconds float64 }
	if _, err := b.phase(ctx, "decode", &decoded); err != nil {
		return err
	}
	b.add("decode, txid and merkle root checked", float64(made.Bytes)/decoded.Seconds/1e6, "MB/s/core", ">= 100 (200)")
	if err := os.RemoveAll(b.store()); err != nil {
		return err
	}
	var ingested struct{}
	u, err := b.child(ctx, &ingested, "ingest", "regtest", "--from", "blocks:"+b.blocks())
	if err != nil {
		return err
	}
	b.add("ingest, processor time", u.cpu.Seconds()*1e6/float64(made.Transactions), "us/tx", "<= 12 (7)")
	b.add("ingest, wall", float64(made.Transactions)/u.wall.Seconds(), "tx/s", "")
	b.add("ingest, peak memory", float64(u.peak)/(1<<20), "MiB", "<= 2048 at 50M inputs")
	var looked lookups
	if u, err = b.phase(ctx, "lookup", &looked); err != nil {
		return err
	}
	b.add("record on disk", float64(looked.Record)/edges, "B/(in+out)", "")
	b.add("look-up files on disk", float64(looked.Index)/edges, "B/(in+out)", "")
	b.add("on disk with all indexes", float64(looked.Record+looked.Index)/edges, "B/(in+out)", "<= 45")
	b.add("on disk with all indexes", float64(looked.Record+looked.Index)/float64(made.Transactions), "B/tx", "")
	b.add("neighbourhood look-up p50", looked.P50, "us", "<= 10 (2)")
	b.add("neighbourhood look-up p99", looked.P99, "us", "")
	var traced []tracing
	if u, err = b.phase(ctx, "trace", &traced); err != nil {
		return err
	}
	for _, t := range traced {
		if t.Targeted {
			b.add(fmt.Sprintf("targeted trace, %s, %d holdings", t.Method, t.Made), float64(t.Made)/t.Seconds, "holdings/s", "")
			continue
		}
		b.add(fmt.Sprintf("streaming taint, %s, %.4g %% of inputs tainted", t.Method, t.Percent), t.Seconds*1e9/float64(t.Inputs), "ns/input", "<= 60 (15) at 0.1 %")
		if t.Percent > 0.5 {
			b.add(fmt.Sprintf("  of that, %s", t.Method), (t.Seconds-t.Idle)*1e6/float64(t.Made), "us/tainted output", "<= 3")
		}
	}
	b.add("trace, peak memory", float64(u.peak)/(1<<20), "MiB", "")
	for _, measure := range []func(context.Context) error{b.measureOpaque, b.measureAttribution, b.screening, b.measureClusters} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measureOpaque says how often the candidates of opaque services are right.
func (b *bench) measureOpaque(ctx context.Context) error {
	var r opaque.Report
	if _, err := b.phase(ctx, "opaque", &r); err != nil {
		return err
	}
	percent := func(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }
	name := fmt.Sprintf("opaque services, %d hidden crossings", r.All.Deposits)
	b.add(name+", strong candidates that are right", percent(r.All.StrongRight, r.All.Strong), "%", ">= 95")
	b.add(name+", found by a strong one", percent(r.All.StrongRight, r.All.Deposits), "%", "")
	b.add(name+", possible candidates that are right", percent(r.All.Right, r.All.Shown), "%", ">= 50")
	b.add(name+", found by a possible one", percent(r.All.Right, r.All.Deposits), "%", "")
	return nil
}

// generate makes the chain, unless a kept folder has it.
func (v *benchVerb) generate(out io.Writer) error {
	folder := filepath.Join(v.Keep, "blocks")
	file := filepath.Join(v.Keep, fmt.Sprintf("chain-%d-%d.json", v.Txs, v.Seed))
	if text, err := os.ReadFile(file); err == nil {
		_, err = out.Write(text)
		return err
	}
	if err := errors.Join(os.RemoveAll(folder), os.RemoveAll(filepath.Join(v.Keep, "store")), os.MkdirAll(folder, 0o750)); err != nil {
		return err
	}
	stats, err := synthetic.Generate(folder, synthetic.Options{Seed: v.Seed, Transactions: v.Txs})
	if err != nil {
		return err
	}
	text, err := json.Marshal(stats)
	if err != nil {
		return err
	}
	_, printErr := out.Write(text)
	return errors.Join(printErr, os.WriteFile(file, text, 0o600))
}
