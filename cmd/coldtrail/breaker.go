package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"coldtrail/internal/venue"
	"coldtrail/screen/breaker"
)

type breakerVerb struct {
	Replay breakerReplayVerb `cmd:"" help:"Play a laundering, honest traffic or one's own history through a breaker, and measure it."`
}

type breakerReplayVerb struct {
	Scenario string `default:"bybit" enum:"bybit,honest-year" help:"bybit: the laundering among a hundred times as many honest uses; honest-year: nobody but honest customers."`
	Seed     uint64 `default:"1" help:"The same seed gives the same traffic."`
	Seeds    uint64 `default:"1" help:"Play so many seeds, from --seed on."`
	Days     int    `help:"Days of honest traffic; 365 for honest-year, 60 for the operating curve of bybit." placeholder:"N"`
	Config   string `placeholder:"FILE" type:"path" help:"A breaker's configuration in YAML, over the default."`
	Events   string `placeholder:"FILE" type:"path" help:"Play a history, JSON lines as docs/guide/breaker.md says, instead of generated traffic."`
	NoCurve  bool   `help:"Leave the operating curve out."`
	Defaults bool   `help:"Print the default configuration and do nothing else."`
}

// Run plays traffic through a breaker.
func (v *breakerReplayVerb) Run(ctx context.Context, s *session) error {
	config := breaker.Default()
	if v.Defaults {
		text, err := config.YAML()
		if err != nil {
			return err
		}
		_, err = s.stdout.Write(text)
		return err
	}
	if v.Config != "" {
		text, err := os.ReadFile(v.Config)
		if err != nil {
			return err
		}
		if config, err = breaker.ParseConfig(text); err != nil {
			return err
		}
	}
	if v.Events != "" {
		return v.history(ctx, s, &config)
	}
	config.Venue = venue.Name
	if v.Scenario == "honest-year" {
		return v.honest(ctx, s, &config)
	}
	return v.bybit(ctx, s, &config)
}

// usesPerDay is the honest traffic of a day where no laundering fixes it.
const usesPerDay = 4_000

// honestRow is one seed of honest traffic.
type honestRow struct {
	Seed uint64 `json:"seed"`
	*venue.Result
}

// honest plays honest traffic and counts what the breaker takes for a flow.
func (v *breakerReplayVerb) honest(ctx context.Context, s *session, config *breaker.Config) error {
	days := v.Days
	if days <= 0 {
		days = 365
	}
	bar := newProgress(s, "days", v.Seeds*uint64(days))
	defer bar.end()
	var rows []honestRow
	for seed := v.Seed; seed < v.Seed+v.Seeds; seed++ {
		done := (seed - v.Seed) * uint64(days)
		result, err := venue.HonestDays(config, seed, usesPerDay, days, func(day int) error {
			bar.set(done + uint64(day))
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		rows = append(rows, honestRow{seed, result})
	}
	bar.end()
	if s.json {
		return s.printJSON(rows)
	}
	table := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "seed\tuses\tsenders\tWATCH\tper 30 days\tmost in 30 days\tLIMIT\tHALT\theld\trefused\tlongest")
	for _, r := range rows {
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Seed, r.Uses, r.Senders, r.Watches, hundredths(r.Per30Days(r.Watches)), r.Busiest,
			r.Limits, r.Halts, r.Held, r.Refused, spell(r.Longest))
	}
	return table.Flush()
}

// attackRow is one seed of the laundering with one quality of data.
type attackRow struct {
	Seed    uint64 `json:"seed"`
	Quality string `json:"quality"`
	*venue.Result
}

// curveRow is one setting: the laundering by quality, and honest traffic.
type curveRow struct {
	Setting string        `json:"setting"`
	Attacks []attackRow   `json:"attacks"`
	Honest  *venue.Result `json:"honest"`
}

// bybit plays the laundering with every quality of data, and then the operating curve.
func (v *breakerReplayVerb) bybit(ctx context.Context, s *session, config *breaker.Config) error {
	steps := v.Seeds * uint64(len(venue.Qualities)+1)
	if !v.NoCurve {
		steps += uint64(len(venue.Settings)*(len(curveQualities)+1)) + 1
	}
	bar := newProgress(s, "runs", steps)
	defer bar.end()
	done := uint64(0)
	step := func() error {
		done++
		bar.set(done)
		return ctx.Err()
	}
	var rows []attackRow
	for seed := v.Seed; seed < v.Seed+v.Seeds; seed++ {
		attack, err := venue.NewAttack(seed)
		if err == nil {
			err = step()
		}
		for i := 0; i < len(venue.Qualities) && err == nil; i++ {
			var result *venue.Result
			if result, err = attack.Play(config, &venue.Qualities[i]); err == nil {
				rows = append(rows, attackRow{seed, venue.Qualities[i].Name, result})
				err = step()
			}
		}
		if err != nil {
			return err
		}
	}
	var curve []curveRow
	if !v.NoCurve {
		var err error
		if curve, err = v.curve(ctx, config, step); err != nil {
			return err
		}
	}
	bar.end()
	if s.json {
		return s.printJSON(map[string]any{"attacks": rows, "curve": curve})
	}
	if err := printAttacks(s.stdout, rows); err != nil || curve == nil {
		return err
	}
	return printCurve(s.stdout, curve)
}

// curveQualities are the data that the curve is drawn for.
var curveQualities = []string{"live taint", "ten minutes late", "no taint"}

// curve plays every setting: the laundering, and honest days.
func (v *breakerReplayVerb) curve(ctx context.Context, config *breaker.Config, step func() error) (rows []curveRow, err error) {
	days := v.Days
	if days <= 0 {
		days = 60
	}
	attack, err := venue.NewAttack(v.Seed)
	if err != nil {
		return nil, err
	}
	if err := step(); err != nil {
		return nil, err
	}
	for i := range venue.Settings {
		setting := &venue.Settings[i]
		c := setting.Apply(*config)
		row := curveRow{Setting: fmt.Sprintf("%s %d/%d/%d", setting.Name, setting.Watch, setting.Limit, setting.Halt)}
		for _, name := range curveQualities {
			result, err := attack.Play(&c, venue.QualityOf(name))
			if err != nil {
				return nil, err
			}
			row.Attacks = append(row.Attacks, attackRow{v.Seed, name, result})
			if err := step(); err != nil {
				return nil, err
			}
		}
		row.Honest, err = venue.HonestDays(&c, v.Seed, attack.PerDay, days, func(int) error { return ctx.Err() })
		if err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func printAttacks(w io.Writer, rows []attackRow) error {
	fmt.Fprintln(w, "Detection: share of the stolen money that was tried until then, and minutes since the first of it.")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "seed\tdata\tWATCH\tLIMIT\tHALT\tpassed\twaited\tstopped\thonest\theld\trefused\tlongest\tfalse trips")
	for _, r := range rows {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%d\n", r.Seed, r.Quality, met(&r.Watched), met(&r.Limited), met(&r.Halted),
			partOf(r.Passed, r.Stolen), partOf(r.Waited, r.Stolen), partOf(r.Stopped, r.Stolen),
			r.Senders, r.Held, r.Refused, spell(r.Longest), r.Watches)
	}
	return table.Flush()
}

func printCurve(w io.Writer, rows []curveRow) error {
	fmt.Fprintln(w, "\nOperating curve: when the thief is limited, against trips by honest customers alone, per 30 days.")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "setting")
	for _, name := range curveQualities {
		fmt.Fprintf(table, "\t%s", name)
	}
	fmt.Fprintln(table, "\tWATCH\tLIMIT\tHALT\thonest held")
	for i := range rows {
		r := &rows[i]
		fmt.Fprint(table, r.Setting)
		for n := range r.Attacks {
			fmt.Fprintf(table, "\t%s", met(&r.Attacks[n].Limited))
		}
		h := r.Honest
		fmt.Fprintf(table, "\t%s\t%s\t%s\t%d of %d\n", hundredths(h.Per30Days(h.Watches)), hundredths(h.Per30Days(h.Limits)), hundredths(h.Per30Days(h.Halts)), h.Held, h.Senders)
	}
	return table.Flush()
}

// met says when a state was reached.
func met(d *venue.Detection) string {
	if d.At == 0 {
		return "never"
	}
	return fmt.Sprintf("%s %% %d min", hundredths(int64(d.Share)), d.Minutes)
}

func hundredths(n int64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

func partOf(part, whole uint64) string {
	if whole == 0 {
		return "0 %"
	}
	return hundredths(int64(part/max(whole/10_000, 1))) + " %"
}

func spell(seconds int64) string { return (time.Duration(seconds) * time.Second).String() }

// maxLine bounds one line of a history.
const maxLine = 1 << 20

// history plays a log. Whatever was held makes the exit code 1.
func (v *breakerReplayVerb) history(ctx context.Context, s *session, config *breaker.Config) error {
	file, err := os.Open(v.Events)
	if err != nil {
		return err
	}
	defer file.Close()
	machine, err := breaker.New(config)
	if err != nil {
		return err
	}
	t := &told{session: s, actions: map[breaker.Action]int{}}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	bar := newProgress(s, "lines", 0)
	defer bar.end()
	for n := uint64(1); lines.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		bar.set(n)
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := t.line(machine, lines.Bytes()); err != nil {
			return fmt.Errorf("%s, line %d: %w", v.Events, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", v.Events, err)
	}
	bar.end()
	return t.summary(machine)
}

// told prints what a breaker says about a history.
type told struct {
	*session
	actions map[breaker.Action]int
	missed  int // labels and retractions of events that are not remembered
}

// line plays one line.
func (t *told) line(machine *breaker.Machine, text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var in breaker.Input
	if err := decoder.Decode(&in); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	out, err := machine.Apply(&in)
	if errors.Is(err, breaker.ErrUnknown) {
		t.missed++
	} else if err != nil {
		return err
	}
	if out.Decision != nil {
		t.actions[out.Decision.Action]++
	}
	if t.json {
		return t.printJSON(out)
	}
	for i := range out.Transitions {
		x := &out.Transitions[i]
		fmt.Fprintf(t.stdout, "%s  %s -> %s  %s  incident %s, route %s, score %d", time.Unix(x.Moment, 0).UTC().Format(time.RFC3339), x.From, x.To, x.Cause,
			inert(orNone(x.Incident)), inert(orNone(x.Route)), x.Score)
		for n := range x.Signals {
			r := &x.Signals[n]
			fmt.Fprintf(t.stdout, ", %s %d %s (%d of 100)", r.Signal, r.Value, r.Unit, r.Points)
		}
		for _, group := range x.Groups {
			fmt.Fprintf(t.stdout, ", %s", inert(group))
		}
		fmt.Fprintln(t.stdout)
	}
	return nil
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// summary ends a history.
func (t *told) summary(machine *breaker.Machine) error {
	held := t.actions[breaker.Delay] + t.actions[breaker.Review] + t.actions[breaker.Refuse]
	if !t.json {
		fmt.Fprintf(t.stdout, "%d passed, %d delayed, %d for review, %d refused\n", t.actions[breaker.Pass], t.actions[breaker.Delay], t.actions[breaker.Review], t.actions[breaker.Refuse])
		if size := machine.Size(); t.missed > 0 || size.Overflow > 0 {
			fmt.Fprintf(t.stdout, "%d labels or retractions came for events that are not remembered; %d uses had no room\n", t.missed, size.Overflow)
		}
	}
	if held > 0 {
		return errHit
	}
	return nil
}
