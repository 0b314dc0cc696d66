-- Every clause of tables, columns and indexes.

CREATE TABLE defaults (
    id INTEGER PRIMARY KEY, a INTEGER DEFAULT 1, b INTEGER DEFAULT -1, c INTEGER DEFAULT +1,
    d REAL DEFAULT 1.5, e REAL DEFAULT 1e10, f TEXT DEFAULT 'x', g TEXT DEFAULT '', h TEXT DEFAULT 'it''s',
    i BLOB DEFAULT x'cafe', j INTEGER DEFAULT NULL, k BOOLEAN DEFAULT TRUE, l BOOLEAN DEFAULT 0,
    m DATETIME DEFAULT CURRENT_TIMESTAMP, n DATE DEFAULT CURRENT_DATE, o TIME DEFAULT CURRENT_TIME,
    p TEXT DEFAULT (lower(hex(randomblob(16)))), q INTEGER DEFAULT (1 + 2 * 3), r INTEGER DEFAULT (strftime('%s', 'now')),
    s INTEGER DEFAULT 0x10, t TEXT DEFAULT 5, u INTEGER DEFAULT '5', v NUMERIC DEFAULT 1.0, w REAL DEFAULT 2,
    x TEXT DEFAULT 'a
b', y TEXT DEFAULT '\', z TEXT DEFAULT '"', aa DATETIME DEFAULT '2020-01-01 00:00:00', ab TEXT DEFAULT "double",
    ac DECIMAL(10, 2) DEFAULT 0.10, ad DATETIME DEFAULT (datetime('now', 'localtime')), ae INTEGER DEFAULT 9223372036854775807,
    af JSON DEFAULT '{"a": [1]}', ag TEXT DEFAULT 'true', ah TEXT DEFAULT 'null', ai INTEGER DEFAULT TRUE
);
CREATE TABLE checks (
    id INTEGER PRIMARY KEY, a INTEGER CHECK (a > 0), b INTEGER CONSTRAINT b_is_small CHECK (b < 10),
    c TEXT CHECK (c IN ('x', 'y')) CHECK (length(c) = 1), d TEXT NOT NULL CHECK (d IN ('one')),
    e TEXT CHECK (e IN ('x', 'y') OR e IS NULL), f TEXT CHECK (f LIKE '%@%'), g TEXT CHECK (g <> 'it''s'),
    h TEXT CHECK ("h" IN ('upper', 'Lower', 'MIXED_case', 'with space')), i TEXT CHECK (i GLOB '[a-z]*'),
    j JSON CHECK (json_valid(j)), k BOOLEAN CHECK (k IN (0, 1)), l TEXT CHECK (typeof(l) = 'text'),
    m VARCHAR(10) NOT NULL DEFAULT 'on' CHECK (m IN ('on', 'off')), n VARCHAR(10) CHECK (n NOT IN ('a', 'b')),
    o TEXT NOT NULL DEFAULT 'x' CONSTRAINT known_o CHECK (o IN ('x', 'y')), p TEXT CONSTRAINT ck_checks_p CHECK (p IN ('x', 'y')),
    CHECK (a < b), CONSTRAINT "odd check's name" CHECK (a + b < 100), CHECK ((a IS NULL) = (b IS NULL)),
    CHECK (CASE WHEN a > 1 THEN b ELSE 1 END > 0)
);
CREATE TABLE generated (
    id INTEGER PRIMARY KEY, a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2), c INTEGER AS (a + 1) STORED,
    d TEXT GENERATED ALWAYS AS (a || 'x') VIRTUAL NOT NULL, e TEXT AS (json_extract(f, '$.a')), f TEXT,
    g INTEGER NOT NULL AS (abs(a)) STORED UNIQUE, h AS (upper(f))
);
CREATE TABLE counters (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER);
CREATE TABLE text_key (code TEXT NOT NULL PRIMARY KEY, n INTEGER);
CREATE TABLE int_key (id INT NOT NULL PRIMARY KEY, n INTEGER);
CREATE TABLE bigint_key (id BIGINT NOT NULL PRIMARY KEY, n INTEGER);
CREATE TABLE named_key (a INTEGER NOT NULL, b INTEGER NOT NULL, CONSTRAINT my_key PRIMARY KEY (a, b));
CREATE TABLE named_column_key (id INTEGER CONSTRAINT my_id PRIMARY KEY, n INTEGER);
CREATE TABLE named_counter (id INTEGER CONSTRAINT my_counter PRIMARY KEY AUTOINCREMENT, n INTEGER);
CREATE TABLE single_table_key (a INTEGER, n INTEGER, PRIMARY KEY (a));
CREATE TABLE rowid_less (a TEXT NOT NULL PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE no_key (a INTEGER, b TEXT);
CREATE TABLE one_column (a);
CREATE TABLE collations (
    id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b TEXT COLLATE RTRIM UNIQUE, c TEXT COLLATE BINARY,
    d VARCHAR(10) COLLATE NOCASE NOT NULL DEFAULT 'x', e TEXT COLLATE NOCASE CHECK (e IN ('a', 'b'))
);
CREATE TABLE uniques (
    id INTEGER PRIMARY KEY, a INTEGER UNIQUE, b INTEGER CONSTRAINT b_once UNIQUE, c INTEGER, d INTEGER,
    UNIQUE (c, d), CONSTRAINT d_c UNIQUE (d, c), UNIQUE (c), CONSTRAINT "odd unique" UNIQUE (a, d)
);
CREATE TABLE indexed (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c TEXT COLLATE NOCASE, d REAL, "e f" TEXT);
CREATE INDEX ix_indexed_a ON indexed (a);
CREATE INDEX ix_indexed_a_b ON indexed (a, b);
CREATE INDEX indexed_desc ON indexed (a DESC, b ASC, c COLLATE BINARY, b COLLATE NOCASE DESC);
CREATE INDEX indexed_partial ON indexed (a) WHERE b IS NOT NULL AND d > 1.5;
CREATE INDEX indexed_expression ON indexed (lower(b), a + 1, "e f" || 'x' DESC);
CREATE UNIQUE INDEX indexed_unique ON indexed (b);
CREATE UNIQUE INDEX indexed_unique_partial ON indexed (b, c) WHERE a = 1;
CREATE UNIQUE INDEX "odd index's name" ON indexed ("e f" COLLATE RTRIM) WHERE "e f" <> 'it''s';
CREATE INDEX indexed_twice ON indexed (a);
CREATE TABLE parents (id INTEGER PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL, code TEXT UNIQUE, UNIQUE (a, b));
CREATE TABLE children (
    id INTEGER PRIMARY KEY, one INTEGER REFERENCES parents, two INTEGER REFERENCES parents (id) ON DELETE CASCADE ON UPDATE CASCADE,
    three INTEGER REFERENCES parents (id) ON DELETE SET NULL ON UPDATE SET DEFAULT, four INTEGER REFERENCES parents (id) ON DELETE RESTRICT ON UPDATE NO ACTION,
    five INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED, code TEXT REFERENCES parents (code) ON UPDATE CASCADE,
    six INTEGER CONSTRAINT to_parent REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED, a INTEGER, b INTEGER, up INTEGER REFERENCES children (id),
    seven INTEGER NOT NULL DEFAULT 1 UNIQUE REFERENCES parents (id) ON DELETE SET DEFAULT,
    FOREIGN KEY (a, b) REFERENCES parents (a, b) ON DELETE CASCADE, CONSTRAINT two_more FOREIGN KEY (b, a) REFERENCES parents (b, a)
);
CREATE TABLE cycle_one (id INTEGER PRIMARY KEY, two INTEGER REFERENCES cycle_two (id));
CREATE TABLE cycle_two (id INTEGER PRIMARY KEY, three INTEGER NOT NULL REFERENCES cycle_three (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE cycle_three (id INTEGER PRIMARY KEY, one INTEGER REFERENCES cycle_one (id));
CREATE TABLE trees (id TEXT NOT NULL PRIMARY KEY, parent TEXT REFERENCES trees (id) ON DELETE CASCADE);
CREATE TABLE [bracketed name] ([a column] INTEGER, `another one` TEXT, 'quoted' TEXT, "x""y" TEXT);
create table lower_case (id integer primary key, name varchar(10) not null default 'x', at timestamp default current_timestamp);
CREATE TABLE "CamelCase" ("Id" INTEGER PRIMARY KEY, "FirstName" TEXT, "HTTPStatus" INTEGER, "camelId" INTEGER REFERENCES "CamelCase" ("Id"));
CREATE TABLE copied AS SELECT 1 AS a, 'x' AS b, NULL AS c;
ALTER TABLE copied ADD COLUMN later INTEGER NOT NULL DEFAULT 7;
CREATE TABLE commented (
    id INTEGER PRIMARY KEY, -- the key, with a comma
    /* and CHECK (x) */ name TEXT -- CHECK (name)
);
