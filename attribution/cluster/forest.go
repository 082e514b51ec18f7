package cluster

import (
	"errors"
	"slices"

	"coldtrail/ledger"
)

// Member numbers what a forest joins. On a UTXO chain it is the number of an output, and
// an address goes by its first output; on an account chain addresses are numbered in
// order of their first edge.
type Member = uint32

// none stands for no member and no link.
const none = 1<<32 - 1

// Nobody is the member that no address has.
const Nobody Member = none

// MaxMembers is how many outputs or accounts a forest can number.
const MaxMembers = 1<<32 - 2

// ErrFull says that a forest would need more members than it can number.
var ErrFull = errors.New("the forest has more than 4,294,967,294 outputs")

// Node is a member's place. An address under no other is the root of its cluster: it is
// its own Up, and Count says how many addresses the cluster has. One that was joined has
// the root it was joined under as Up, and the link that did it as Count. An output that
// is not its address's first has that as Up and none as Count.
//
// Next closes the addresses of a cluster to a ring.
type Node struct{ Up, Count, Next uint32 }

// Link is one joining of two clusters: the root of the smaller goes under that of the
// larger. A and B are the addresses that the evidence names, A in the child.
type Link struct {
	Child, Parent           Member
	ChildCount, ParentCount uint32 // addresses before
	ChildNext, ParentNext   Member // their rings before
	A, B                    Member
	Tx                      uint32 // number of the transaction that is the evidence
	Rule                    uint8  // in the list of rules that the forest was grown by
}

// Mark is how far a forest had come after a block.
type Mark struct {
	Hash    [8]byte // the last bytes of the block's hash
	Height  uint32
	Members uint32
	Links   uint32
	Txs     uint32
}

// Space is a forest's memory: arrays that Grow makes longer. What lies beyond the
// counts means nothing.
type Space struct {
	Nodes []Node
	Links []Link
	Marks []Mark
	// Names are the addresses of members, on account chains; nil on UTXO chains, where
	// the ledger has them.
	Names []ledger.Address
	// Counts says how much of the arrays is used; see the indexes below.
	Counts []uint64
	// Basis is what the forest was grown by beside the ledger: rules, transactions that
	// were ruled out. A forest of another basis is another forest. Keep writes it down.
	Basis string
	Keep  func(basis string) error
	// Grow makes room for so many, of each.
	Grow func(s *Space, members, links, marks uint64) error
}

// The indexes of Space.Counts.
const (
	countMembers = iota
	countLinks
	countMarks
	// Counts is how many there are.
	Counts
)

// InMemory is a space for a chain of a family that lives as long as the process.
func InMemory(family ledger.Family) *Space {
	return &Space{Counts: make([]uint64, Counts), Keep: func(string) error { return nil }, Grow: func(s *Space, members, links, marks uint64) error {
		s.Nodes, s.Links, s.Marks = lengthen(s.Nodes, members), lengthen(s.Links, links), lengthen(s.Marks, marks)
		if family == ledger.Account {
			s.Names = lengthen(s.Names, members)
		}
		return nil
	}}
}

func lengthen[T any](list []T, n uint64) []T {
	if uint64(len(list)) >= n {
		return list
	}
	return slices.Grow(list, int(n)-len(list))[:n]
}

// Forest says which addresses are joined, since which transaction and by what evidence.
// It is a union-find by size without path compression: the parents of a member were
// joined one after the other, so that the clusters of any earlier block can be asked
// for, a block can be taken back, and every joining can be explained.
type Forest struct {
	*Space
	scratch []Member
	back    Extent
}

// Extent is how far a forest has come, in members and links.
type Extent struct {
	Members uint64
	Links   uint32
}

// Open makes a forest of a space. What a killed process left beyond the last mark is
// taken back.
func Open(s *Space) *Forest {
	f := &Forest{Space: s}
	if marks := s.Counts[countMarks]; marks > 0 {
		f.undo(uint64(s.Marks[marks-1].Links))
		s.Counts[countMembers] = uint64(s.Marks[marks-1].Members)
	} else {
		f.undo(0)
		s.Counts[countMembers] = 0
	}
	f.back = f.Extent()
	return f
}

// Extent is how far the forest has come.
func (f *Forest) Extent() Extent { return Extent{f.Members(), f.Joined()} }

// Kept is what of the forest is still what it was when Kept was asked last: it may have
// been taken back and have grown again since.
func (f *Forest) Kept() Extent {
	kept := f.back
	f.back = f.Extent()
	return kept
}

// Members is how many outputs or accounts there are, joined or not.
func (f *Forest) Members() uint64 { return f.Counts[countMembers] }

// Joined is how many links there are.
func (f *Forest) Joined() uint32 { return uint32(f.Counts[countLinks]) }

// Blocks is how many blocks were applied.
func (f *Forest) Blocks() uint64 { return f.Counts[countMarks] }

// Mark is how far the forest had come after a block, by its index.
func (f *Forest) Mark(block uint64) Mark { return f.Marks[block] }

// Room makes room for members, and for as many links and marks, beside those there are.
func (f *Forest) Room(members, links, marks int) error {
	c := f.Counts
	if c[countMembers]+uint64(members) > MaxMembers {
		return ErrFull
	}
	return f.Grow(f.Space, c[countMembers]+uint64(members), c[countLinks]+uint64(links), c[countMarks]+uint64(marks))
}

// Extend adds outputs with the output that their address received before each; any
// number beyond the members so far, and the new ones, stands for none. The caller made
// room.
func Extend[N ~uint64](f *Forest, previous []N) {
	at := f.Counts[countMembers]
	// What lies before is read first, all of it: reads that do not wait for one another
	// cost little more than one.
	f.scratch = f.scratch[:0]
	for _, p := range previous {
		if uint64(p) < at {
			f.scratch = append(f.scratch, f.Address(Member(p)))
		}
	}
	nodes, known := f.Nodes[at:at+uint64(len(previous))], f.scratch
	for i, p := range previous {
		member := Member(at) + Member(i)
		switch {
		case uint64(p) < at:
			nodes[i], known = Node{known[0], none, none}, known[1:]
		case uint64(p) < uint64(member):
			nodes[i] = Node{f.Address(Member(p)), none, none}
		default:
			nodes[i] = Node{member, 1, member}
		}
	}
	f.Counts[countMembers] = at + uint64(len(previous))
}

// Address is the address that an output belongs to, by its first output.
func (f *Forest) Address(output Member) Member {
	if n := f.Nodes[output]; n.Count == none {
		return n.Up
	}
	return output
}

// Root is the address that a cluster goes by inside a forest. It may change when the
// cluster grows.
func (f *Forest) Root(address Member) Member {
	for {
		up := f.Nodes[address].Up
		if up == address {
			return address
		}
		address = up
	}
}

// RootAt is the root of an address when the forest had so many links.
func (f *Forest) RootAt(address Member, links uint32) Member {
	for {
		n := f.Nodes[address]
		if n.Up == address || n.Count >= links {
			return address
		}
		address = n.Up
	}
}

// Size is how many addresses the cluster of a root has.
func (f *Forest) Size(root Member) uint32 { return f.Nodes[root].Count }

// SizeAt is how many addresses the cluster of a root had when the forest had so many
// links. It reads the links since.
func (f *Forest) SizeAt(root Member, links uint32) uint32 {
	for i := range f.Links[links:max(links, f.Joined())] {
		switch l := &f.Links[links:][i]; root {
		case l.Parent:
			return l.ParentCount
		case l.Child:
			return l.ChildCount
		}
	}
	return f.Size(root)
}

// Held is an output's address and a member above it, both none for an output that is
// not in the forest.
type Held struct{ Address, Above Member }

// Look looks outputs up, all together: each look-up waits for memory, and so they wait
// at the same time. What is above an address may be under another by the time it is
// used; Root goes on from there.
func Look[N ~uint64](f *Forest, list []Held, outputs []N) []Held {
	members := f.Counts[countMembers]
	list = list[:0]
	for _, o := range outputs {
		h := Held{none, none}
		if uint64(o) < members {
			n := f.Nodes[o]
			h = Held{Member(o), n.Up}
			if n.Count == none {
				h.Address = n.Up
			}
		}
		list = append(list, h)
	}
	for range 3 { // most roots are nearer
		for i := range list {
			if above := list[i].Above; above != none {
				list[i].Above = f.Nodes[above].Up
			}
		}
	}
	return list
}

// Unknown says that the output is not in the forest.
func (h Held) Unknown() bool { return h.Address == none }

// Join joins the clusters of two addresses on the evidence of a transaction, and says
// whether they were two. The caller made room.
func (f *Forest) Join(a, b Member, tx uint32, rule uint8) bool {
	ra, rb := f.Root(a), f.Root(b)
	if ra == rb {
		return false
	}
	f.Tie(Held{a, ra}, Held{b, rb}, tx, rule)
	return true
}

// Tie joins two addresses of different clusters, each with its root, and gives the root
// of both. The caller made room.
func (f *Forest) Tie(a, b Held, tx uint32, rule uint8) (root Member) {
	// The smaller goes under the larger; of two alike the later under the earlier.
	if na, nb := f.Nodes[a.Above].Count, f.Nodes[b.Above].Count; na > nb || na == nb && a.Above < b.Above {
		a, b = b, a
	}
	at := f.Counts[countLinks]
	child, parent := &f.Nodes[a.Above], &f.Nodes[b.Above]
	f.Links[at] = Link{
		Child: a.Above, Parent: b.Above, ChildCount: child.Count, ParentCount: parent.Count, ChildNext: child.Next, ParentNext: parent.Next,
		A: a.Address, B: b.Address, Tx: tx, Rule: rule,
	}
	f.Counts[countLinks] = at + 1 // first the link: after a kill it is taken back
	parent.Count += child.Count
	child.Up, child.Count = b.Above, uint32(at)
	child.Next, parent.Next = parent.Next, child.Next
	return b.Above
}

// Close ends a block: what was joined since the last belongs to it. The mark's Links
// are filled in. The caller made room.
func (f *Forest) Close(m Mark) {
	at := f.Counts[countMarks]
	m.Links = f.Joined()
	f.Marks[at] = m
	f.Counts[countMarks] = at + 1
}

// At is how many links there were after the last block up to a height.
func (f *Forest) At(height uint64) uint32 {
	marks := f.Marks[:f.Blocks()]
	at, _ := slices.BinarySearchFunc(marks, height, func(m Mark, h uint64) int {
		if uint64(m.Height) <= h {
			return -1
		}
		return 1
	})
	if at == 0 {
		return 0
	}
	return marks[at-1].Links
}

// Rewind takes all blocks from one on back.
func (f *Forest) Rewind(block uint64) {
	if block >= f.Counts[countMarks] {
		return
	}
	f.Counts[countMarks] = block
	var mark Mark
	if block > 0 {
		mark = f.Marks[block-1]
	}
	f.undo(uint64(mark.Links))
	f.Counts[countMembers] = uint64(mark.Members)
	f.back = Extent{min(f.back.Members, f.Members()), min(f.back.Links, f.Joined())}
}

// undo takes links back, newest first. A link whose joining a kill cut short is undone
// all the same: what it states is how things were before.
func (f *Forest) undo(links uint64) {
	for at := f.Counts[countLinks]; at > links; at-- {
		l := &f.Links[at-1]
		parent := &f.Nodes[l.Parent]
		f.Nodes[l.Child], parent.Count, parent.Next = Node{l.Child, l.ChildCount, l.ChildNext}, l.ParentCount, l.ParentNext
		f.Counts[countLinks] = at - 1
	}
}

// Each visits the addresses of a root's cluster until visit says to stop.
func (f *Forest) Each(root Member, visit func(address Member) bool) {
	f.Part(f.Nodes[root].Next, root, visit)
}

// Part visits the addresses that a root's cluster had at an earlier time, given where its
// ring began then: what was joined since stands in front of them or behind the root.
func (f *Forest) Part(begin, root Member, visit func(address Member) bool) {
	for at := begin; ; at = f.Nodes[at].Next {
		if !visit(at) || at == root {
			return
		}
	}
}
