package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"coldtrail/screen/blocklist"
)

// Form is how a list is written.
type Form string

// The forms of a list, named by the ends of their files.
const (
	Lines Form = "jsonl" // one JSON object a line, as docs/formats/blocklist.md says
	Table Form = "csv"
	Plain Form = "txt"
)

var (
	// ErrNoList says that there is no such list, or not in that form.
	ErrNoList = errors.New("there is no such list")
	// ErrNoRevision says that what changed since a revision is kept no longer.
	ErrNoRevision = errors.New("what changed since that revision is kept no longer")
)

// File is a list, or what changed of it, ready to be sent. It never changes.
type File struct {
	Body []byte
	// Signature is minisign's file over Body; nil where there is no key.
	Signature []byte
	ETag      string
	Revision  blocklist.Revision
}

// Lists gives the newest revision of each list by name.
func (p *Publisher) Lists() map[string]blocklist.Revision {
	revisions := map[string]blocklist.Revision{}
	for name, i := range *p.issues.Load() {
		revisions[name] = i.list.Revision()
	}
	return revisions
}

// File gives a list in a form or, where since is not 0, what changed since that revision;
// nothing where it is the newest. The errors are ErrNoList and ErrNoRevision.
func (p *Publisher) File(name string, form Form, since uint64) (*File, error) {
	i, ok := (*p.issues.Load())[name]
	if !ok || form != Lines && (since != 0 || form != Table && form != Plain) {
		return nil, ErrNoList
	}
	return i.file(edition{form, since})
}

// edition names a file of one revision.
type edition struct {
	form  Form
	since uint64
}

// step is a difference and how many entries it has.
type step struct {
	delta *blocklist.Delta
	size  int
}

// issue is one revision of a list with what led to it.
type issue struct {
	name   string
	list   *blocklist.List
	deltas []step // each leads to the next, the last one to the list
	key    blocklist.SecretKey

	turn  sync.Mutex
	files map[edition]*File // those that were asked for
	bytes int               // of differences among them
}

// aged says whether a revision is as old as one may become.
func (i *issue) aged(now time.Time, most time.Duration) bool {
	return now.Unix()-i.list.Revision().Moment >= int64(most/time.Second)
}

// mostBytes bounds the differences that are kept ready: the list once more, or a little.
func (i *issue) mostBytes() int {
	return max(len(i.files[edition{form: Lines}].Body), 16<<20)
}

func (i *issue) file(which edition) (*File, error) {
	i.turn.Lock()
	defer i.turn.Unlock()
	if f := i.files[which]; f != nil {
		return f, nil
	}
	f := &File{Revision: i.list.Revision(), ETag: i.list.ETag()}
	switch {
	case which.since == f.Revision.Number:
		return f, nil
	case which.since != 0:
		body, err := i.since(which.since)
		if err != nil {
			return nil, err
		}
		f.Body = body
	case which.form == Table:
		f.Body = i.list.CSV()
	case which.form == Plain:
		f.Body = i.list.Text("")
	default:
		f.Body = i.list.Encode()
	}
	var none blocklist.PublicKey
	if i.key.Public() != none {
		var err error
		if f.Signature, err = i.key.Sign(f.Body, comment(i.name, f.Revision, which.form)); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
	}
	if which.since != 0 {
		if i.bytes+len(f.Body) > i.mostBytes() {
			return f, nil // made again for whoever asks next
		}
		i.bytes += len(f.Body)
	}
	i.files[which] = f
	return f, nil
}

// comment says what is signed: the list and its form beside the revision, so that one
// list cannot be passed off as another.
func comment(name string, r blocklist.Revision, form Form) string {
	return strings.Join([]string{r.Comment(), "list:" + name, "form:" + string(form)}, "\t")
}

// since writes what changed since a revision.
func (i *issue) since(number uint64) ([]byte, error) {
	at := slices.IndexFunc(i.deltas, func(s step) bool { return s.delta.From().Number == number })
	if at < 0 {
		return nil, ErrNoRevision
	}
	joined := i.deltas[at].delta
	for _, s := range i.deltas[at+1:] {
		var err error
		if joined, err = blocklist.Join(joined, s.delta); err != nil {
			return nil, err
		}
	}
	return joined.Encode(), nil
}
