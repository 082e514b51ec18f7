package archive_test

import (
	"os"
	"path/filepath"
	"testing"

	"coldtrail/chain/bitcoin"
	"coldtrail/chain/bitcoin/blkfile"
	"coldtrail/chain/transfers"
	"coldtrail/ingest"
	"coldtrail/ledger"
	"coldtrail/store"
	"coldtrail/store/archive"
	"coldtrail/store/embedded"
)
