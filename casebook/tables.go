package casebook

import "slices"

// ColumnKind is what a column holds. No column of a casebook may hold nothing (NULL).
type ColumnKind string

// The kinds of column: UTF-8 without NUL, ordered by bytes, and whole numbers of 64 bits.
const (
	Text    ColumnKind = "text"
	Integer ColumnKind = "integer"
)

// A Column is a column of a table.
type Column struct {
	Name string
	Kind ColumnKind
}

// A Table is a table of the newest schema.
type Table struct {
	Name string
	// Key names the columns of the primary key, by which rows are put in order.
	Key     []string
	Columns []Column
}

// tables lists all tables of the newest schema; one comes after those that it refers to.
// casebook_schema is not among them: it says how a database came to its schema.
var tables = []Table{
	{"cases", key("id"), columns(Text, "id", "title", "state", "text", Integer, "revision", Text, "opened_by", Integer, "opened_at", Text, "changed_by", Integer, "changed_at")},
	{"revisions", key("case_id", "number"), columns(Text, "case_id", Integer, "number", Text, "title", "state", "text", "by_whom", Integer, "at", Text, "why")},
	{"notes", key("sequence"), columns(Integer, "sequence", Text, "id", "topic", "chain", "subject", "text", "by_whom", Integer, "at")},
	{"api_keys", key("id"), columns(Text, "id", "digest", "name", "role", "created_by", Integer, "created_at", "expires_at", "revoked_at", Text, "revoked_by", Integer, "used_at")},
	{"people", key("issuer", "subject"), columns(Text, "issuer", "subject", "name", "mail", "role", "granted_by", Integer, "granted_at", "revoked_at", Text, "revoked_by")},
	{"watchlists", key("id"), columns(Text, "id", "name", "note", "by_whom", Integer, "created_at", "ended_at")},
	{"members", key("list", "address", "chain"), columns(Text, "list", "address", "chain", "note", "by_whom", Integer, "at")},
	{"targets", key("id"), columns(Text, "id", "name", "kind", "address", "secrets", "by_whom", Integer, "created_at", "ended_at")},
	{"subscriptions", key("id"), columns(Text, "id", "name", "target", "kinds", "levels", "chains", "subjects", "by_whom", Integer, "created_at", "ended_at")},
	{"screened", key("subject", "chain"), columns(Text, "subject", "chain", "outcome", "level", Integer, "judged_at", "asked_at", Text, "asked_by")},
	{"alerts", key("sequence"), columns(Integer, "sequence", Text, "id", "content", Integer, "occurrence", Text, "kind", "subject", "chain", "level", "body", "cause_chain",
		Integer, "cause_height", Text, "cause_block", Integer, "created_at", Text, "state", "withdraws", "withdrawn_by")},
	{"deliveries", key("id"), columns(Text, "id", "alert", "target", "subject", Integer, "sequence", "turn", "attempts", "next_at", "leased_until", Text, "status", Integer, "created_at", "ended_at", Text, "reason")},
	{"venues", key("id"), columns(Text, "id", "name", "kind", "config", "by_whom", Integer, "created_at", "changed_at", "ended_at")},
	{"overrides", key("sequence"), columns(Integer, "sequence", Text, "venue", "state", "why", "by_whom", Integer, "at", "until", "lifted_at", Text, "lifted_by")},
	{"events", key("sequence"), columns(Integer, "sequence", Text, "venue", "id", Integer, "at", "received_at", Text, "body")},
	{"snapshots", key("venue", "at"), columns(Text, "venue", Integer, "at", "sequence", Text, "body")},
	{"policies", key("sequence"), columns(Integer, "sequence", Text, "digest", "name", "version", "text", "by_whom", Integer, "added_at")},
	{"activations", key("sequence"), columns(Integer, "sequence", Text, "policy", "by_whom", Integer, "at", Text, "why")},
	{"dry_runs", key("sequence"), columns(Integer, "sequence", Text, "policy", "by_whom", Integer, "at", Text, "result")},
	{"assignments", key("sequence"), columns(Integer, "sequence", Text, "case_id", "person", "role", "by_whom", Integer, "at")},
}

func key(columns ...string) []string { return columns }

// columns reads a list of names, in which a kind counts until the next.
func columns(words ...any) []Column {
	var list []Column
	var kind ColumnKind
	for _, word := range words {
		switch word := word.(type) {
		case ColumnKind:
			kind = word
		case string:
			list = append(list, Column{word, kind})
		}
	}
	return list
}

// Tables lists all tables of the newest schema, in an order in which they can be filled:
// one comes after those that it refers to.
func Tables() []Table { return slices.Clone(tables) }
