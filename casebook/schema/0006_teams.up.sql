CREATE TABLE assignments (
	sequence BIGINT NOT NULL PRIMARY KEY,
	case_id TEXT NOT NULL REFERENCES cases (id),
	person TEXT NOT NULL,
	role TEXT NOT NULL,
	by_whom TEXT NOT NULL,
	at BIGINT NOT NULL
);
CREATE INDEX assignments_by_case ON assignments (case_id, person, sequence);
