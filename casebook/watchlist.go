package casebook

import "context"

// A Watchlist is a set of addresses about which somebody wants to hear.
type Watchlist struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Note    string `json:"note,omitempty"`
	By      string `json:"by"`
	Created int64  `json:"created"`
	// Ended is when the list was given up, 0 for a list that counts. Its members stay.
	Ended int64 `json:"ended,omitempty"`
}

// A Member is an address on a watch-list.
type Member struct {
	// Chain is CAIP-2, empty for every chain of the address's family. Address is in the
	// canonical form, which is the caller's to know.
	Chain   string `json:"chain,omitempty"`
	Address string `json:"address"`
	Note    string `json:"note,omitempty"`
	By      string `json:"by"`
	At      int64  `json:"at"`
}

// A MemberChange adds to a watch-list and takes from it. A member that is on the list
// gets the new note; of members to remove only chain and address are read.
type MemberChange struct {
	List   string
	Add    []Member
	Remove []Member
}

// Watchlists keeps watch-lists.
type Watchlists interface {
	// SaveWatchlist makes a list, or changes name, note and end of one.
	SaveWatchlist(ctx context.Context, list Watchlist) error
	// Watchlists gives all lists, also those given up, in order of their identifiers.
	Watchlists(ctx context.Context) ([]Watchlist, error)
	// ChangeMembers changes who is on a list, or gives ErrNotFound where there is none.
	ChangeMembers(ctx context.Context, change MemberChange) error
	// Members gives members of a list that come after one (by address, then chain; the
	// zero member comes before all).
	Members(ctx context.Context, list string, after Member, limit int) ([]Member, error)
	// WatchedBy gives the lists that count and hold an address on a chain or on every
	// chain, in order of their identifiers.
	WatchedBy(ctx context.Context, chain, address string) ([]Watchlist, error)
}

const listColumns = `id, name, note, by_whom, created_at, ended_at`

func scanList(r row) (Watchlist, error) {
	var l Watchlist
	err := r.Scan(&l.ID, &l.Name, &l.Note, &l.By, &l.Created, &l.Ended)
	return l, err
}

// SaveWatchlist implements Watchlists.
func (b *SQL) SaveWatchlist(ctx context.Context, l Watchlist) error {
	if err := first(checkID("watch-list", l.ID), checkLine("name", l.Name), checkText("note", l.Note, MaxText), checkID("by", l.By)); err != nil {
		return err
	}
	return b.change(ctx, "save watch-list "+l.ID, func(s session) error {
		_, err := s.exec(ctx, `INSERT INTO watchlists (`+listColumns+`) VALUES `+questionMarks(6)+`
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, note = excluded.note, ended_at = excluded.ended_at`,
			l.ID, l.Name, l.Note, l.By, l.Created, l.Ended)
		return err
	})
}

// Watchlists implements Watchlists.
func (b *SQL) Watchlists(ctx context.Context) ([]Watchlist, error) {
	return told[[]Watchlist]("watch-lists")(rows(ctx, b.reading(), scanList, `SELECT `+listColumns+` FROM watchlists ORDER BY id`))
}

// ChangeMembers implements Watchlists.
func (b *SQL) ChangeMembers(ctx context.Context, change MemberChange) error {
	if err := checkBatch("members", len(change.Add)+len(change.Remove)); err != nil {
		return err
	}
	for _, m := range change.Add {
		if err := first(checkOptional("chain", m.Chain), checkID("address", m.Address), checkText("note", m.Note, MaxLine), checkID("by", m.By)); err != nil {
			return err
		}
	}
	return b.change(ctx, "change watch-list "+change.List, func(s session) error {
		if _, err := one(ctx, s, text, `SELECT id FROM watchlists WHERE id = ?`, change.List); err != nil {
			return err
		}
		for _, m := range change.Remove {
			if _, err := s.exec(ctx, `DELETE FROM members WHERE list = ? AND chain = ? AND address = ?`, change.List, m.Chain, m.Address); err != nil {
				return err
			}
		}
		for _, m := range change.Add {
			_, err := s.exec(ctx, `INSERT INTO members (list, chain, address, note, by_whom, at) VALUES `+questionMarks(6)+`
				ON CONFLICT (list, address, chain) DO UPDATE SET note = excluded.note`,
				change.List, m.Chain, m.Address, m.Note, m.By, m.At)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Members implements Watchlists.
func (b *SQL) Members(ctx context.Context, list string, after Member, most int) ([]Member, error) {
	scan := func(r row) (Member, error) {
		var m Member
		err := r.Scan(&m.Chain, &m.Address, &m.Note, &m.By, &m.At)
		return m, err
	}
	return told[[]Member]("members of " + list)(rows(ctx, b.reading(), scan,
		`SELECT chain, address, note, by_whom, at FROM members WHERE list = ? AND (address > ? OR (address = ? AND chain > ?)) ORDER BY address, chain LIMIT ?`,
		list, after.Address, after.Address, after.Chain, limit(most)))
}

// WatchedBy implements Watchlists.
func (b *SQL) WatchedBy(ctx context.Context, chain, address string) ([]Watchlist, error) {
	return told[[]Watchlist]("watch-lists of " + address)(rows(ctx, b.reading(), scanList,
		`SELECT `+listColumns+` FROM watchlists WHERE ended_at = 0 AND id IN (SELECT list FROM members WHERE address = ? AND chain IN ('', ?)) ORDER BY id`,
		address, chain))
}
