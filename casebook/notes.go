package casebook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// TopicKind says what a note is about.
type TopicKind string

// The kinds of topic.
const (
	AboutCase    TopicKind = "case"
	AboutAddress TopicKind = "address"
	AboutTx      TopicKind = "tx"
	AboutAlert   TopicKind = "alert"
	AboutVenue   TopicKind = "venue"
)

// A Topic is what a note is about.
type Topic struct {
	Kind TopicKind `json:"kind"`
	// Chain is CAIP-2, empty where the subject is of no chain.
	Chain   string `json:"chain,omitempty"`
	Subject string `json:"subject"` // the identifier, or the address in canonical form
}

// A Note is what somebody wrote about something. Notes are not edited: a later one
// corrects an earlier one.
type Note struct {
	// Sequence numbers all notes from 1, ID follows from the content.
	Sequence int64  `json:"sequence"`
	ID       string `json:"id"`
	About    Topic  `json:"about"`
	Text     string `json:"text"`
	By       string `json:"by"`
	At       int64  `json:"at"`
}

// Notes keeps notes.
type Notes interface {
	// AddNote adds a note and gives it with its identifier. The same note again (topic,
	// text, who and when) is the note that is held.
	AddNote(ctx context.Context, note Note) (Note, error)
	// Notes gives the notes about a topic after a sequence number, oldest first.
	Notes(ctx context.Context, about Topic, after int64, limit int) ([]Note, error)
}

func (n *Note) check() error {
	switch n.About.Kind {
	case AboutCase, AboutAddress, AboutTx, AboutAlert, AboutVenue:
	default:
		return &InvalidError{"topic", fmt.Sprintf("%q is not known", n.About.Kind)}
	}
	if n.Text == "" {
		return &InvalidError{"note", "is empty"}
	}
	return first(checkOptional("chain", n.About.Chain), checkID("subject", n.About.Subject), checkText("note", n.Text, MaxText), checkID("by", n.By))
}

// digest is SHA-256 over values, in hexadecimal digits. JSON keeps them apart: no two
// lists of values have the same bytes.
func digest(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // only texts, numbers and valid JSON are given
	}
	return sum(string(text))
}

// sum is SHA-256 over a text, in hexadecimal digits.
func sum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

const noteColumns = `sequence, id, topic, chain, subject, text, by_whom, at`

func scanNote(r row) (Note, error) {
	var n Note
	err := r.Scan(&n.Sequence, &n.ID, &n.About.Kind, &n.About.Chain, &n.About.Subject, &n.Text, &n.By, &n.At)
	return n, err
}

// AddNote implements Notes.
func (b *SQL) AddNote(ctx context.Context, note Note) (Note, error) {
	if err := note.check(); err != nil {
		return Note{}, err
	}
	note.ID = digest("note", note.About.Kind, note.About.Chain, note.About.Subject, note.Text, note.By, note.At)
	err := b.change(ctx, "add a note", func(s session) error {
		held, err := rows(ctx, s, scanNote, `SELECT `+noteColumns+` FROM notes WHERE id = ?`, note.ID)
		if err != nil || len(held) > 0 {
			note = append(held, note)[0]
			return err
		}
		if note.Sequence, err = next(ctx, s, "notes"); err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO notes (`+noteColumns+`) VALUES `+questionMarks(8),
			note.Sequence, note.ID, note.About.Kind, note.About.Chain, note.About.Subject, note.Text, note.By, note.At)
		return err
	})
	return note, err
}

// Notes implements Notes.
func (b *SQL) Notes(ctx context.Context, about Topic, after int64, most int) ([]Note, error) {
	return told[[]Note]("notes")(rows(ctx, b.reading(), scanNote,
		`SELECT `+noteColumns+` FROM notes WHERE topic = ? AND chain = ? AND subject = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
		about.Kind, about.Chain, about.Subject, after, limit(most)))
}
