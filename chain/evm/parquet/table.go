package parquet

// table is one of the tables that a folder may hold.
type table int

// The tables. The last two are only in exports of this program.
const (
	blocks table = iota
	transactions
	logs
	tokenTransfers
	traces
	freezes
	openings
	tableCount
)

var tableNames = [tableCount]string{"blocks", "transactions", "logs", "token_transfers", "traces", "freezes", "openings"}

// String is the table's name, which is also the name of its folder.
func (t table) String() string { return tableNames[t] }

// form is how the values of a column are read.
type form int

// The forms.
const (
	asNumber  form = iota // a whole number up to 64 bits
	asAmount              // a whole number up to 256 bits
	asHash                // 32 bytes, or 0x and 64 digits
	asAddress             // 20 bytes, or 0x and 40 digits
	asFlag                // a truth value, or 0 and 1
	asTime                // a timestamp, or Unix seconds
	asText                // text, or bytes
	asHashes              // a list of asHash
)

// column is what a table may tell. Layouts name the same thing differently, and an
// amount may stand in several columns of which only some are exact: the first name
// that is there and can be read is taken.
type column struct {
	form  form
	need  bool // without it the table cannot be read
	names []string
}

// The columns of the table blocks.
const (
	blockNumber = iota // the block's number is the first column of every table
	blockHash
	blockParent
	blockTime
	blockProducer
	blockBaseFee
	blockCount
	blockWithdrawals
	blockBlobGas
	blockChain
	ownIssuanceID
	ownIssuanceIndex
)

// The columns of the table transactions.
const (
	txHash = iota + 1
	txIndex
	txFrom
	txTo
	txValue
	txGas
	txPrice
	txLegacyPrice
	txStatus
	txCreated
	txBlobGas
	txBlobPrice
	ownFeePayer
	ownFeeBurned
	ownFeeTip
	ownFeeProducer
	ownApproximate
	ownExternal
)

// The columns of the table logs.
const (
	logIndex = iota + 1
	logTxHash
	logTxIndex
	logAddress
	logData
	logTopics
	logTopic0
	logTopic1
	logTopic2
	logTopic3
	ownLogOrder
)

// The columns of the table token_transfers.
const (
	tokenContract = iota + 1
	tokenFrom
	tokenTo
	tokenValue
	tokenTxHash
	tokenLogIndex
	ownTokenTxIndex
	ownTokenAsset
	ownTokenOrder
	ownTokenKind
)

// The columns of the table traces.
const (
	traceTxHash = iota + 1
	traceTxIndex
	traceFrom
	traceTo
	traceValue
	traceType
	traceCall
	traceStatus
	traceError
	tracePath
	traceCreated
	ownTraceOrder
	ownTraceKind
	ownTraceLog
)

// The columns of the tables freezes and openings.
const (
	freezeTxIndex = iota + 1
	freezeHolder
	freezeAsset
	freezeLifted
	freezeAfter
	freezeOrder
)

const (
	openingAddress = iota + 1
	openingAsset
	openingAmount
	openingBefore
	openingOrder
)

var number = column{asNumber, true, []string{"block_number", "number"}}

// amountNames are the columns of an amount, the exact ones first. The last two are
// floating point by design; where only they are there, the refusal says so.
var amountNames = []string{"value_binary", "value_string", "value_str", "value", "value_f64", "value_float"}

// columns lists what is read of every table.
var columns = [tableCount][]column{
	blocks: {
		blockNumber:      {asNumber, true, []string{"number", "block_number"}},
		blockHash:        {asHash, true, []string{"hash", "block_hash"}},
		blockParent:      {asHash, false, []string{"parent_hash"}},
		blockTime:        {asTime, true, []string{"timestamp"}},
		blockProducer:    {asAddress, true, []string{"miner", "author"}},
		blockBaseFee:     {asAmount, true, []string{"base_fee_per_gas"}},
		blockCount:       {asNumber, false, []string{"transaction_count"}},
		blockWithdrawals: {asText, false, []string{"withdrawals"}},
		blockBlobGas:     {asNumber, false, []string{"blob_gas_used", "excess_blob_gas"}},
		blockChain:       {asNumber, false, []string{"chain_id"}},
		ownIssuanceID:    {asHash, false, []string{"coldtrail_issuance_id"}},
		ownIssuanceIndex: {asNumber, false, []string{"coldtrail_issuance_index"}},
	},
	transactions: {
		blockNumber:    number,
		txHash:         {asHash, true, []string{"hash", "transaction_hash"}},
		txIndex:        {asNumber, true, []string{"transaction_index"}},
		txFrom:         {asAddress, true, []string{"from_address"}},
		txTo:           {asAddress, true, []string{"to_address"}},
		txValue:        {asAmount, true, amountNames},
		txGas:          {asNumber, true, []string{"receipt_gas_used", "gas_used"}},
		txPrice:        {asAmount, true, []string{"receipt_effective_gas_price", "effective_gas_price", "gas_price"}},
		txLegacyPrice:  {asAmount, false, []string{"gas_price"}},
		txStatus:       {asFlag, true, []string{"receipt_status", "success"}},
		txCreated:      {asAddress, false, []string{"receipt_contract_address"}},
		txBlobGas:      {asNumber, false, []string{"receipt_blob_gas_used", "blob_gas_used"}},
		txBlobPrice:    {asAmount, false, []string{"receipt_blob_gas_price", "blob_gas_price"}},
		ownFeePayer:    {asAddress, false, []string{"fee_payer"}},
		ownFeeBurned:   {asAmount, false, []string{"fee_burned"}},
		ownFeeTip:      {asAmount, false, []string{"fee_tip"}},
		ownFeeProducer: {asAddress, false, []string{"fee_producer"}},
		ownApproximate: {asFlag, false, []string{"approximate"}},
		ownExternal:    {asFlag, false, []string{"external"}},
	},
	logs: {
		blockNumber: number,
		logIndex:    {asNumber, true, []string{"log_index"}},
		logTxHash:   {asHash, true, []string{"transaction_hash"}},
		logTxIndex:  {asNumber, false, []string{"transaction_index"}},
		logAddress:  {asAddress, true, []string{"address", "contract_address"}},
		logData:     {asText, true, []string{"data"}},
		logTopics:   {asHashes, false, []string{"topics"}},
		logTopic0:   {asHash, false, []string{"topic0"}},
		logTopic1:   {asHash, false, []string{"topic1"}},
		logTopic2:   {asHash, false, []string{"topic2"}},
		logTopic3:   {asHash, false, []string{"topic3"}},
		ownLogOrder: {asNumber, false, []string{"message_order"}},
	},
	tokenTransfers: {
		blockNumber:     number,
		tokenContract:   {asAddress, true, []string{"token_address"}},
		tokenFrom:       {asAddress, true, []string{"from_address"}},
		tokenTo:         {asAddress, true, []string{"to_address"}},
		tokenValue:      {asAmount, true, amountNames},
		tokenTxHash:     {asHash, true, []string{"transaction_hash"}},
		tokenLogIndex:   {asNumber, true, []string{"log_index"}},
		ownTokenTxIndex: {asNumber, false, []string{"transaction_index"}},
		ownTokenAsset:   {asText, false, []string{"asset"}},
		ownTokenOrder:   {asNumber, false, []string{"transfer_order"}},
		ownTokenKind:    {asNumber, false, []string{"transfer_kind"}},
	},
	traces: {
		blockNumber:   number,
		traceTxHash:   {asHash, true, []string{"transaction_hash"}},
		traceTxIndex:  {asNumber, false, []string{"transaction_index", "transaction_position"}},
		traceFrom:     {asAddress, true, []string{"from_address", "action_from"}},
		traceTo:       {asAddress, true, []string{"to_address", "action_to"}},
		traceValue:    {asAmount, true, append([]string{"action_value"}, amountNames...)},
		traceType:     {asText, true, []string{"trace_type", "action_type"}},
		traceCall:     {asText, true, []string{"call_type", "action_call_type"}},
		traceStatus:   {asFlag, false, []string{"status"}},
		traceError:    {asText, false, []string{"error"}},
		tracePath:     {asText, true, []string{"trace_address"}},
		traceCreated:  {asAddress, false, []string{"result_address"}},
		ownTraceOrder: {asNumber, false, []string{"transfer_order"}},
		ownTraceKind:  {asNumber, false, []string{"transfer_kind"}},
		ownTraceLog:   {asNumber, false, []string{"log_index"}},
	},
	freezes: {
		blockNumber:   number,
		freezeTxIndex: {asNumber, true, []string{"transaction_index"}},
		freezeHolder:  {asAddress, true, []string{"holder"}},
		freezeAsset:   {asText, true, []string{"asset"}},
		freezeLifted:  {asFlag, true, []string{"lifted"}},
		freezeAfter:   {asNumber, true, []string{"after_transfers"}},
		freezeOrder:   {asNumber, true, []string{"freeze_order"}},
	},
	openings: {
		blockNumber:    number,
		openingAddress: {asAddress, true, []string{"address"}},
		openingAsset:   {asText, true, []string{"asset"}},
		openingAmount:  {asAmount, true, []string{"amount"}},
		openingBefore:  {asNumber, true, []string{"before_block"}},
		openingOrder:   {asNumber, true, []string{"opening_order"}},
	},
}
