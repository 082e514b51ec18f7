package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"coldtrail/ledger"
	"coldtrail/store"
)

// A moment orders seals. A writer that begins gets a higher session than all before it, so
// one that was away and writes on is not heard.
type moment struct{ session, sequence uint64 }

func (m moment) before(other moment) bool {
	return m.session < other.session || m.session == other.session && m.sequence < other.sequence
}

// A point is a moment of one chain, or of the labels.
type point struct {
	of string
	moment
}

func (m moment) later(other moment) moment {
	if m.before(other) {
		return other
	}
	return m
}

// A seal says what counts of a chain. It is the newest row of the chain in the table seals,
// written last, and all that a reader needs to know.
type seal struct {
	Chain    ledger.Chain `json:"chain"`
	Session  uint64       `json:"session"`
	Sequence uint64       `json:"sequence"`
	// Attempt is the newest attempt that was begun. Rows of an attempt that failed stay
	// in the tables until they are cleared away.
	Attempt uint64    `json:"attempt"`
	Stale   []stretch `json:"stale,omitempty"`
	// Rewinds are the last rewinds, the newest last, so that a reader knows what it must
	// forget.
	Epoch   uint64   `json:"epoch"`
	Rewinds []uint64 `json:"rewinds,omitempty"` // heights; the last belongs to Epoch

	totals
	First  uint64 `json:"first"`
	Height uint64 `json:"height"`
	Hash   sum    `json:"hash"`
	Time   int64  `json:"time"`
}

// totals are what has come together up to a block.
type totals struct {
	Blocks       uint64            `json:"blocks"`
	Txs          uint64            `json:"txs"`     // all entries: the number of the next
	Counted      uint64            `json:"counted"` // without what the protocol paid out
	Outputs      uint64            `json:"outputs"`
	Unspent      uint64            `json:"unspent"`
	UnspentValue uint64            `json:"unspent_value"`
	Accounts     uint64            `json:"accounts"`
	Weakest      ledger.Provenance `json:"weakest"`
	Content      sum               `json:"content"`
}

// A sum is a hash that is written in hexadecimal.
type sum ledger.Hash

// MarshalText writes it.
func (h sum) MarshalText() ([]byte, error) { return []byte(ledger.Hash(h).String()), nil }

// UnmarshalText reads it.
func (h *sum) UnmarshalText(text []byte) error {
	read, err := ledger.ParseHash(string(text))
	*h = sum(read)
	return err
}

// A stretch of heights in which some rows are left-overs: those of attempts below a number,
// or, where only one attempt counts, those of all others.
type stretch struct {
	From  uint64 `json:"from"`
	To    uint64 `json:"to"`
	Below uint64 `json:"below,omitempty"`
	Only  uint64 `json:"only,omitempty"`
	Since int64  `json:"since"` // when, Unix seconds
}

// left is the condition of its left-overs.
func (x *stretch) left() string {
	attempt := fmt.Sprintf("attempt < %d", x.Below)
	if x.Only > 0 {
		attempt = fmt.Sprintf("attempt != %d", x.Only)
	}
	return fmt.Sprintf("height >= %d AND height <= %d AND %s", x.From, x.To, attempt)
}

func (s *seal) point() point { return point{string(s.Chain), moment{s.Session, s.Sequence}} }

// keptRewinds is how many rewinds a seal remembers.
const keptRewinds = 64

// beyond is above all heights.
const beyond = 1<<63 - 1

// begin makes a new attempt count for heights from one on: all earlier rows there are
// left-overs.
func (s *seal) begin(from, attempt uint64, now int64) {
	s.Attempt = attempt
	s.leave(stretch{From: from, To: beyond, Below: attempt, Since: now})
}

// leave says what counts in a stretch from now on. It goes before what was said earlier.
func (s *seal) leave(added stretch) {
	kept := []stretch{}
	for _, have := range s.Stale {
		if have.To < added.From || have.From > added.To {
			kept = append(kept, have)
			continue
		}
		if have.From < added.From {
			below := have
			below.To = added.From - 1
			kept = append(kept, below)
		}
		if have.To > added.To {
			above := have
			above.From = added.To + 1
			kept = append(kept, above)
		}
	}
	// Ranges that several workers staged under one attempt are one stretch.
	for i := range kept {
		if have := &kept[i]; added.Only > 0 && have.Only == added.Only && have.To+1 == added.From {
			have.To, have.Since = added.To, added.Since
			s.Stale = kept
			return
		}
	}
	s.Stale = append(kept, added)
}

// visible is the condition that rows count: column is that of the block's height.
func (s *seal) visible() string {
	var b strings.Builder
	fmt.Fprintf(&b, "chain = %s AND height <= %d", quote(string(s.Chain)), s.Height)
	for _, left := range s.Stale {
		if left.From > s.Height {
			continue
		}
		b.WriteString(" AND NOT (" + left.left() + ")")
	}
	return b.String()
}

// status is what store.Reader says of it.
func (s *seal) status() store.Status {
	status := store.Status{
		Chain: s.Chain, First: ledger.Height(s.First), Height: ledger.Height(s.Height), Hash: ledger.Hash(s.Hash), Time: s.Time, Blocks: s.Blocks, Txs: s.Counted,
		Weakest: s.Weakest, Content: ledger.Hash(s.Content),
	}
	if s.Chain.Family() == ledger.UTXO {
		status.UnspentOutputs, status.UnspentValue = s.Unspent, s.UnspentValue
	} else {
		status.Accounts = s.Accounts
	}
	return status
}

// seals reads the newest seal of every chain, or of one. The replica that answers has first
// made sure that it is not behind.
func (s *Store) seals(ctx context.Context, chain ledger.Chain) ([]*seal, error) {
	s.trips.Add(1)
	where := "chain != ''"
	if chain != "" {
		where = "chain = " + quote(string(chain))
	}
	sql := fmt.Sprintf("SELECT toUInt64(%s), groupArray(newest) FROM (SELECT argMax(state, sequence) AS newest FROM %s WHERE %s GROUP BY chain, session)",
		s.lag("seals"), s.t("seals"), where)
	var texts []string
	err := s.on(ctx, s.shards[0], func(ctx context.Context, r *replica) error {
		var behind uint64
		texts = nil
		if err := r.conn.QueryRow(ctx, s.say(sql)).Scan(&behind, &texts); err != nil {
			return err
		}
		if behind > 0 {
			return errBehind
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return newest(texts)
}

// newest reads seals and keeps the newest of each chain, in order of chains.
func newest(texts []string) (list []*seal, err error) {
	byChain := map[ledger.Chain]*seal{}
	for _, text := range texts {
		one := &seal{}
		if err := json.Unmarshal([]byte(text), one); err != nil {
			return nil, fmt.Errorf("%w: seal: %w", store.ErrCorrupt, err)
		}
		if have := byChain[one.Chain]; have == nil || have.point().before(one.point().moment) {
			byChain[one.Chain] = one
		}
	}
	for _, one := range byChain {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b *seal) int { return strings.Compare(string(a.Chain), string(b.Chain)) })
	return list, nil
}

// view is what a question sees: the newest seal, and what numbers mean under it.
type view struct {
	*seal
	store *Store
	index *index
}

// view begins a question about a chain.
func (s *Store) view(ctx context.Context, chain ledger.Chain) (*view, error) {
	list, err := s.seals(ctx, chain)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].Blocks == 0 {
		return nil, fmt.Errorf("%w: %s", store.ErrUnknownChain, chain.Short())
	}
	return &view{list[0], s, s.indexOf(list[0])}, nil
}

// trip begins a round trip under a view.
func (v *view) trip() *trip { return v.store.trip(v.point()) }

// where is the condition of a table's rows that count, and more.
func (v *view) where(more string) string { return " WHERE " + v.visible() + " AND " + more }
