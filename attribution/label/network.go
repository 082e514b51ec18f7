package label

import (
	"errors"
	"fmt"
	"strings"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Network names where an address is: a chain's CAIP-2 identifier where a ledger can
// hold it, a word of our own where not, and ticker:X for currencies whose addresses
// nobody here can check.
type Network string

// Networks that are not chains of a ledger.
const (
	Tron     Network = "tron"
	Solana   Network = "solana"
	Ripple   Network = "ripple"
	Monero   Network = "monero"
	Zcash    Network = "zcash"
	Dash     Network = "dash"
	BSV      Network = "bsv"
	Gold     Network = "bitcoin-gold"
	Verge    Network = "verge"
	EOS      Network = "eos"
	Litecoin Network = "bip122:12a765e31ffd4059bada1e25190f6e98"
	Dogecoin Network = "bip122:1a91e3dace36e2be3bf030a65679fe82"
	Cash     Network = "bip122:000000000000000000651ef99cb9fcbe"
	// ActorNetwork is of subjects that are actors, not addresses.
	ActorNetwork Network = "actor"
	// IncidentNetwork is of subjects that are thefts, by the names of their cases.
	IncidentNetwork Network = "incident"
)

const unchecked = "ticker:"

// network is how the addresses of a network are read.
type network struct {
	id      Network
	tickers []string
	read    func(text string) (canonical string, err error)
}

func evmNetwork(id string, tickers ...string) network {
	return network{Network(id), tickers, readEVM}
}

// networks lists every network whose addresses can be checked. The forms are those of
// the networks' own sources; versions of Base58Check from their chain parameters.
var networks = []network{
	{Network(ledger.Bitcoin), []string{"BTC", "XBT", "OMNI", "bitcoin"}, readBitcoin(bitcoin.Mainnet)},
	evmNetwork("eip155:1", "ETH", "ERC20", "ethereum"),
	evmNetwork("eip155:56", "BEP20", "BNB", "BSC"),
	evmNetwork("eip155:137", "MATIC", "POL", "polygon"),
	{"eip155:43114", []string{"AVAX", "avalanche"}, readForms(readAvalanche, readEVM)},
	evmNetwork("eip155:42161", "ARB", "arbitrum"),
	evmNetwork("eip155:10", "OP", "optimism"),
	evmNetwork("eip155:8453", "BASE", "base"),
	evmNetwork("eip155:250", "FTM", "fantom"),
	evmNetwork("eip155:61", "ETC"),
	{Tron, []string{"TRX", "TRC20", "tron"}, readTron},
	{Litecoin, []string{"LTC", "litecoin"}, readForms(base58Form(0x30), base58Form(0x32), base58Form(0x05), bech32Form("ltc"))},
	{Dogecoin, []string{"DOGE", "dogecoin"}, readForms(base58Form(0x1e), base58Form(0x16))},
	{Cash, []string{"XEC", "BCH"}, readForms(readCash, base58Form(0x00), base58Form(0x05))},
	{BSV, []string{"BSV"}, readForms(base58Form(0x00), base58Form(0x05))},
	{Dash, []string{"DASH"}, readForms(base58Form(0x4c), base58Form(0x10))},
	{Gold, []string{"BTG"}, readForms(base58Form(0x26), base58Form(0x17), bech32Form("btg"))},
	{Verge, []string{"XVG"}, readForms(base58Form(0x1e), base58Form(0x21))},
	{Zcash, []string{"ZEC", "zcash"}, readZcash},
	{Solana, []string{"SOL", "solana"}, readSolana},
	{Ripple, []string{"XRP", "Ripple"}, readRipple},
	{Monero, []string{"XMR", "monero"}, readMonero},
	{EOS, []string{"EOS"}, readEOS},
	{Network(bitcoin.Testnet3.Chain), []string{"bitcoin-testnet3", "testnet3"}, readBitcoin(bitcoin.Testnet3)},
	{Network(bitcoin.Signet.Chain), []string{"bitcoin-signet", "signet"}, readBitcoin(bitcoin.Signet)},
	{Network(bitcoin.Regtest.Chain), []string{"bitcoin-regtest", "regtest"}, readBitcoin(bitcoin.Regtest)},
	{Network(bitcoin.Simnet.Chain), []string{"bitcoin-simnet", "simnet"}, readBitcoin(bitcoin.Simnet)},
}

// tokens are tickers that are issued on several networks: the form of the address
// decides, where it can be of one only.
var tokens = map[string][]Network{
	"USDT": {"eip155:1", Tron, Network(ledger.Bitcoin)}, "USDC": {"eip155:1", Tron, Solana}, "USDD": {"eip155:1", Tron},
}

// ErrNetwork says that a currency or network is not one of the table.
var ErrNetwork = errors.New("network is not known")

// NetworksOf lists the networks that a ticker, short name or identifier may mean.
func NetworksOf(name string) []Network {
	for i := range networks {
		n := &networks[i]
		if strings.EqualFold(string(n.id), name) {
			return []Network{n.id}
		}
		for _, ticker := range n.tickers {
			if strings.EqualFold(ticker, name) {
				return []Network{n.id}
			}
		}
	}
	if list := tokens[strings.ToUpper(name)]; list != nil {
		return list
	}
	if strings.HasPrefix(name, "eip155:") {
		if chain, err := ledger.ParseChain(name); err == nil {
			return []Network{Network(chain)}
		}
	}
	return nil
}

// Guess lists the networks whose form a text has: one for most, several where forms
// are shared, as those of EVM chains and of the forks of Bitcoin are.
func Guess(text string) (list []Network) {
	if len(text) > maxAddress {
		return nil // reading Base58 costs the square of its length
	}
	for i := range networks {
		if networks[i].id == EOS {
			continue // any short word would do
		}
		if _, err := networks[i].read(text); err == nil {
			list = append(list, networks[i].id)
		}
	}
	return list
}

// maxAddress bounds an address of any network.
const maxAddress = 256

// A MismatchError says that an address is of the right form and fails only the check
// of its capitals (EIP-55). All its digits are there.
type MismatchError struct{ Canonical string }

// Error says what does not match.
func (e *MismatchError) Error() string {
	return "the capitals of " + e.Canonical + " are not those of EIP-55"
}

// ParseSubject reads an address under what a source calls its network. An address of
// another network is an error that names it. Of currencies that are not in the table
// any printable text passes, marked as unchecked.
//
// The United States' list names one public key of Monero in the place of an address:
// 64 hexadecimal digits under Monero pass as unchecked too.
func ParseSubject(name, address string) (s Subject, checked bool, err error) {
	address = strings.TrimSpace(address)
	if len(address) == 0 || len(address) > maxAddress || !printable(address) || strings.ContainsAny(address, " \t") {
		return s, false, fmt.Errorf("address %q: want 1 to %d printable characters of ASCII without blanks", clip(address), maxAddress)
	}
	candidates := NetworksOf(name)
	if len(candidates) == 0 {
		if name == "" || len(name) > 24 || !printable(name) || strings.ContainsAny(name, " \t:") {
			return s, false, fmt.Errorf("currency %q: %w", clip(name), ErrNetwork)
		}
		return Subject{Network(unchecked + strings.ToUpper(name)), address}, false, nil
	}
	if candidates[0] == Monero && len(address) == 64 && isHex(address) {
		return Subject{Monero, strings.ToLower(address)}, false, nil
	}
	var first error
	_, token := tokens[strings.ToUpper(name)]
	for _, id := range candidates {
		canonical, err := readAs(id, address)
		if err == nil {
			return Subject{id, canonical}, true, nil
		}
		var mismatch *MismatchError
		if errors.As(err, &mismatch) {
			return Subject{id, mismatch.Canonical}, false, err
		}
		if first == nil {
			first = err
		}
	}
	others := Guess(address)
	switch {
	case token && len(others) > 0 && others[0] != Network(ledger.Bitcoin): // issued there, too
		canonical, err := readAs(others[0], address)
		return Subject{others[0], canonical}, err == nil, err
	case token && len(others) == 0 && !strings.HasPrefix(address, "0x") && address[0] != '1' && address[0] != '3' && address[0] != 'T':
		return Subject{Network(unchecked + strings.ToUpper(name)), address}, false, nil
	case len(others) > 0:
		return s, false, fmt.Errorf("address %s is filed under %s but is one of %s", clip(address), name, Join(others))
	}
	return s, false, fmt.Errorf("address %s is none of %s: %w", clip(address), name, first)
}

func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

func readAs(id Network, address string) (string, error) {
	for i := range networks {
		if networks[i].id == id {
			return networks[i].read(address)
		}
	}
	if strings.HasPrefix(string(id), "eip155:") {
		return readEVM(address)
	}
	return "", ErrNetwork
}

// Join writes networks for people.
func Join(list []Network) string {
	words := make([]string, len(list))
	for i, id := range list {
		words[i] = id.Short()
	}
	return strings.Join(words, ", ")
}

// Short is the short name of a network, or its identifier.
func (n Network) Short() string {
	for i := range networks {
		if networks[i].id == n && len(networks[i].tickers) > 1 {
			return strings.ToLower(networks[i].tickers[len(networks[i].tickers)-1])
		}
	}
	return string(n)
}

// SubjectOf is the subject of an address of a ledger, as its notation writes it.
func SubjectOf(chain ledger.Chain, text string) Subject {
	if chain.Family() == ledger.Account {
		text = strings.ToLower(text)
	}
	return Subject{Network(chain), text}
}

// readBitcoin reads an address of a network that speaks Bitcoin's protocol.
func readBitcoin(network *bitcoin.Network) func(string) (string, error) {
	n := bitcoin.Notation{Network: network}
	return func(text string) (string, error) {
		a, err := n.ParseAddress(text)
		if err != nil {
			return "", err
		}
		if a.Kind == ledger.Script {
			return "", errors.New("a script's hash is no address")
		}
		return n.FormatAddress(a), nil
	}
}

func readEVM(text string) (string, error) {
	if len(text) != 42 || text[0] != '0' || text[1] != 'x' && text[1] != 'X' {
		return "", errors.New("want 0x and 40 hexadecimal digits")
	}
	lower := strings.ToLower(text)
	n := evm.Notation{}
	a, err := n.ParseAddress(lower)
	if err != nil {
		return "", err
	}
	if digits := text[2:]; digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && n.FormatAddress(a) != "0x"+digits {
		return "", &MismatchError{lower}
	}
	return lower, nil
}

// readForms accepts any of several forms.
func readForms(forms ...func(string) (string, error)) func(string) (string, error) {
	return func(text string) (canonical string, err error) {
		for _, form := range forms {
			if canonical, err = form(text); err == nil {
				return canonical, nil
			}
		}
		return "", err
	}
}

func printable(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return true
}

// clip bounds what a hostile file may put into a message.
func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
