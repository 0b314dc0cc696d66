-- What only MariaDB has.
-- left out: sequence `numbers`

CREATE TABLE own_types (id bigint NOT NULL PRIMARY KEY, a uuid, b inet6, c inet4);
CREATE SEQUENCE numbers;
CREATE TABLE own_check_of_two (id bigint NOT NULL PRIMARY KEY, a int, b int CHECK (b > a));
CREATE TABLE own_check_of_json (
    id bigint NOT NULL PRIMARY KEY, a json, b longtext COLLATE utf8mb4_general_ci CHECK (json_valid(b)),
    c longtext COLLATE utf8mb4_bin NOT NULL CHECK (json_valid(c)), d longtext COLLATE utf8mb4_bin
);
