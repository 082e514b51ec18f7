DROP TABLE people;
DROP TABLE api_keys;
