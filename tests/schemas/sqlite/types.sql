-- Every affinity, the names of types of other databases, and those that nobody knows.

CREATE TABLE all_types (
    id INTEGER PRIMARY KEY, a INT, b TINYINT, c SMALLINT, d MEDIUMINT, e BIGINT, f UNSIGNED BIG INT,
    g INT2, h INT8, i CHARACTER(20), j VARCHAR(255), k VARYING CHARACTER(255), l NCHAR(55),
    m NATIVE CHARACTER(70), n NVARCHAR(100), o TEXT, p CLOB, q BLOB, r REAL, s DOUBLE,
    t DOUBLE PRECISION, u FLOAT, v NUMERIC, w DECIMAL(10, 5), x BOOLEAN, y DATE, z DATETIME,
    aa TIME, ab TIMESTAMP, ac, ad JSON, ae UUID, af DECIMAL, ag DECIMAL(30, 10), ah NUMERIC(8, 2),
    ai MONEY, aj "odd type", ak STRING, al varchar(10), am Varchar (11), an LONGTEXT,
    ao INTEGER UNSIGNED, ap TIMESTAMP WITH TIME ZONE, aq BYTEA, ar ANY, "as" VARCHAR, at CHAR, au FLOATING POINT
);
CREATE TABLE all_types_required (
    id INTEGER NOT NULL PRIMARY KEY, a INT NOT NULL, e BIGINT NOT NULL, j VARCHAR(255) NOT NULL, o TEXT NOT NULL,
    q BLOB NOT NULL, r REAL NOT NULL, t DOUBLE PRECISION NOT NULL, v NUMERIC NOT NULL,
    w DECIMAL(10, 5) NOT NULL, x BOOLEAN NOT NULL, y DATE NOT NULL, z DATETIME NOT NULL,
    aa TIME NOT NULL, ab TIMESTAMP NOT NULL, ac NOT NULL, ad JSON NOT NULL, ae UUID NOT NULL
);
CREATE TABLE strict_types (
    id INTEGER PRIMARY KEY, a INT, b INTEGER, c REAL, d TEXT, e BLOB, f ANY, g ANY NOT NULL
) STRICT;
CREATE TABLE strict_without_rowid (a TEXT NOT NULL, b INT NOT NULL, c REAL, PRIMARY KEY (b, a)) STRICT, WITHOUT ROWID;
CREATE TABLE free_words (
    id INTEGER PRIMARY KEY, a bool NOT NULL DEFAULT false, b Boolean DEFAULT TRUE, c DateTime DEFAULT current_timestamp, d datetime NOT NULL,
    e Timestamp DEFAULT CURRENT_TIMESTAMP, f timestamp with time zone, g Bool CHECK (g IN (0, 1)), h "bool", i [boolean], j timestamptz, k datetime(6), l Date, m bool DEFAULT 't'
);
CREATE TABLE flag_keys (flag bool PRIMARY KEY NOT NULL, other bool REFERENCES flag_keys (flag));
