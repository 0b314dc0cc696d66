-- since: 15

CREATE TABLE nulls (
    id bigint PRIMARY KEY, a integer, b integer, UNIQUE NULLS NOT DISTINCT (a), CONSTRAINT both_once UNIQUE NULLS NOT DISTINCT (a, b)
);
CREATE UNIQUE INDEX nulls_alike ON nulls (b) NULLS NOT DISTINCT WHERE a > 1;
CREATE TABLE ranges (id bigint PRIMARY KEY, a int4multirange, b tstzmultirange NOT NULL);
CREATE TABLE digits (id bigint PRIMARY KEY, a numeric(2, 5), b numeric(3, -2));
