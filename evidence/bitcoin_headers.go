package evidence

import (
	"fmt"

	"coldtrail/chain/bitcoin"
	"coldtrail/ledger"
)

// headerRun is a run of headers of a Bitcoin chain.
type headerRun struct {
	network *bitcoin.Network
	first   ledger.Height
	raw     []byte

	headers []bitcoin.Header
}

// decode reads the headers and checks that each continues the one before.
func (h *headerRun) decode() error {
	if len(h.raw) == 0 || len(h.raw)%bitcoin.HeaderSize != 0 {
		return fmt.Errorf("%d bytes are no run of headers", len(h.raw))
	}
	h.headers = make([]bitcoin.Header, 0, len(h.raw)/bitcoin.HeaderSize)
	for at := 0; at < len(h.raw); at += bitcoin.HeaderSize {
		header, err := bitcoin.DecodeHeader(h.raw[at : at+bitcoin.HeaderSize])
		if err != nil {
			return err
		}
		if n := len(h.headers); n > 0 && header.Parent != h.headers[n-1].Hash {
			return fmt.Errorf("header %d does not continue the one before it", h.height(n))
		}
		h.headers = append(h.headers, header)
	}
	if h.first == 0 && h.headers[0].Hash != h.network.Genesis {
		return fmt.Errorf("the first header is not that of %s", h.network.Name)
	}
	return nil
}

func (h *headerRun) height(i int) ledger.Height { return h.first + ledger.Height(i) }

// work checks the proof of work of every header, and where the network has no exceptions
// the difficulty rule as far as the run shows it.
func (h *headerRun) work() error {
	for i := range h.headers {
		if err := h.headers[i].CheckWork(h.network); err != nil {
			return fmt.Errorf("header %d: %w", h.height(i), err)
		}
		if i == 0 || !h.network.Retargets {
			continue
		}
		want, period := h.headers[i-1].Bits, i-bitcoin.RetargetBlocks
		if h.height(i)%bitcoin.RetargetBlocks == 0 {
			if period < 0 {
				continue // the period began before the run
			}
			want = bitcoin.NextBits(h.network, want, h.headers[period].Time, h.headers[i-1].Time)
		}
		if h.headers[i].Bits != want {
			return fmt.Errorf("header %d: target %08x, the difficulty rule demands %08x", h.height(i), h.headers[i].Bits, want)
		}
	}
	return nil
}

// total is the expected number of hashes behind the run, by which it can be compared with
// others.
func (h *headerRun) total() (sum ledger.Amount) {
	for i := range h.headers {
		work := bitcoin.Work(h.headers[i].Bits)
		sum.Add(&sum, &work)
	}
	return sum
}

// at is the header of a height, or nil where the run has none.
func (h *headerRun) at(height ledger.Height) *bitcoin.Header {
	if height < h.first || uint64(height-h.first) >= uint64(len(h.headers)) {
		return nil
	}
	return &h.headers[height-h.first]
}

func (h *headerRun) last() ledger.Height { return h.height(len(h.headers) - 1) }
