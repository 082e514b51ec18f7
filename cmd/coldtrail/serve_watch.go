package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen"
	"coldtrail/screen/blocklist"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
	"coldtrail/watch"
)

// The files beside the store that belong to published lists.
const (
	listKeyFile     = "blocklist.key"
	listNumbersFile = "blocklists.json"
)

// newWatch makes the watch of a server. Chains are those that are followed, and raised
// hears of alerts that were kept.
func newWatch(o *opened, chains []followed, raised func([]casebook.Alert), log *slog.Logger) (*watch.Watch, error) {
	options := watch.Options{Book: o.book, Clock: time.Now, Held: heldIn(o.store), Raised: raised, Log: log}
	for _, c := range chains {
		options.Followed = append(options.Followed, c.chain)
	}
	return watch.New(options)
}

// heldIn gives the hashes of the blocks that a store holds.
func heldIn(s store.Store) func(context.Context, ledger.Chain, ledger.Height) (string, error) {
	return func(ctx context.Context, chain ledger.Chain, height ledger.Height) (string, error) {
		for h, err := range s.Headers(ctx, chain, height) {
			switch {
			case errors.Is(err, store.ErrUnknownChain):
				return "", nil
			case err != nil:
				return "", err
			case h.Height == height && !h.Hash.IsZero():
				return chain.FormatHash(h.Hash), nil
			}
			break
		}
		return "", nil
	}
}

// newPublisher makes the publisher of the lists of a server, whose files are in a folder.
func newPublisher(folder string, log *slog.Logger) (*watch.Publisher, error) {
	key, err := listKey(filepath.Join(folder, listKeyFile))
	if err != nil {
		return nil, err
	}
	return watch.NewPublisher(watch.PublisherOptions{Clock: time.Now, Path: filepath.Join(folder, listNumbersFile), Key: key, Log: log})
}

// listKey reads the key that lists are signed with, or makes one that only its owner may
// read: 64 hexadecimal digits.
func listKey(path string) (key blocklist.SecretKey, err error) {
	var seed [32]byte
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := rand.Read(seed[:]); err != nil {
			return key, err
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return key, fmt.Errorf("key of lists: %w", err)
		}
		_, err = fmt.Fprintf(file, "%x\n", seed)
		if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
			return key, fmt.Errorf("key of lists: %w", errors.Join(err, os.Remove(path)))
		}
	case err != nil:
		return key, fmt.Errorf("key of lists: %w", err)
	default:
		// What is wrong must not be told by quoting a secret.
		if n, err := hex.Decode(seed[:], trimmed(text, 2*len(seed))); err != nil || n != len(seed) {
			return key, fmt.Errorf("key of lists: %s is not 64 hexadecimal digits", path)
		}
	}
	return blocklist.NewSecretKey(seed), nil
}

// trimmed is a line of a length, or nothing.
func trimmed(text []byte, length int) []byte {
	if len(text) == length+1 && text[length] == '\n' {
		text = text[:length]
	}
	if len(text) != length {
		return nil
	}
	return text
}

// publishedLists gives the server the lists of a publisher.
type publishedLists struct{ from *watch.Publisher }

var _ server.Blocklists = publishedLists{}

// Blocklists says which there are, by name.
func (l publishedLists) Blocklists(context.Context) ([]server.BlocklistState, error) {
	revisions := l.from.Lists()
	states := make([]server.BlocklistState, 0, len(revisions))
	for _, name := range sortedKeys(revisions) {
		r := revisions[name]
		states = append(states, server.BlocklistState{Name: name, Revision: r.Number, Moment: r.Moment, Entries: r.Entries, Content: r.Content.String()})
	}
	return states, nil
}

// Publication gives a list, or what changed since a revision.
func (l publishedLists) Publication(_ context.Context, which server.Edition) (*server.Publication, error) {
	f, err := l.from.File(which.Name, watch.Form(which.Form), which.Since)
	switch {
	case errors.Is(err, watch.ErrNoList) && len(l.from.Lists()) == 0:
		return nil, refuse(server.ErrUnavailable, "the lists are still being made")
	case errors.Is(err, watch.ErrNoList):
		return nil, refuse(server.ErrNotFound, "there is no list %.50q in that form", which.Name)
	case errors.Is(err, watch.ErrNoRevision):
		return nil, refuse(server.ErrGone, "what changed since revision %d is kept no longer; take the whole list", which.Since)
	case err != nil:
		return nil, err
	}
	return &server.Publication{Body: f.Body, Signature: f.Signature, ETag: f.ETag, Revision: f.Revision.Number, Moment: f.Revision.Moment}, nil
}

// watched is screening that notes who was asked about.
type watched struct {
	screening

	watch *watch.Watch
}

var _ server.Screening = watched{}

// Now gives the newest state of knowledge, and nil before there is one.
func (s watched) Now() server.View {
	if k := s.engine.Now(); k != nil {
		return watchedView{k, s.watch}
	}
	return nil
}

// watchedView is one state of knowledge that notes who was asked about.
type watchedView struct {
	*screen.Knowledge

	watch *watch.Watch
}

// Screen judges.
func (v watchedView) Screen(q *exposure.Question, into *exposure.Verdict) {
	v.Knowledge.Screen(q, into)
	v.watch.Screened(&watch.Asked{Question: *q, Outcome: into.Outcome, Level: into.Level, At: time.Now().Unix()})
}

// ScreenBytes appends the verdict as JSON.
func (v watchedView) ScreenBytes(dst []byte, q *exposure.Question) ([]byte, exposure.Outcome) {
	dst, outcome := v.Knowledge.ScreenBytes(dst, q)
	v.watch.Screened(&watch.Asked{Question: *q, Outcome: outcome, At: time.Now().Unix()})
	return dst, outcome
}

// watchParts says how watching and publishing are.
func watchParts(w *watch.Watch, p *watch.Publisher) []server.Part {
	looking, lists := w.Health(), p.Health()
	parts := []server.Part{{Name: "watch", State: server.Working}, {Name: "blocklists", State: server.Working}}
	switch {
	case looking.Trouble != "":
		parts[0].State, parts[0].Detail = server.Degraded, looking.Trouble
	case looking.Dropped > 0 || looking.Refused > 0:
		parts[0].State = server.Degraded
		parts[0].Detail = fmt.Sprintf("%d answers were not noted for want of room, and %d alerts not kept, since the start", looking.Dropped, looking.Refused)
	}
	if lists.Trouble != "" {
		parts[1].State, parts[1].Detail = server.Degraded, lists.Trouble
	}
	return parts
}

// watchQueues says how much a watch has to do.
func watchQueues(w *watch.Watch) []server.Queue {
	h := w.Health()
	return []server.Queue{{Name: "screened", Length: h.Queued, Capacity: h.Capacity}, {Name: "looked at again", Length: h.Left, Capacity: h.Members + h.Subjects}}
}
