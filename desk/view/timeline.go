package view

import "coldtrail/ledger"

// A Timeline is how much happened when.
type Timeline struct {
	Of

	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Step is the length of a bucket in seconds, Begin the beginning of the first one, and
	// Buckets how many there are.
	Step    int64    `json:"step"`
	Begin   int64    `json:"begin"`
	Buckets int      `json:"buckets"`
	Lanes   []Lane   `json:"lanes"`
	Series  []Series `json:"series"`
	Events  []Event  `json:"events"`
	// Undated is how many flows no time is known of; they are in nothing above.
	Undated int `json:"undated"`
}

// A Lane is a kind of happening.
type Lane struct {
	Lane  string `json:"lane"`
	Label string `json:"label"`
	// Flows is how many there were.
	Flows int `json:"flows"`
}

// A Series is one colour in one lane. Buckets in which nothing happened are left out.
type Series struct {
	Lane   string  `json:"lane"`
	Colour string  `json:"colour"`
	Points []Point `json:"points"`
}

// A Point is what happened in one bucket.
type Point struct {
	Bucket int    `json:"bucket"`
	Origin string `json:"origin"`
	// Ends is how many places were reached; one flow may reach several.
	Ends int `json:"ends"`

	sum ledger.Amount
}

// An Event is one happening that is worth a mark.
type Event struct {
	Lane   string `json:"lane"`
	Time   int64  `json:"time"`
	Chain  string `json:"chain"`
	Tx     string `json:"tx,omitempty"`
	Colour string `json:"colour"`
	Asset  string `json:"asset"`
	Amount string `json:"amount"`
	Origin string `json:"origin"`
	// At is the place that it reached, Entity who is said to keep it.
	At      string `json:"at"`
	Address string `json:"address"`
	Entity  string `json:"entity,omitempty"`
	Link    string `json:"link,omitempty"`
}
