package archive

// table names one table of an archive.
type table int

// The tables, in the order in which a part's files are listed.
const (
	blocks table = iota
	transactions
	inputs
	outputs
	transfers
	freezes
	messages
	openings
	claims
	tableCount
)

// tableNames are the names of the tables' folders.
var tableNames = [tableCount]string{
	blocks: "blocks", transactions: "transactions", inputs: "inputs", outputs: "outputs", transfers: "transfers",
	freezes: "freezes", messages: "messages", openings: "openings", claims: "claims",
}

// String is the name of the table's folder.
func (t table) String() string { return tableNames[t] }

// In every table of blocks a row begins with where it stands: the chain, the height,
// the position of its transaction among those of the block, and its own position among
// those of the transaction. All count from 0. Amounts of 256 bits stand there twice:
// as 32 bytes, big-endian, and as decimal digits. An address is a text and its kind
// (see notation).

// blockRow is a row of blocks.
type blockRow struct {
	Chain        string   `parquet:"chain,dict"`
	Height       uint64   `parquet:"height,delta"`
	Hash         [32]byte `parquet:"hash,optional"`
	Parent       [32]byte `parquet:"parent,optional"`
	Time         int64    `parquet:"time,delta"` // Unix seconds
	Provenance   string   `parquet:"provenance,dict"`
	Transactions uint32   `parquet:"transactions"`
	Openings     uint32   `parquet:"openings"`
}

// transactionRow is a row of transactions.
type transactionRow struct {
	Chain        string   `parquet:"chain,dict"`
	Height       uint64   `parquet:"height,delta"`
	Position     uint32   `parquet:"position,delta"`
	Index        uint32   `parquet:"transaction_index,delta"` // in the chain's own block
	ID           [32]byte `parquet:"transaction_id"`
	Coinbase     bool     `parquet:"coinbase"`
	Open         bool     `parquet:"open"`
	Failed       bool     `parquet:"failed"`
	Approximate  bool     `parquet:"approximate"`
	External     bool     `parquet:"external"`
	Payer        string   `parquet:"fee_payer,optional"`
	PayerKind    string   `parquet:"fee_payer_kind,optional,dict"`
	Burned       [32]byte `parquet:"fee_burned,dict"`
	BurnedText   string   `parquet:"fee_burned_text,dict"`
	Tip          [32]byte `parquet:"fee_tip,dict"`
	TipText      string   `parquet:"fee_tip_text,dict"`
	Producer     string   `parquet:"fee_producer,optional,dict"`
	ProducerKind string   `parquet:"fee_producer_kind,optional,dict"`
	Inputs       uint32   `parquet:"inputs"`
	Outputs      uint32   `parquet:"outputs"`
	Transfers    uint32   `parquet:"transfers"`
	Freezes      uint32   `parquet:"freezes"`
	Messages     uint32   `parquet:"messages"`
}

// inputRow is a row of inputs.
type inputRow struct {
	Chain      string   `parquet:"chain,dict"`
	Height     uint64   `parquet:"height,delta"`
	Position   uint32   `parquet:"position,delta"`
	Index      uint32   `parquet:"input_index,delta"`
	Spent      [32]byte `parquet:"spent_transaction_id"`
	SpentIndex uint32   `parquet:"spent_output_index,delta"`
}

// outputRow is a row of outputs.
type outputRow struct {
	Chain       string `parquet:"chain,dict"`
	Height      uint64 `parquet:"height,delta"`
	Position    uint32 `parquet:"position,delta"`
	Index       uint32 `parquet:"output_index,delta"`
	Value       uint64 `parquet:"value"` // satoshi
	Address     string `parquet:"address,optional"`
	AddressKind string `parquet:"address_kind,optional,dict"`
	Unspendable bool   `parquet:"unspendable"` // by itself
}

// transferRow is a row of transfers.
type transferRow struct {
	Chain      string   `parquet:"chain,dict"`
	Height     uint64   `parquet:"height,delta"`
	Position   uint32   `parquet:"position,delta"`
	Index      uint32   `parquet:"transfer_index,delta"`
	From       string   `parquet:"from_address,optional"`
	FromKind   string   `parquet:"from_kind,optional,dict"`
	To         string   `parquet:"to_address,optional"`
	ToKind     string   `parquet:"to_kind,optional,dict"`
	Asset      string   `parquet:"asset,dict"`
	Amount     [32]byte `parquet:"amount"`
	AmountText string   `parquet:"amount_text"`
	LogIndex   *int32   `parquet:"log_index,optional"`
	Kind       string   `parquet:"kind,dict"`
}

// freezeRow is a row of freezes.
type freezeRow struct {
	Chain      string `parquet:"chain,dict"`
	Height     uint64 `parquet:"height,delta"`
	Position   uint32 `parquet:"position,delta"`
	Index      uint32 `parquet:"freeze_index,delta"`
	Holder     string `parquet:"holder,optional"`
	HolderKind string `parquet:"holder_kind,optional,dict"`
	Asset      string `parquet:"asset,dict"`
	Lifted     bool   `parquet:"lifted"`
	After      uint32 `parquet:"after_transfers"`
}

// messageRow is a row of messages.
type messageRow struct {
	Chain        string `parquet:"chain,dict"`
	Height       uint64 `parquet:"height,delta"`
	Position     uint32 `parquet:"position,delta"`
	Index        uint32 `parquet:"message_index,delta"`
	Kind         string `parquet:"kind,dict"`
	Contract     string `parquet:"contract,optional"`
	ContractKind string `parquet:"contract_kind,optional,dict"`
	Place        uint32 `parquet:"message_position,delta"` // ledger.Message.Position
	Data         []byte `parquet:"data"`
}

// openingRow is a row of openings.
type openingRow struct {
	Chain       string   `parquet:"chain,dict"`
	Height      uint64   `parquet:"height,delta"` // of the block that states it
	Index       uint32   `parquet:"opening_index,delta"`
	Address     string   `parquet:"address,optional"`
	AddressKind string   `parquet:"address_kind,optional,dict"`
	Asset       string   `parquet:"asset,dict"`
	Amount      [32]byte `parquet:"amount"`
	AmountText  string   `parquet:"amount_text"`
	Before      uint64   `parquet:"before_height,delta"`
}

// claimRow is a row of claims: what somebody says about an address or an actor.
type claimRow struct {
	ID            [16]byte `parquet:"claim_id"`
	Network       string   `parquet:"network,dict"`
	Subject       string   `parquet:"subject"`
	Label         string   `parquet:"label"`
	Actor         string   `parquet:"actor,dict"`
	Category      string   `parquet:"category,dict"`
	Abuse         string   `parquet:"abuse,dict"`
	Confidence    string   `parquet:"confidence,dict"`
	Score         uint8    `parquet:"score"`
	By            string   `parquet:"by_whom,dict"`
	Source        string   `parquet:"source"`
	Why           string   `parquet:"why"`
	From          int64    `parquet:"holds_from"`
	Until         int64    `parquet:"holds_until"`
	Stated        int64    `parquet:"stated_at"`
	Aliases       []string `parquet:"aliases,list"`
	Parent        string   `parquet:"parent,dict"`
	Jurisdictions []string `parquet:"jurisdictions,list"`
	Withdraws     string   `parquet:"withdraws"`
	Cluster       bool     `parquet:"cluster"`
	Unchecked     bool     `parquet:"unchecked"`
	Learned       int64    `parquet:"learned_at"`
	File          string   `parquet:"file"`
	Line          int64    `parquet:"line"`
}
