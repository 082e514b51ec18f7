// Package files keeps forests of clusters in mapped files. They are derived: delete the
// folder and they are grown again.
package files

import (
	"errors"
	"os"
	"path/filepath"
	"unsafe"

	"coldtrail/attribution/cluster"
	"coldtrail/internal/mapped"
	"coldtrail/ledger"
)

// Folder is a forest's files while they are open.
type Folder struct {
	path  string
	state *mapped.Array[uint64]
	nodes *mapped.Array[cluster.Node]
	links *mapped.Array[cluster.Link]
	marks *mapped.Array[cluster.Mark]
	names *mapped.Array[ledger.Address]
	most  uint64 // bytes that nodes and links may take of memory before they go to their files
}

// The words of the state: what it is, whether a process may be writing and in which run
// of the machine, then the forest's counts.
const (
	stateVersion = iota
	stateOpen
	stateBoot
	_
	stateCounts
	stateWords = stateCounts + cluster.Counts
)

const version = 1

// The bytes of a node and of a link.
const (
	nodeSize = uint64(unsafe.Sizeof(cluster.Node{}))
	linkSize = uint64(unsafe.Sizeof(cluster.Link{}))
)

// basisFile is what the forest was grown by, as text.
const basisFile = "basis"

// Open opens the forest in a folder, which it makes if it is missing. Files that may be
// torn, as the machine went down while they were written, are begun anew.
func Open(path string, family ledger.Family) (f *Folder, s *cluster.Space, err error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, nil, err
	}
	f = &Folder{path: path}
	if err := f.open(family); err != nil {
		return nil, nil, errors.Join(err, f.unmap())
	}
	if err := f.state.Grow(stateWords); err != nil {
		return nil, nil, errors.Join(err, f.unmap())
	}
	state, boot := f.state.Data, mapped.BootID()
	basis, err := os.ReadFile(filepath.Join(path, basisFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, errors.Join(err, f.unmap())
	}
	torn := state[stateOpen] == 1 && (boot == [2]uint64{} || boot != [2]uint64{state[stateBoot], state[stateBoot+1]})
	if state[stateVersion] != version || torn || !f.holds(state[stateCounts:stateWords]) {
		clear(state[stateCounts:stateWords])
	}
	if state[stateCounts] == 0 {
		if err := f.begin(); err != nil {
			return nil, nil, errors.Join(err, f.unmap())
		}
	}
	state[stateVersion], state[stateOpen], state[stateBoot], state[stateBoot+1] = version, 1, boot[0], boot[1]
	s = &cluster.Space{
		Nodes: f.nodes.Data, Links: f.links.Data, Marks: f.marks.Data, Counts: state[stateCounts:stateWords:stateWords],
		Basis: string(basis), Keep: f.keep, Grow: f.grow,
	}
	if f.names != nil {
		s.Names = f.names.Data
	}
	return f, s, nil
}

func (f *Folder) open(family ledger.Family) (err error) {
	if f.state, err = mapped.Open[uint64](f.path, "state"); err != nil {
		return err
	}
	if f.nodes, err = mapped.Open[cluster.Node](f.path, "nodes"); err != nil {
		return err
	}
	if f.links, err = mapped.Open[cluster.Link](f.path, "links"); err != nil {
		return err
	}
	if family == ledger.Account {
		if f.names, err = mapped.Open[ledger.Address](f.path, "names"); err != nil {
			return err
		}
	}
	f.marks, err = mapped.Open[cluster.Mark](f.path, "marks")
	return err
}

// begin takes memory of its own for the nodes and links of a forest that is grown from
// nothing: nodes are written in no order, and a file would be written again and again
// meanwhile.
func (f *Folder) begin() error {
	err := errors.Join(f.nodes.Close(), f.links.Close())
	f.nodes, f.links = nil, nil
	if err != nil {
		return err
	}
	if f.nodes, err = mapped.Fresh[cluster.Node](f.path, "nodes"); err != nil {
		return err
	}
	f.links, err = mapped.Fresh[cluster.Link](f.path, "links")
	f.most = mapped.Available() / 2
	return err
}

// holds says whether the files are as long as the counts say.
func (f *Folder) holds(counts []uint64) bool {
	members, links, marks := counts[0], counts[1], counts[2]
	return (f.names == nil || f.names.Room >= members) && f.nodes.Room >= members && f.links.Room >= links && f.marks.Room >= marks
}

// grow makes room.
func (f *Folder) grow(_ *cluster.Space, members, links, marks uint64) error {
	if f.names != nil {
		if err := f.names.Grow(members); err != nil {
			return err
		}
	}
	if members*nodeSize+links*linkSize > f.most {
		if err := errors.Join(f.nodes.Spill(), f.links.Spill()); err != nil {
			return err
		}
	}
	return errors.Join(f.nodes.Grow(members), f.links.Grow(links), f.marks.Grow(marks))
}

// keep writes the basis down, whole or not at all.
func (f *Folder) keep(basis string) error {
	path := filepath.Join(f.path, basisFile)
	if err := os.WriteFile(path+".new", []byte(basis), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Close writes the files to disk and marks them as whole.
func (f *Folder) Close() error {
	counts := f.state.Data[stateCounts:stateWords]
	err := errors.Join(f.nodes.Trim(counts[0]), f.links.Trim(counts[1]), f.marks.Trim(counts[2]))
	if err == nil && f.names != nil {
		err = f.names.Trim(counts[0])
	}
	if err == nil {
		f.state.Data[stateOpen] = 0
		err = f.state.Trim(stateWords)
	}
	return errors.Join(err, f.unmap())
}

func (f *Folder) unmap() error {
	var errs []error
	if f.state != nil {
		errs = append(errs, f.state.Close())
	}
	if f.nodes != nil {
		errs = append(errs, f.nodes.Close())
	}
	if f.links != nil {
		errs = append(errs, f.links.Close())
	}
	if f.names != nil {
		errs = append(errs, f.names.Close())
	}
	if f.marks != nil {
		errs = append(errs, f.marks.Close())
	}
	return errors.Join(errs...)
}
