-- Checks that look like enumerations, enumerations that no enum of Rust is like, and types that are almost portable.
-- left out: enumeration `without_values` has no values
-- left out: enumeration `with_an_empty_value` has an empty text among its values
-- left out: type `unused`
-- left out: enumeration `commented_values` has a comment: What it is
-- left out: privileges on 1 table

CREATE TYPE without_values AS ENUM ();
CREATE TYPE with_an_empty_value AS ENUM ('', 'x');
CREATE TYPE unused AS ENUM ('x');
-- tables:
CREATE TYPE commented_values AS ENUM ('x', 'y');
COMMENT ON TYPE commented_values IS 'What it is';
CREATE TABLE almost_enumerations (
    id bigint PRIMARY KEY, a text CHECK (lower(a) IN ('x', 'y')), b text CHECK (b IN ('x', 'y') OR b LIKE 'z%'),
    c text CHECK (c IN ('x', 'y') AND length(c) = 1), d varchar(10) CHECK (d IN ('a', 'b')), e text, f text,
    g text CHECK (g IN ('one')), h text CHECK (h = 'one' OR h = 'two'), i text CHECK (i IN ('a', 'b') IS NOT FALSE),
    j text NOT NULL CHECK (j IN ('', 'b')), k text CHECK (k IN ('a', 'a', 'b')),
    m text COLLATE "C" CHECK (m IN ('a', 'b')), CHECK (e IN ('x', 'y') AND f IN ('p', 'q'))
);
CREATE TABLE odd_enumerations (
    id bigint PRIMARY KEY, a without_values, b with_an_empty_value DEFAULT '', c with_an_empty_value[], d commented_values[] DEFAULT ARRAY['x'::commented_values]
);
GRANT SELECT ON odd_enumerations TO PUBLIC;
CREATE TABLE almost_portable (
    id numeric(20, 0) PRIMARY KEY, a numeric(1000, 500), d timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    e timestamptz(3) DEFAULT now(), f timestamp(0)[], g timetz(3)
);
