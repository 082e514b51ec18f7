CREATE TABLE watchlists (
	id TEXT NOT NULL PRIMARY KEY,
	name TEXT NOT NULL,
	note TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE TABLE members (
	list TEXT NOT NULL REFERENCES watchlists (id),
	address TEXT NOT NULL,
	chain TEXT NOT NULL,
	note TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (list, address, chain)
);
CREATE INDEX members_by_address ON members (address, chain);
CREATE TABLE targets (
	id TEXT NOT NULL PRIMARY KEY,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	address TEXT NOT NULL,
	secrets TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE TABLE subscriptions (
	id TEXT NOT NULL PRIMARY KEY,
	name TEXT NOT NULL,
	target TEXT NOT NULL REFERENCES targets (id),
	kinds TEXT NOT NULL,
	levels TEXT NOT NULL,
	chains TEXT NOT NULL,
	subjects TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE TABLE screened (
	subject TEXT NOT NULL,
	chain TEXT NOT NULL,
	outcome TEXT NOT NULL,
	level TEXT NOT NULL,
	judged_at BIGINT NOT NULL,
	asked_at BIGINT NOT NULL,
	asked_by TEXT NOT NULL,
	PRIMARY KEY (subject, chain)
);
CREATE INDEX screened_by_asked ON screened (asked_at);
