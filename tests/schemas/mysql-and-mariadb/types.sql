-- Every type that MySQL and MariaDB have.

CREATE TABLE all_types (
    a tinyint, b smallint, c mediumint, d int, e bigint, f tinyint unsigned, g smallint unsigned, h mediumint unsigned,
    i int unsigned, j bigint unsigned, k decimal(10,2), l decimal, m decimal(30,10), n float, o double, p bit(1), q bit(8),
    r tinyint(1), s boolean, t char(5), u varchar(20), v binary(3), w varbinary(10), x tinyblob, y blob, z mediumblob,
    aa longblob, ab tinytext, ac text, ad mediumtext, ae longtext, af enum('a','b c','D-e'), ag set('x','y'), ah date,
    ai time, aj time(3), ak datetime, al datetime(3), am datetime(6), an timestamp NULL, ao timestamp(6) NULL, ap year,
    aq json, ar point, `as` geometry, at linestring, au polygon, av multipoint, aw multilinestring, ax multipolygon,
    ay geometrycollection, az decimal(12,4) unsigned, ba char(36), bb binary(16), bc enum('1','self','it''s'), bd varchar(3000)
);
CREATE TABLE all_types_required (
    id bigint NOT NULL PRIMARY KEY, a tinyint NOT NULL, b smallint NOT NULL, d int NOT NULL, e bigint NOT NULL, i int unsigned NOT NULL,
    j bigint unsigned NOT NULL, k decimal(10,2) NOT NULL, n float NOT NULL, o double NOT NULL, r tinyint(1) NOT NULL, t char(5) NOT NULL,
    u varchar(20) NOT NULL, w varbinary(10) NOT NULL, y blob NOT NULL, aa longblob NOT NULL, ac text NOT NULL, ae longtext NOT NULL,
    af enum('a','b') NOT NULL, ah date NOT NULL, ai time NOT NULL, ak datetime NOT NULL, am datetime(6) NOT NULL, aq json NOT NULL
);
CREATE TABLE far_defaults (id bigint NOT NULL PRIMARY KEY, a bigint unsigned DEFAULT 18446744073709551615, b time DEFAULT '-12:00:00', c time(2) DEFAULT '838:59:59', d datetime(3) DEFAULT '2020-01-01 00:00:00.5');
