-- What only MariaDB has.
-- left out: sequence `numbers`

CREATE TABLE own_types (id bigint NOT NULL PRIMARY KEY, a uuid, b inet6, c inet4);
CREATE SEQUENCE numbers;
CREATE TABLE own_check_of_two (id bigint NOT NULL PRIMARY KEY, a int, b int CHECK (b > a));
