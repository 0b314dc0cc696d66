-- Every clause of tables, columns and indexes.

CREATE TABLE defaults (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, a int DEFAULT 1, b int DEFAULT -1, c bigint DEFAULT 9223372036854775807,
    d decimal(10,2) DEFAULT 0.10, e double DEFAULT 2, f double DEFAULT 1.5, g varchar(20) DEFAULT 'x', h varchar(20) DEFAULT '',
    i varchar(20) DEFAULT 'it''s', j varchar(20) DEFAULT 'a\nb\\', k tinyint(1) DEFAULT 1, l tinyint(1) NOT NULL DEFAULT 0,
    m datetime DEFAULT CURRENT_TIMESTAMP, n datetime(6) DEFAULT CURRENT_TIMESTAMP(6), o timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    p timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, q datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
    r date DEFAULT '2020-01-01', s enum('a','b') NOT NULL DEFAULT 'b', t set('x','y') DEFAULT 'x,y', u int DEFAULT (1 + 2), v varchar(36) DEFAULT (uuid()),
    w bit(3) DEFAULT b'101', x int unsigned DEFAULT 7, y year DEFAULT 2020, z varchar(20) DEFAULT NULL, aa decimal(10,2) NOT NULL DEFAULT 5,
    ab text DEFAULT ('x'), ac json DEFAULT (json_array()), ad time DEFAULT '10:00:00', ae varchar(20) DEFAULT 'now()', af float DEFAULT 0.5
);
CREATE TABLE checks (
    id bigint NOT NULL PRIMARY KEY, a int, b int, c varchar(10), CONSTRAINT b_is_small CHECK (b < 10), CHECK (a > 0), CHECK (c IN ('x', 'y')),
    CHECK (a < b), CONSTRAINT `odd check's name` CHECK (a + b < 100), CHECK (c <> 'it''s'), CHECK (c LIKE '%@%'), CHECK (a BETWEEN 1 AND 5)
);
CREATE TABLE `generated` (
    id bigint NOT NULL PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED, c varchar(10), d varchar(20) GENERATED ALWAYS AS (concat(c, 'x')) VIRTUAL,
    e int AS (abs(a)) STORED UNIQUE
);
CREATE TABLE unsigned_keys (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, n int) AUTO_INCREMENT = 1000;
CREATE TABLE text_keys (code varchar(20) NOT NULL PRIMARY KEY, n int);
CREATE TABLE two_keys (a int NOT NULL, b int NOT NULL, PRIMARY KEY (b, a));
CREATE TABLE no_keys (a int, b text);
CREATE TABLE collations (
    id bigint NOT NULL PRIMARY KEY, a varchar(10) COLLATE utf8mb4_bin, b varchar(10) CHARACTER SET latin1, c text CHARACTER SET ascii COLLATE ascii_bin,
    d varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT 'x', e enum('a','b') COLLATE utf8mb4_bin
);
CREATE TABLE collated_tables (id bigint NOT NULL PRIMARY KEY, a varchar(10), b varchar(10) COLLATE utf8mb4_bin) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE other_engines (id bigint NOT NULL PRIMARY KEY, a varchar(10)) ENGINE = MyISAM;
CREATE TABLE memory_tables (id bigint NOT NULL PRIMARY KEY, a varchar(10)) ENGINE = MEMORY;
CREATE TABLE uniques (
    id bigint NOT NULL PRIMARY KEY, a int UNIQUE, b int, c int, d int, UNIQUE KEY (c, d), UNIQUE KEY d_c (d, c), CONSTRAINT named_too UNIQUE (b), UNIQUE KEY `odd unique` (a, d)
);
CREATE TABLE indexed (
    id bigint NOT NULL PRIMARY KEY, a int, b varchar(100), c text, d varchar(255), e point NOT NULL, f int NOT NULL, KEY (a), KEY by_two (a, b), KEY by_prefix (c(20)),
    KEY descending (a DESC, b), FULLTEXT KEY by_words (c), SPATIAL KEY by_place (e), UNIQUE KEY unique_prefix (b(10)), KEY `odd index's name` (d), KEY (a, f)
);
CREATE TABLE parents (id bigint NOT NULL PRIMARY KEY, a int NOT NULL, b int NOT NULL, code varchar(20) UNIQUE, UNIQUE KEY (a, b), KEY (b, a));
CREATE TABLE children (
    id bigint NOT NULL PRIMARY KEY, one bigint, two bigint, three bigint, four bigint, code varchar(20), a int, b int, up bigint, KEY by_four (four, one),
    FOREIGN KEY (one) REFERENCES parents (id), FOREIGN KEY (two) REFERENCES parents (id) ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY (three) REFERENCES parents (id) ON DELETE SET NULL ON UPDATE SET NULL, CONSTRAINT to_parent FOREIGN KEY (four) REFERENCES parents (id) ON DELETE NO ACTION,
    FOREIGN KEY (code) REFERENCES parents (code) ON UPDATE CASCADE, FOREIGN KEY (a, b) REFERENCES parents (a, b) ON DELETE CASCADE, FOREIGN KEY (up) REFERENCES children (id)
);
CREATE TABLE cycle_one (id bigint NOT NULL PRIMARY KEY, two bigint);
CREATE TABLE cycle_two (id bigint NOT NULL PRIMARY KEY, one bigint NOT NULL, FOREIGN KEY (one) REFERENCES cycle_one (id));
ALTER TABLE cycle_one ADD FOREIGN KEY (two) REFERENCES cycle_two (id);
CREATE TABLE commented (
    id bigint NOT NULL PRIMARY KEY COMMENT 'The key', name varchar(20) COMMENT 'What''s this? "Quotes" and \\ backslashes', b varchar(20) COMMENT 'Two\nlines'
) COMMENT = 'A table''s comment';
CREATE TABLE `CamelCase` (`Id` bigint NOT NULL PRIMARY KEY, `FirstName` varchar(20), `HTTPStatus` int, `camelId` bigint, FOREIGN KEY (`camelId`) REFERENCES `CamelCase` (`Id`));
CREATE TABLE invisible_columns (id bigint NOT NULL PRIMARY KEY, a int INVISIBLE DEFAULT 1, b int);
CREATE TABLE latin_tables (id bigint NOT NULL PRIMARY KEY, a varchar(10), b text, c varchar(10) CHARACTER SET utf8mb4) DEFAULT CHARSET = latin1;
