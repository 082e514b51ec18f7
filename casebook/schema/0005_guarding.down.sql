DROP TABLE dry_runs;
DROP TABLE activations;
DROP TABLE policies;
DROP TABLE snapshots;
DROP TABLE events;
DROP TABLE overrides;
DROP TABLE venues;
