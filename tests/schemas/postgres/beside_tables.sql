-- What tables use and models leave to other means: extensions, domains, functions, collations.
-- left out: extension `citext`
-- left out: extension `hstore`
-- left out: extension `pg_trgm`
-- left out: extension `btree_gist`
-- left out: domain `at_least_one`
-- left out: composite type `address`
-- left out: type `float_range`
-- left out: function `twice`
-- left out: collation `without_case`
-- left out: aggregate `total`
-- left out: procedure `nothing`
-- left out: operator `===`
-- left out: publication `news`
-- left out: event trigger `on_change`
-- left out: function `on_change`
-- left out: text search configuration `plain`

CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE DOMAIN at_least_one AS integer NOT NULL DEFAULT 1 CHECK (VALUE > 0);
CREATE TYPE address AS (street text, zip varchar(10));
CREATE TYPE float_range AS RANGE (subtype = float8);
CREATE FUNCTION twice(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
CREATE FUNCTION on_change() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE COLLATION without_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
-- tables:
CREATE TABLE extended (
    id bigint PRIMARY KEY, a citext UNIQUE, b hstore NOT NULL DEFAULT '', c text, d citext[] NOT NULL DEFAULT '{}', room integer,
    during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&), CONSTRAINT in_reach EXCLUDE USING gist (room WITH <>) WHERE (room > 5)
);
CREATE INDEX by_trigrams ON extended USING gin (c gin_trgm_ops);
CREATE INDEX by_distance ON extended USING gist (c gist_trgm_ops);
CREATE INDEX by_key ON extended USING gin (b);
CREATE INDEX by_text ON extended (a citext_pattern_ops);
CREATE TABLE typed (id bigint PRIMARY KEY, a at_least_one, b at_least_one[], c address, d address[], e float_range, f float_range NOT NULL DEFAULT '[0,1)');
CREATE TABLE computed (id bigint PRIMARY KEY, a integer DEFAULT twice(3), b integer GENERATED ALWAYS AS (twice(a)) STORED, CHECK (twice(a) > 0));
CREATE INDEX by_twice ON computed (twice(a)) WHERE twice(a) > 5;
CREATE TABLE collated (id bigint PRIMARY KEY, a text COLLATE without_case UNIQUE, b text COLLATE "und-x-icu", c text);
CREATE INDEX by_collations ON collated (a COLLATE "C", c COLLATE without_case, lower(b COLLATE "C"));
CREATE TABLE searched (id bigint PRIMARY KEY, a text, b tsvector GENERATED ALWAYS AS (to_tsvector('plain', coalesce(a, ''))) STORED);
CREATE INDEX by_words ON searched USING gin (to_tsvector('plain', a));
CREATE TABLE deferred (id bigint PRIMARY KEY, a integer UNIQUE DEFERRABLE INITIALLY DEFERRED, b bigint REFERENCES deferred DEFERRABLE INITIALLY DEFERRED);
CREATE AGGREGATE total (integer) (sfunc = int4pl, stype = integer);
CREATE PROCEDURE nothing() LANGUAGE sql AS '';
CREATE OPERATOR === (leftarg = integer, rightarg = integer, function = int4eq);
CREATE PUBLICATION news FOR TABLE computed;
CREATE EVENT TRIGGER on_change ON ddl_command_end EXECUTE FUNCTION on_change();
