package casebook

import (
	"context"
	"fmt"
	"slices"

	"coldtrail/screen/exposure"
)

// A Screened is a subject that somebody asked about, and what was last found.
type Screened struct {
	Subject string `json:"subject"` // canonical
	Chain   string `json:"chain,omitempty"`
	// Outcome and Level are of the last verdict, Judged is when it was reached.
	Outcome exposure.Outcome `json:"outcome"`
	Level   exposure.Level   `json:"level"`
	Judged  int64            `json:"judged"`
	// Asked is when somebody last asked, By with which key. Screening again, unasked,
	// leaves both at zero, and what is held stays.
	Asked int64  `json:"asked"`
	By    string `json:"by,omitempty"`
}

// Subjects keeps what was ever screened, so that it can be screened again.
type Subjects interface {
	// KeepScreened keeps a batch. Of several entries about one subject on one chain the
	// latest verdict and the latest question count, in whichever order they come. What
	// nobody asked about is not added.
	KeepScreened(ctx context.Context, batch []Screened) error
	// ScreenedSince gives the subjects asked about at a moment or later that come after
	// one (by subject, then chain; the zero value comes before all).
	ScreenedSince(ctx context.Context, since int64, after Screened, limit int) ([]Screened, error)
	// ForgetScreened removes what was last asked about before a moment and then, where
	// more than keep are left, those asked about the longest ago. It says how many went.
	ForgetScreened(ctx context.Context, before, keep int64) (int64, error)
}

func (s *Screened) check() error {
	if err := first(checkID("subject", s.Subject), checkOptional("chain", s.Chain), checkOptional("by", s.By), checkLevel(s.Level)); err != nil {
		return err
	}
	if !slices.Contains(exposure.Outcomes, s.Outcome) {
		return &InvalidError{"outcome", fmt.Sprintf("%q is not known", s.Outcome)}
	}
	return nil
}

// checkLevel wants a known level or none.
func checkLevel(level exposure.Level) error {
	switch level {
	case "", exposure.None, exposure.Low, exposure.Medium, exposure.High, exposure.Severe, exposure.Unknown:
		return nil
	}
	return &InvalidError{"level", fmt.Sprintf("%q is not known", level)}
}

// place is what a subject is held under.
type place struct{ subject, chain string }

// merge leaves one entry for each subject.
func merge(batch []Screened) []Screened {
	at := map[place]int{}
	var merged []Screened
	for _, s := range batch {
		i, held := at[place{s.Subject, s.Chain}]
		if !held {
			at[place{s.Subject, s.Chain}] = len(merged)
			merged = append(merged, s)
			continue
		}
		m := &merged[i]
		if s.Judged >= m.Judged {
			m.Outcome, m.Level, m.Judged = s.Outcome, s.Level, s.Judged
		}
		if s.Asked > m.Asked {
			m.Asked, m.By = s.Asked, s.By
		}
	}
	return merged
}

// chunk is how many subjects one statement takes; databases bound the placeholders.
const chunk = 500

// KeepScreened implements Subjects.
func (b *SQL) KeepScreened(ctx context.Context, batch []Screened) error {
	if err := checkBatch("screened subjects", len(batch)); err != nil {
		return err
	}
	for i := range batch {
		if err := batch[i].check(); err != nil {
			return err
		}
	}
	if len(batch) == 0 {
		return nil
	}
	var asked, again []Screened
	for _, s := range merge(batch) {
		if s.Asked > 0 {
			asked = append(asked, s)
		} else {
			again = append(again, s)
		}
	}
	return b.change(ctx, "keep what was screened", func(s session) error {
		for _, m := range again {
			_, err := s.exec(ctx, `UPDATE screened SET outcome = ?, level = ?, judged_at = ? WHERE subject = ? AND chain = ? AND judged_at <= ?`,
				m.Outcome, m.Level, m.Judged, m.Subject, m.Chain, m.Judged)
			if err != nil {
				return err
			}
		}
		for part := range slices.Chunk(asked, chunk) {
			if err := upsertScreened(ctx, s, part); err != nil {
				return err
			}
		}
		return nil
	})
}

func upsertScreened(ctx context.Context, s session, part []Screened) error {
	query := `INSERT INTO screened (subject, chain, outcome, level, judged_at, asked_at, asked_by) VALUES `
	args := make([]any, 0, 7*len(part))
	for i, m := range part {
		if i > 0 {
			query += ", "
		}
		query += questionMarks(7)
		args = append(args, m.Subject, m.Chain, m.Outcome, m.Level, m.Judged, m.Asked, m.By)
	}
	_, err := s.exec(ctx, query+` ON CONFLICT (subject, chain) DO UPDATE SET
		outcome = CASE WHEN excluded.judged_at >= screened.judged_at THEN excluded.outcome ELSE screened.outcome END,
		level = CASE WHEN excluded.judged_at >= screened.judged_at THEN excluded.level ELSE screened.level END,
		judged_at = CASE WHEN excluded.judged_at >= screened.judged_at THEN excluded.judged_at ELSE screened.judged_at END,
		asked_by = CASE WHEN excluded.asked_at > screened.asked_at THEN excluded.asked_by ELSE screened.asked_by END,
		asked_at = CASE WHEN excluded.asked_at > screened.asked_at THEN excluded.asked_at ELSE screened.asked_at END`, args...)
	return err
}

// ScreenedSince implements Subjects.
func (b *SQL) ScreenedSince(ctx context.Context, since int64, after Screened, most int) ([]Screened, error) {
	scan := func(r row) (Screened, error) {
		var s Screened
		err := r.Scan(&s.Subject, &s.Chain, &s.Outcome, &s.Level, &s.Judged, &s.Asked, &s.By)
		return s, err
	}
	return told[[]Screened]("screened subjects")(rows(ctx, b.reading(), scan,
		`SELECT subject, chain, outcome, level, judged_at, asked_at, asked_by FROM screened
		WHERE asked_at >= ? AND (subject > ? OR (subject = ? AND chain > ?)) ORDER BY subject, chain LIMIT ?`,
		since, after.Subject, after.Subject, after.Chain, limit(most)))
}

// ForgetScreened implements Subjects.
func (b *SQL) ForgetScreened(ctx context.Context, before, keep int64) (int64, error) {
	var gone int64
	err := b.change(ctx, "forget what was screened", func(s session) error {
		old, err := s.exec(ctx, `DELETE FROM screened WHERE asked_at < ?`, before)
		if err != nil {
			return err
		}
		held, err := one(ctx, s, number, `SELECT COUNT(*) FROM screened`)
		if err != nil || held <= keep {
			gone = old
			return err
		}
		more, err := s.exec(ctx, `DELETE FROM screened WHERE (subject, chain) IN (SELECT subject, chain FROM screened ORDER BY asked_at, subject, chain LIMIT ?)`, held-max(keep, 0))
		gone = old + more
		return err
	})
	return gone, err
}
