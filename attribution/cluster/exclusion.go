package cluster

// Exclusion is why a rule draws no conclusion from a transaction; the zero value says
// that it may.
type Exclusion string

// The exclusions.
const (
	Included Exclusion = ""
	// Mixing is the caller's: several owners mix coins here.
	Mixing Exclusion = "coinjoin"
	// AnyoneCanPay is the caller's: an input's signature lets others add inputs.
	AnyoneCanPay Exclusion = "anyone-can-pay"
	// FalseMerge is the caller's: the transaction is on the list of known false merges.
	FalseMerge Exclusion = "false-merge"
	// PayJoin is a transaction in which the payee may have added an input.
	PayJoin Exclusion = "payjoin-suspect"
	// NewCoins is a coinbase transaction, which spends nothing.
	NewCoins Exclusion = "coinbase"
	// OneAddress is a transaction with fewer than two known input addresses.
	OneAddress Exclusion = "one-address"
	// UnknownInput is a transaction of which an input's value or owner is not known.
	UnknownInput Exclusion = "unknown-input"
	// OneOutput is a transaction with fewer than two outputs that could be change.
	OneOutput Exclusion = "one-output"
	// NoFacts is a transaction of whose output addresses the caller said nothing.
	NoFacts Exclusion = "no-facts"
	// Undecided is a transaction in which not exactly one output remains.
	Undecided Exclusion = "undecided"
	// NotOfTransaction is a rule that does not judge single transactions.
	NotOfTransaction Exclusion = "not-of-transaction"
)

// reasons are the exclusions in words.
var reasons = map[Exclusion]string{
	Included:         "nothing speaks against it",
	Mixing:           "several owners mix coins in this transaction",
	AnyoneCanPay:     "a signature in this transaction lets others add inputs",
	FalseMerge:       "this transaction is listed as merging different owners",
	PayJoin:          "the payee may have added an input: the inputs differ in type, and one of two outputs is larger than every input and not round",
	NewCoins:         "a coinbase transaction spends nothing",
	OneAddress:       "fewer than two input addresses are known",
	UnknownInput:     "the value or owner of an input is not in the ledger",
	OneOutput:        "fewer than two outputs could be change",
	NoFacts:          "what the ledger holds of the output addresses was not given",
	Undecided:        "not exactly one output remains",
	NotOfTransaction: "this rule does not judge single transactions",
}

// Reason is the exclusion in words. One that a caller made up stands for itself.
func (e Exclusion) Reason() string {
	if text, ok := reasons[e]; ok {
		return text
	}
	return string(e)
}
