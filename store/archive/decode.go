package archive

import (
	"errors"
	"fmt"
	"slices"

	"coldtrail/attribution/label"
	"coldtrail/ledger"
)

// errPlace says that a row is not the one that is due.
var errPlace = errors.New("it is not the row that must stand here; one is missing, or they are out of order")

// place is where a row stands: of a transaction the position is its index, of an opening
// it is 0.
type place struct {
	chain           string
	height          uint64
	position, index uint32
}

func (r *transactionRow) place() place { return place{r.Chain, r.Height, r.Position, r.Position} }
func (r *inputRow) place() place       { return place{r.Chain, r.Height, r.Position, r.Index} }
func (r *outputRow) place() place      { return place{r.Chain, r.Height, r.Position, r.Index} }
func (r *transferRow) place() place    { return place{r.Chain, r.Height, r.Position, r.Index} }
func (r *freezeRow) place() place      { return place{r.Chain, r.Height, r.Position, r.Index} }
func (r *messageRow) place() place     { return place{r.Chain, r.Height, r.Position, r.Index} }
func (r *openingRow) place() place     { return place{r.Chain, r.Height, 0, r.Index} }

// word finds a word of a column.
func word[T ~uint8](words []string, text string) (T, error) {
	if at := slices.Index(words, text); at >= 0 {
		return T(at), nil
	}
	return 0, fmt.Errorf("%q is not one of %q", clip(text), words)
}

// amount reads an amount, which stands there twice.
func amount(bytes *[32]byte, digits string) (a ledger.Amount, err error) {
	a.SetBytes32(bytes[:])
	if a.Dec() != digits {
		err = fmt.Errorf("the amount is %s in bytes and %q in digits", a.Dec(), clip(digits))
	}
	return a, err
}

func (r *blockRow) header() (b ledger.Block, err error) {
	b = ledger.Block{Chain: ledger.Chain(r.Chain), Height: ledger.Height(r.Height), Hash: r.Hash, Parent: r.Parent, Time: r.Time}
	b.Provenance, err = word[ledger.Provenance](provenances[:], r.Provenance)
	return b, err
}

func (r *transactionRow) tx(n *notation) (tx ledger.Tx, err error) {
	tx = ledger.Tx{
		ID: r.ID, Index: r.Index, Coinbase: r.Coinbase, Open: r.Open, Failed: r.Failed, Approximate: r.Approximate, External: r.External,
	}
	var errs [4]error
	tx.Fee.Payer, errs[0] = n.parse(spelled{r.Payer, r.PayerKind})
	tx.Fee.Producer, errs[1] = n.parse(spelled{r.Producer, r.ProducerKind})
	tx.Fee.Burned, errs[2] = amount(&r.Burned, r.BurnedText)
	tx.Fee.Tip, errs[3] = amount(&r.Tip, r.TipText)
	return tx, errors.Join(errs[:]...)
}

func (r *inputRow) outpoint(*notation) (ledger.Outpoint, error) {
	return ledger.Outpoint{Tx: r.Spent, Index: r.SpentIndex}, nil
}

func (r *outputRow) output(n *notation) (ledger.Output, error) {
	address, err := n.parse(spelled{r.Address, r.AddressKind})
	return ledger.Output{Value: r.Value, Address: address, Unspendable: r.Unspendable}, err
}

func (r *transferRow) transfer(n *notation) (t ledger.Transfer, err error) {
	var errs [5]error
	t.From, errs[0] = n.parse(spelled{r.From, r.FromKind})
	t.To, errs[1] = n.parse(spelled{r.To, r.ToKind})
	t.Asset = ledger.Asset(r.Asset)
	errs[2] = checkAsset(t.Asset)
	t.Amount, errs[3] = amount(&r.Amount, r.AmountText)
	t.Kind, errs[4] = word[ledger.TransferKind](transferKinds[:], r.Kind)
	t.LogIndex = ledger.NoLog
	if r.LogIndex != nil {
		if t.LogIndex = *r.LogIndex; t.LogIndex < 0 {
			return t, fmt.Errorf("the log index %d is negative", t.LogIndex)
		}
	}
	return t, errors.Join(errs[:]...)
}

func (r *freezeRow) freeze(n *notation) (f ledger.Freeze, err error) {
	f.Lifted, f.After = r.Lifted, r.After
	if f.Holder, err = n.parse(spelled{r.Holder, r.HolderKind}); err != nil {
		return f, err
	}
	f.Asset = ledger.Asset(r.Asset)
	return f, checkAsset(f.Asset)
}

func (r *messageRow) message(n *notation) (m ledger.Message, err error) {
	m.Position, m.Data = r.Place, r.Data
	if m.Contract, err = n.parse(spelled{r.Contract, r.ContractKind}); err != nil {
		return m, err
	}
	m.Kind, err = word[ledger.MessageKind](messageKinds[:], r.Kind)
	switch {
	case err == nil && m.Kind == 0:
		err = errors.New("the message has no kind")
	case len(m.Data) > maxData:
		err = fmt.Errorf("the message has %d bytes, at most %d are taken", len(m.Data), maxData)
	}
	return m, err
}

func (r *openingRow) opening(n *notation) (o ledger.Opening, err error) {
	var errs [3]error
	o.Before = ledger.Height(r.Before)
	o.Address, errs[0] = n.parse(spelled{r.Address, r.AddressKind})
	o.Asset = ledger.Asset(r.Asset)
	errs[1] = checkAsset(o.Asset)
	o.Amount, errs[2] = amount(&r.Amount, r.AmountText)
	return o, errors.Join(errs[:]...)
}

func claimRowOf(c *label.Claim) claimRow {
	return claimRow{
		ID: c.ID(), Network: string(c.Subject.Network), Subject: c.Subject.Address, Label: c.Label, Actor: c.Actor, Category: c.Concept, Abuse: c.Abuse,
		Confidence: c.Confidence, Score: c.Score, By: c.By, Source: c.Source, Why: c.Why, From: c.From, Until: c.Until, Stated: c.Stated,
		Aliases: c.Aliases, Parent: c.Parent, Jurisdictions: c.Jurisdictions, Withdraws: c.Withdraws, Cluster: c.Cluster, Unchecked: c.Unchecked,
		Learned: c.Learned, File: c.File, Line: int64(c.Line),
	}
}

func (r *claimRow) claim() (label.Claim, error) {
	c := label.Claim{
		Subject: label.Subject{Network: label.Network(r.Network), Address: r.Subject}, Label: r.Label, Actor: r.Actor, Concept: r.Category, Abuse: r.Abuse,
		Confidence: r.Confidence, Score: r.Score, By: r.By, Source: r.Source, Why: r.Why, From: r.From, Until: r.Until, Stated: r.Stated,
		Aliases: r.Aliases, Parent: r.Parent, Jurisdictions: r.Jurisdictions, Withdraws: r.Withdraws, Cluster: r.Cluster, Unchecked: r.Unchecked,
		Learned: r.Learned, File: r.File, Line: int(r.Line),
	}
	if len(c.Aliases) == 0 {
		c.Aliases = nil
	}
	if len(c.Jurisdictions) == 0 {
		c.Jurisdictions = nil
	}
	if err := c.Check(); err != nil {
		return c, err
	}
	if len(c.Subject.Network) > maxWord || len(c.Subject.Address) > maxWord || len(c.Confidence) > maxWord || len(c.Withdraws) > maxWord || len(c.File) > maxWord {
		return c, fmt.Errorf("a text is longer than %d bytes", maxWord)
	}
	if id := c.ID(); id != r.ID {
		return c, fmt.Errorf("the claim is %s, not %x as its column says", id, r.ID)
	}
	return c, nil
}

// maxWord bounds the texts of a claim that label.Claim.Check does not bound.
const maxWord = 4 << 10
