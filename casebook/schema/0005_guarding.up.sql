CREATE TABLE venues (
	id TEXT NOT NULL PRIMARY KEY,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	config TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE TABLE overrides (
	sequence BIGINT NOT NULL PRIMARY KEY,
	venue TEXT NOT NULL REFERENCES venues (id),
	state TEXT NOT NULL,
	why TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	at BIGINT NOT NULL,
	until BIGINT NOT NULL,
	lifted_at BIGINT NOT NULL,
	lifted_by TEXT NOT NULL
);
CREATE INDEX overrides_by_venue ON overrides (venue, sequence);
CREATE TABLE events (
	sequence BIGINT NOT NULL PRIMARY KEY,
	venue TEXT NOT NULL REFERENCES venues (id),
	id TEXT NOT NULL,
	at BIGINT NOT NULL,
	received_at BIGINT NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (venue, id)
);
CREATE INDEX events_by_venue ON events (venue, sequence);
CREATE TABLE snapshots (
	venue TEXT NOT NULL REFERENCES venues (id),
	at BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (venue, at)
);
CREATE TABLE policies (
	sequence BIGINT NOT NULL PRIMARY KEY,
	digest TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	version TEXT NOT NULL,
	text TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	added_at BIGINT NOT NULL
);
CREATE TABLE activations (
	sequence BIGINT NOT NULL PRIMARY KEY,
	policy TEXT NOT NULL REFERENCES policies (digest),
	by_whom TEXT NOT NULL,
	at BIGINT NOT NULL,
	why TEXT NOT NULL
);
CREATE TABLE dry_runs (
	sequence BIGINT NOT NULL PRIMARY KEY,
	policy TEXT NOT NULL REFERENCES policies (digest),
	by_whom TEXT NOT NULL,
	at BIGINT NOT NULL,
	result TEXT NOT NULL
);
CREATE INDEX dry_runs_by_policy ON dry_runs (policy, sequence);
