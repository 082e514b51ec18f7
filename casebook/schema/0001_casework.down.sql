DROP TABLE notes;
DROP TABLE revisions;
DROP TABLE cases;
