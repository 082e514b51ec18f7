package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/server"
	"coldtrail/store"
)

// addresses offers a text as an address of every chain that is held and of whose form it
// is, and of other networks where something is said of it, or where no chain fits.
func (s *search) addresses(ctx context.Context) error {
	text := s.text
	if len(text) == 40 && strings.Trim(text, "0123456789abcdefABCDEF") == "" {
		text = "0x" + text
	}
	offered := map[label.Network]bool{}
	for i := range s.statuses {
		chain := s.statuses[i].Chain
		n, err := notations(chain)
		if err != nil {
			continue // no address of it can be read here
		}
		a, wrong, ok := readAddress(n, text)
		if !ok {
			continue
		}
		offered[label.Network(chain)] = true
		if err := s.address(ctx, chain, n, a, wrong); err != nil {
			return err
		}
	}
	for _, network := range label.Guess(text) {
		if offered[network] {
			continue
		}
		subject, _, err := label.ParseSubject(string(network), text)
		if err != nil {
			continue
		}
		who, err := s.said(ctx, subject)
		if err != nil {
			return err
		}
		if who == "" && len(offered) > 0 {
			continue
		}
		offered[network] = true
		s.add(fitsExactly, server.FoundItem{
			Type: server.FoundAddress, Chain: string(network), ID: asWritten(subject), Title: asWritten(subject), Detail: joinDetail(who, "the ledger holds no block of "+network.Short()),
		})
	}
	return nil
}

// readAddress reads an address as it is written, or, of account chains, by its digits
// where only its capitals are wrong, which then is said.
func readAddress(n ledger.Notation, text string) (a ledger.Address, wrong, ok bool) {
	a, err := n.ParseAddress(text)
	if err == nil {
		return a, false, true
	}
	if len(text) == 42 && (strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X")) {
		lower := strings.ToLower(text)
		a, err = n.ParseAddress(lower)
		return a, err == nil && text[2:] != strings.ToUpper(text[2:]), err == nil
	}
	return a, false, false
}

// address offers an address of a chain that is held.
func (s *search) address(ctx context.Context, chain ledger.Chain, n ledger.Notation, a ledger.Address, wrong bool) error { //nolint:revive // whether its capitals are
	written := n.FormatAddress(a)
	who, err := s.said(ctx, label.SubjectOf(chain, written))
	if err != nil {
		return err
	}
	touches, err := s.store.History(ctx, chain, []store.Since{{Address: a, Limit: 1}})
	if errors.Is(err, store.ErrUnknownChain) {
		return nil // all of its blocks were taken back
	}
	if err != nil {
		return err
	}
	held, detail := len(touches[0]) > 0, ""
	if !held {
		detail = "the ledger holds nothing of it"
	}
	if wrong {
		detail = joinDetail("its capitals are wrong, a digit may be too", detail)
	}
	s.add(fitsExactly, server.FoundItem{Type: server.FoundAddress, Chain: string(chain), ID: written, Title: written, Detail: joinDetail(who, detail), Held: held})
	return nil
}

// said is who a subject is said to be, by the surest claim; empty where nobody says.
func (s *search) said(ctx context.Context, subject label.Subject) (string, error) {
	view := attribution.NewView(s.store, label.When{}, 0)
	claims, err := view.Of(ctx, subject)
	if err != nil || len(claims) == 0 {
		return "", err
	}
	who, err := view.Entity(ctx, &claims[0])
	return fmt.Sprintf("%s, by %s", who, claims[0].By), err
}

// transactions offers a text as a transaction, or as one of its outputs, of every chain
// that holds it; where none does, of every chain of whose form it is.
func (s *search) transactions(ctx context.Context) error {
	id, output, ok := readTransaction(s.text)
	if !ok {
		return nil
	}
	account := strings.HasPrefix(strings.ToLower(s.text), "0x") // as those chains write it
	var absent []server.FoundItem
	for i := range s.statuses {
		chain := s.statuses[i].Chain
		if output != nil && chain.Family() != ledger.UTXO {
			continue
		}
		item, err := s.transaction(ctx, chain, id)
		if err == nil && output != nil {
			err = s.outpoint(ctx, chain, id, *output, &item)
		}
		if err != nil {
			return err
		}
		if item.Held {
			s.add(fitsExactly, item)
		} else if output != nil || account == (chain.Family() == ledger.Account) {
			absent = append(absent, item)
		}
	}
	if len(s.found) > 0 || s.hasBlock(ctx, id) {
		return nil
	}
	for _, item := range absent {
		s.add(fitsExactly, item)
	}
	return nil
}

// readTransaction reads TXID or TXID:N.
func readTransaction(text string) (id ledger.Hash, output *uint32, ok bool) {
	text, index, isOutpoint := strings.Cut(text, ":")
	id, err := ledger.ParseHash(strings.ToLower(text))
	if err != nil || !isOutpoint {
		return id, nil, err == nil
	}
	n, err := strconv.ParseUint(index, 10, 32)
	at := uint32(n)
	return id, &at, err == nil
}

func (s *search) transaction(ctx context.Context, chain ledger.Chain, id ledger.Hash) (server.FoundItem, error) {
	text := chain.FormatHash(id)
	item := server.FoundItem{Type: server.FoundTransaction, Chain: string(chain), ID: text, Title: text, Detail: "the ledger does not hold it"}
	numbers, err := s.store.Find(ctx, chain, []ledger.Hash{id})
	if errors.Is(err, store.ErrUnknownChain) {
		return item, nil
	}
	if err != nil || numbers[0] == store.NoTx {
		return item, err
	}
	item.Held, item.Detail = true, "transaction of "+chain.Short()
	return item, nil
}

// outpoint makes a transaction one of its outputs, which may not be there.
func (s *search) outpoint(ctx context.Context, chain ledger.Chain, id ledger.Hash, index uint32, item *server.FoundItem) error {
	item.Type, item.ID = server.FoundOutpoint, fmt.Sprintf("%s:%d", chain.FormatHash(id), index)
	item.Title = item.ID
	if !item.Held {
		return nil
	}
	numbers, err := s.store.Numbers(ctx, chain, []ledger.Outpoint{{Tx: id, Index: index}})
	if err != nil {
		return err
	}
	if numbers[0] == store.NoOutput {
		item.Held, item.Detail = false, "the transaction has no such output"
		return nil
	}
	outputs, err := s.store.Outputs(ctx, chain, numbers)
	if err != nil {
		return err
	}
	item.Detail = fmt.Sprintf("output of %d satoshi, unspent", outputs[0].Value)
	if outputs[0].Spender != store.NoTx {
		item.Detail = fmt.Sprintf("output of %d satoshi, spent", outputs[0].Value)
	}
	return nil
}

// blocks offers a text as the height or the hash of a block.
func (s *search) blocks(ctx context.Context) error {
	if id, err := ledger.ParseHash(strings.ToLower(s.text)); err == nil {
		for i := range s.statuses {
			if h, ok := s.block(ctx, &s.statuses[i], 0, id); ok {
				s.addBlock(s.statuses[i].Chain, &h)
			}
		}
		return ctx.Err()
	}
	only, number := "", s.text
	if at := strings.LastIndexAny(s.text, " \t"); at >= 0 {
		only, number = strings.TrimSpace(s.text[:at]), s.text[at+1:]
	}
	number = strings.ReplaceAll(strings.TrimPrefix(number, "#"), ",", "")
	height, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return nil //nolint:nilerr // it is none
	}
	chain, err := parseChain(only)
	if only != "" && err != nil {
		return nil //nolint:nilerr // some other words with a number
	}
	for i := range s.statuses {
		st := &s.statuses[i]
		if only != "" && st.Chain != chain || ledger.Height(height) < st.First || ledger.Height(height) > st.Height {
			continue
		}
		if h, ok := s.block(ctx, st, ledger.Height(height), ledger.Hash{}); ok {
			s.addBlock(st.Chain, &h)
		}
	}
	return ctx.Err()
}

// block finds a block by its height or, where a hash is given, by that, and says false
// where there is none.
func (s *search) block(ctx context.Context, st *store.Status, from ledger.Height, hash ledger.Hash) (store.Header, bool) {
	for h, err := range s.store.Headers(ctx, st.Chain, from) {
		if err != nil || ctx.Err() != nil {
			return h, false // the chain has gone meanwhile, or the caller
		}
		if hash.IsZero() {
			return h, h.Height == from
		}
		if h.Hash == hash {
			return h, true
		}
	}
	return store.Header{}, false
}

// hasBlock says whether a hash is that of a block.
func (s *search) hasBlock(ctx context.Context, hash ledger.Hash) bool {
	for i := range s.statuses {
		if _, ok := s.block(ctx, &s.statuses[i], 0, hash); ok {
			return true
		}
	}
	return false
}

func (s *search) addBlock(chain ledger.Chain, h *store.Header) {
	detail := fmt.Sprintf("%s, %d transactions", time.Unix(h.Time, 0).UTC().Format(time.RFC3339), h.Txs)
	if !h.Hash.IsZero() {
		detail = joinDetail(chain.FormatHash(h.Hash), detail)
	}
	s.add(fitsExactly, server.FoundItem{
		Type: server.FoundBlock, Chain: string(chain), ID: strconv.FormatUint(uint64(h.Height), 10), Title: fmt.Sprintf("block %d of %s", h.Height, chain.Short()), Detail: detail, Held: true,
	})
}
