-- What only MySQL has.

CREATE TABLE own_indexes (id bigint NOT NULL PRIMARY KEY, a int, b varchar(20), c json, KEY by_expression ((a + 1)), KEY by_lower ((lower(b)), a DESC), UNIQUE KEY by_two ((a * 2), b));
