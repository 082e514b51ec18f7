CREATE TABLE cases (
	id TEXT NOT NULL PRIMARY KEY,
	title TEXT NOT NULL,
	state TEXT NOT NULL,
	text TEXT NOT NULL,
	revision BIGINT NOT NULL,
	opened_by TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);
CREATE TABLE revisions (
	case_id TEXT NOT NULL REFERENCES cases (id),
	number BIGINT NOT NULL,
	title TEXT NOT NULL,
	state TEXT NOT NULL,
	text TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	at BIGINT NOT NULL,
	why TEXT NOT NULL,
	PRIMARY KEY (case_id, number)
);
CREATE TABLE notes (
	sequence BIGINT NOT NULL PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	topic TEXT NOT NULL,
	chain TEXT NOT NULL,
	subject TEXT NOT NULL,
	text TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	at BIGINT NOT NULL
);
CREATE INDEX notes_about ON notes (topic, subject, chain, sequence);
