-- Checks in the definitions of columns, which MariaDB keeps there and MySQL does not.

CREATE TABLE own_checks (
    id bigint NOT NULL PRIMARY KEY, a int CHECK (a > 0), b varchar(10) NOT NULL DEFAULT 'x' CHECK (b IN ('x', 'y')), c int DEFAULT 5 CHECK (c > 1),
    d json CHECK (json_length(d) > 1), e decimal(10,2) COMMENT 'It''s' CHECK (e >= 0.5), `odd name` int CHECK (`odd name` <> 7), CHECK (a < 100)
);
