-- Every type that PostgreSQL has, and those that a database adds.
-- left out: domain `positive`
-- left out: domain `email_address`
-- left out: composite type `full_name`

CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN email_address AS varchar(100) NOT NULL DEFAULT 'nobody' CHECK (VALUE LIKE '%@%' OR VALUE = 'nobody');
CREATE TYPE full_name AS (first text, last text);
-- tables:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE TYPE "Odd Type" AS ENUM ('A', 'b-c', '1', 'self', 'it''s');
CREATE TABLE all_types (
    a smallint, b integer, c bigint, d numeric, e numeric(5), f numeric(10, 2), g real, h double precision,
    l money, m varchar, n varchar(20), o char, p char(7), q text, r "char",
    s name, t bytea, u timestamp, v timestamp(0), w timestamptz, x timestamptz(3), y date, z time, aa time(3),
    ab timetz, ac interval, ad interval day to second, ae interval(2), af boolean, ag point, ah line, ai lseg,
    aj box, ak path, al polygon, am circle, an cidr, ao inet, ap macaddr, aq macaddr8, ar bit, "as" bit(3),
    at varbit, au varbit(5), av tsvector, aw tsquery, ax uuid, ay xml, az json, ba jsonb, bb int4range,
    bc int8range, bd numrange, be tsrange, bf tstzrange, bg daterange, bh oid, bi regclass, bj pg_lsn, bk mood,
    bl positive, bm email_address, bn full_name, bo "Odd Type", bp float(24), bq float(53), br decimal(30, 10)
);
CREATE TABLE all_arrays (
    a smallint[], b integer[], c bigint[], d numeric[], e numeric(10, 2)[], f real[], g double precision[],
    h varchar[], i varchar(20)[], j text[], k bytea[], l timestamp[], m timestamptz[], n date[], o boolean[],
    p uuid[], q jsonb[], r inet[], s mood[], t integer[][], u int4range[], v text[3], w "Odd Type"[], x positive[]
);
CREATE TABLE all_types_required (
    id bigint PRIMARY KEY, a smallint NOT NULL, b integer NOT NULL, c bigint NOT NULL, d numeric NOT NULL,
    f numeric(10, 2) NOT NULL, g real NOT NULL, h double precision NOT NULL, n varchar(20) NOT NULL, q text NOT NULL,
    t bytea NOT NULL, u timestamp NOT NULL, w timestamptz NOT NULL, y date NOT NULL, z time NOT NULL, af boolean NOT NULL,
    ax uuid NOT NULL, ba jsonb NOT NULL, bk mood NOT NULL, bl positive NOT NULL, j text[] NOT NULL
);
