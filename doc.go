// Package coldtrail follows stolen cryptocurrency: exactly, in integers, by every
// published method, from chain data alone.
//
// This package is the map of the project and the data it ships with. The folders
// are the pipeline; ARCHITECTURE.md, generated from the test that enforces it,
// says what each may import. There is no API promise before version 1.
package coldtrail

import "embed"

// Bundled is the data that the program brings: of `coldtrail demo` the Bybit theft's
// Ethereum leg and its case file, so that the first run needs neither network nor
// download; which states stand behind which groups; and the register of thefts, assets and
// stated holdings.
//
//go:embed testdata/bybit-2025/transfers.csv testdata/bybit-2025/case.yaml testdata/actors/actors.yaml testdata/register/register.yaml
var Bundled embed.FS
