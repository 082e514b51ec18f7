CREATE TABLE alerts (
	sequence BIGINT NOT NULL PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	content TEXT NOT NULL,
	occurrence BIGINT NOT NULL,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	chain TEXT NOT NULL,
	level TEXT NOT NULL,
	body TEXT NOT NULL,
	cause_chain TEXT NOT NULL,
	cause_height BIGINT NOT NULL,
	cause_block TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	state TEXT NOT NULL,
	withdraws TEXT NOT NULL,
	withdrawn_by TEXT NOT NULL,
	UNIQUE (content, occurrence)
);
CREATE INDEX alerts_by_subject ON alerts (subject, sequence);
CREATE INDEX alerts_by_cause ON alerts (cause_chain, cause_height) WHERE state = 'standing';
CREATE TABLE deliveries (
	id TEXT NOT NULL PRIMARY KEY,
	alert TEXT NOT NULL REFERENCES alerts (id),
	target TEXT NOT NULL REFERENCES targets (id),
	subject TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	turn BIGINT NOT NULL,
	attempts BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	leased_until BIGINT NOT NULL,
	status TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	reason TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (status, turn, next_at);
CREATE INDEX deliveries_in_turn ON deliveries (status, target, subject, sequence);
CREATE INDEX deliveries_by_alert ON deliveries (alert);
CREATE INDEX deliveries_by_sequence ON deliveries (sequence, id);
