package taint

// members is a set of output numbers: a bitmap in pages, so that asking costs two
// loads and the memory follows the tainted part of the chain.
type members struct {
	pages []*[pageWords]uint64
}

const (
	pageBits  = 16
	pageWords = 1 << pageBits / 64
)

func (m *members) has(n uint64) bool {
	page := n >> pageBits
	if page >= uint64(len(m.pages)) || m.pages[page] == nil {
		return false
	}
	return m.pages[page][n>>6%pageWords]&(1<<(n&63)) != 0
}

func (m *members) add(n uint64) {
	page := n >> pageBits
	for uint64(len(m.pages)) <= page {
		m.pages = append(m.pages, nil)
	}
	if m.pages[page] == nil {
		m.pages[page] = new([pageWords]uint64)
	}
	m.pages[page][n>>6%pageWords] |= 1 << (n & 63)
}

func (m *members) remove(n uint64) {
	m.pages[n>>pageBits][n>>6%pageWords] &^= 1 << (n & 63)
}
