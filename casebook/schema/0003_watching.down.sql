DROP TABLE screened;
DROP TABLE subscriptions;
DROP TABLE targets;
DROP TABLE members;
DROP TABLE watchlists;
