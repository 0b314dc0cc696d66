-- What only MariaDB has.
-- left out: sequence `numbers`

CREATE TABLE own_types (id bigint NOT NULL PRIMARY KEY, a uuid, b inet6, c inet4);
CREATE SEQUENCE numbers;
