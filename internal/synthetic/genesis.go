package synthetic

import (
	"crypto/sha256"
	"encoding/hex"
)

// genesisCoinbase is the first transaction of every Bitcoin network.
const genesisCoinbase = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"

// genesis writes the first block of the regression test network. Nobody can spend
// its output.
func (m *maker) genesis() error {
	header, err := hex.DecodeString(genesisHeader)
	if err != nil {
		return err
	}
	tx, err := hex.DecodeString(genesisCoinbase)
	if err != nil {
		return err
	}
	once := sha256.Sum256(header)
	m.parent = sha256.Sum256(once[:])
	m.height = 1
	m.stats.Blocks, m.stats.Transactions, m.stats.Outputs = 1, 1, 1
	return m.emit(header, []byte{1}, tx)
}
