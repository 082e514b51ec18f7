// Package embedded is the store of one machine: a folder, no server.
//
// Pebble is the record: blocks as columns in chain order, one synced atomic batch
// for each Append, so that a kill at any moment leaves a whole number of Appends.
// Beside it lie look-up files, mapped into memory and derived from the record;
// delete them and they are built again. docs/adr/0015 says why it is so.
package embedded

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"coldtrail/ledger"
	"coldtrail/store"
)

// Options are the choices of a store. The zero value is good.
type Options struct {
	CacheBytes int64 // of Pebble's block cache; 0 is 64 MiB
	// Progress is told how far the look-up files have been built again.
	Progress func(done, total uint64)
	// Beside names what may lie in the folder beside the store.
	Beside []string
}

// Store is an open store.
type Store struct {
	db      *pebble.DB
	folder  string
	seed    uint64
	options Options

	mu     sync.RWMutex // held for reading by every question, for writing by Append
	chains map[ledger.Chain]chain
}

// chain is what the two families of chains have in common.
type chain interface {
	append(ctx context.Context, b *pebble.Batch, blocks []*ledger.Block) (finish func() error, err error)
	undo() error
	rewind(b *pebble.Batch, from ledger.Height) (finish func() error, err error)
	base() *chainBase
	close() error
}

const (
	recordFolder = "record"
	indexFolder  = "index"
	format       = 2
)

// Open opens the store in a folder, which it makes if it is missing or empty. A
// folder that holds something else is refused; a store that somebody has open is
// store.ErrLocked.
func Open(ctx context.Context, folder string, options Options) (*Store, error) {
	if err := prepare(folder, options.Beside); err != nil {
		return nil, err
	}
	if options.CacheBytes <= 0 {
		options.CacheBytes = 64 << 20
	}
	cache := pebble.NewCache(options.CacheBytes)
	defer cache.Unref()
	db, err := pebble.Open(filepath.Join(folder, recordFolder), &pebble.Options{
		Cache: cache, MemTableSize: 32 << 20, Logger: quiet{}, FormatMajorVersion: pebble.FormatNewest,
		Levels: filtered(),
	})
	if err != nil {
		if strings.Contains(err.Error(), "lock") || strings.Contains(err.Error(), "resource temporarily unavailable") {
			return nil, fmt.Errorf("%s: %w; wait for it, or name another folder with --data", folder, store.ErrLocked)
		}
		return nil, fmt.Errorf("open the store in %s: %w", folder, err)
	}
	s := &Store{db: db, folder: folder, options: options, chains: map[ledger.Chain]chain{}}
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store in %s: %w", folder, err), s.Close())
	}
	return s, nil
}

// filtered gives every level a Bloom filter, because most look-ups of an ingest are
// for what is not there.
func filtered() (levels [7]pebble.LevelOptions) {
	for i := range levels {
		levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return levels
}

// prepare makes the folder, and refuses one that is not ours.
func prepare(folder string, beside []string) error {
	entries, err := os.ReadDir(folder)
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return slices.Contains(beside, e.Name()) })
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return os.MkdirAll(filepath.Join(folder, recordFolder), 0o700)
	}
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == recordFolder && e.IsDir() }) {
		return fmt.Errorf("%s holds other files and no Coldtrail store; name an empty folder", folder)
	}
	return nil
}

// quiet keeps Pebble's talk to itself; its errors come back as errors.
type quiet struct{}

// Infof says nothing.
func (quiet) Infof(string, ...any) {}

// Errorf says nothing: the operation that failed says it.
func (quiet) Errorf(string, ...any) {}

// Fatalf stops: Pebble calls it where going on would corrupt the record.
func (quiet) Fatalf(text string, args ...any) { panic("store/embedded: " + fmt.Sprintf(text, args...)) }

// load reads the format, the secret seed and the chains.
func (s *Store) load(ctx context.Context) error {
	var meta [16]byte
	value, closer, err := s.db.Get(metaKey)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		binary.BigEndian.PutUint64(meta[:], format)
		if _, err := rand.Read(meta[8:]); err != nil {
			return err
		}
		if err := s.db.Set(metaKey, meta[:], pebble.Sync); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if len(value) != len(meta) {
			return errors.Join(fmt.Errorf("%w: meta record", store.ErrCorrupt), closer.Close())
		}
		copy(meta[:], value)
		if err := closer.Close(); err != nil {
			return err
		}
	}
	if got := binary.BigEndian.Uint64(meta[:]); got != format {
		return fmt.Errorf("the store has format %d, this program reads %d; ingest into a new folder", got, format)
	}
	s.seed = binary.BigEndian.Uint64(meta[8:])
	return s.loadChains(ctx)
}

func (s *Store) loadChains(ctx context.Context) error {
	names := map[byte]ledger.Chain{}
	err := s.scan([]byte{keyChain}, func(key, value []byte) error {
		if len(key) != 2 {
			return fmt.Errorf("%w: chain record", store.ErrCorrupt)
		}
		names[key[1]] = ledger.Chain(value)
		return nil
	})
	if err != nil {
		return err
	}
	for number, id := range names {
		if _, err := s.open(ctx, id, number); err != nil {
			return fmt.Errorf("chain %s: %w", id.Short(), err)
		}
	}
	return nil
}

// open opens a chain that is held, or begins one.
func (s *Store) open(ctx context.Context, id ledger.Chain, number byte) (chain, error) {
	base := chainBase{store: s, id: id, number: number}
	if err := base.load(); err != nil {
		return nil, err
	}
	var c chain
	var err error
	if id.Family() == ledger.UTXO {
		c, err = openUTXO(ctx, base)
	} else {
		c = openAccounts(base)
	}
	if err != nil {
		return nil, err
	}
	s.chains[id] = c
	return c, nil
}

// Close writes the look-up files to disk and gives the folder back.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, c := range s.chains {
		errs = append(errs, c.close())
	}
	clear(s.chains)
	return errors.Join(append(errs, s.db.Close())...)
}

// Append adds blocks, all or none.
func (s *Store) Append(ctx context.Context, blocks []*ledger.Block) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := s.db.NewBatch()
	var touched []chain
	var finishers []func() error
	err := func() error {
		for len(blocks) > 0 {
			n := slices.IndexFunc(blocks, func(b *ledger.Block) bool { return b.Chain != blocks[0].Chain })
			if n < 0 {
				n = len(blocks)
			}
			c, err := s.chain(ctx, batch, blocks[0].Chain)
			if err != nil {
				return err
			}
			touched = append(touched, c)
			finish, err := c.append(ctx, batch, blocks[:n])
			if err != nil {
				return err
			}
			finishers = append(finishers, finish)
			blocks = blocks[n:]
		}
		if batch.Empty() {
			return nil
		}
		return batch.Commit(pebble.Sync)
	}()
	if err != nil {
		errs := []error{err}
		for _, c := range touched {
			errs = append(errs, c.undo())
		}
		return errors.Join(append(errs, s.forgetEmpty(), batch.Close())...)
	}
	errs := []error{batch.Close()}
	for _, finish := range finishers {
		errs = append(errs, finish())
	}
	return errors.Join(errs...)
}

// chain finds a chain, or begins it in the batch.
func (s *Store) chain(ctx context.Context, batch *pebble.Batch, id ledger.Chain) (chain, error) {
	if c := s.chains[id]; c != nil {
		return c, nil
	}
	used := map[byte]bool{}
	for _, c := range s.chains {
		used[c.base().number] = true
	}
	for number := byte(0); number < 255; number++ {
		if used[number] {
			continue
		}
		if err := batch.Set([]byte{keyChain, number}, []byte(id), nil); err != nil {
			return nil, err
		}
		return s.open(ctx, id, number)
	}
	return nil, errors.New("a store holds at most 255 chains")
}

// forgetEmpty drops chains that hold no block.
func (s *Store) forgetEmpty() error {
	var errs []error
	for id, c := range s.chains {
		if len(c.base().headers) == 0 {
			errs = append(errs, c.close())
			delete(s.chains, id)
		}
	}
	return errors.Join(errs...)
}

// Rewind removes blocks from a height on.
func (s *Store) Rewind(ctx context.Context, id ledger.Chain, from ledger.Height) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chains[id]
	if c == nil {
		return nil
	}
	batch := s.db.NewBatch()
	headers := c.base().headers
	finish, err := c.rewind(batch, from)
	if err == nil && len(c.base().headers) == 0 {
		err = batch.Delete([]byte{keyChain, c.base().number}, nil)
	}
	if err == nil {
		err = batch.Commit(pebble.Sync)
	}
	if err != nil {
		c.base().headers = headers
		return errors.Join(err, batch.Close())
	}
	return errors.Join(finish(), batch.Close(), s.forgetEmpty())
}

// Status lists the chains held.
func (s *Store) Status(ctx context.Context) ([]store.Status, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]store.Status, 0, len(s.chains))
	for _, c := range s.chains {
		out = append(out, c.base().status())
	}
	slices.SortFunc(out, func(a, b store.Status) int { return strings.Compare(string(a.Chain), string(b.Chain)) })
	return out, ctx.Err()
}

// Release lets the kernel count the look-up files' pages as its own cache again,
// so that a long ingest's memory does not grow with the chain.
func (s *Store) Release() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var errs []error
	for _, c := range s.chains {
		if u, ok := c.(*utxo); ok {
			errs = append(errs, u.index.release())
		}
	}
	return errors.Join(errs...)
}

// Compact merges what many small batches left, after a bulk import.
func (s *Store) Compact(ctx context.Context) error {
	return s.db.Compact(ctx, []byte{0}, []byte{0xff}, false)
}

// Size is how many bytes the record and the look-up files have on disk.
func (s *Store) Size() (record, index uint64, err error) {
	record = s.db.Metrics().DiskSpaceUsage()
	err = filepath.WalkDir(filepath.Join(s.folder, indexFolder), func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			index += uint64(info.Size())
		}
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return record, index, err
}
