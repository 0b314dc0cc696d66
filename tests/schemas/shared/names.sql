-- Names that are no names in Rust, or that become equal in Rust.

CREATE TABLE {q}Order Details{q} (
    {id}, {q}unit price{q} INTEGER, {q}unit-price{q} INTEGER, unit_price INTEGER,
    {q}UnitPrice2{q} INTEGER, {q}1st{q} INTEGER, {q}2{q} INTEGER, {q}%{q} INTEGER, {q}$x{q} INTEGER
);
CREATE TABLE {q}select{q} (
    {id}, {q}from{q} INTEGER, {q}where{q} INTEGER, {q}group{q} INTEGER, {q}order{q} INTEGER,
    {q}user{q} INTEGER, {q}table{q} INTEGER, {q}default{q} INTEGER, {q}check{q} INTEGER,
    {q}primary{q} INTEGER, {q}key{q} INTEGER, {q}index{q} INTEGER, {q}null{q} INTEGER
);
CREATE TABLE {q}struct{q} (
    {id}, {q}type{q} INTEGER, {q}fn{q} INTEGER, {q}self{q} INTEGER, 
    {q}crate{q} INTEGER, {q}super{q} INTEGER, {q}match{q} INTEGER, {q}async{q} INTEGER,
    {q}dyn{q} INTEGER, {q}gen{q} INTEGER, {q}union{q} INTEGER, {q}try{q} INTEGER,
    {q}macro_rules{q} INTEGER, {q}static{q} INTEGER, {q}true{q} INTEGER
);
CREATE TABLE {q}vec{q} ({id}, {q}option{q} INTEGER, {q}string{q} INTEGER, {q}box{q} INTEGER);
CREATE TABLE {q}Größen{q} ({id}, {q}größe{q} INTEGER, {q}Ärger{q} INTEGER, {q}日本{q} INTEGER, {q}naïve{q} INTEGER);
CREATE TABLE {q}日本語{q} ({id}, {q}名前{q} VARCHAR(20) NOT NULL DEFAULT '名無し');
CREATE TABLE {q}_hidden{q} ({id}, {q}_private{q} INTEGER, {q}__dunder__{q} INTEGER, {q}_{q} INTEGER, {q}___{q} INTEGER);
CREATE TABLE {q}it's{q} ({id}, {q}what's{q} VARCHAR(20) DEFAULT 'it''s', {q}a.b{q} INTEGER, {q}a\b{q} INTEGER);
CREATE TABLE {q}person_s{q} ({id});
CREATE TABLE {q}persons{q} ({id});
CREATE TABLE {q}person{q} ({id});
CREATE TABLE {q}statuses{q} ({id});
CREATE TABLE {q}status{q} ({id});
CREATE TABLE {q}data{q} ({id}, {q}data{q} INTEGER);
CREATE TABLE {q}news{q} ({id});
CREATE TABLE {q}s{q} ({id});
CREATE TABLE {q}queries{q} ({id}, {q}series{q} INTEGER);
CREATE TABLE {q}model{q} ({id}, {q}model{q} INTEGER, {q}column_type{q} INTEGER);
CREATE TABLE {q}i64{q} ({id}, {q}str{q} INTEGER, {q}i64{q} INTEGER, {q}u8{q} INTEGER);
CREATE TABLE {q}some{q} ({id}, {q}none{q} INTEGER, {q}ok{q} INTEGER, {q}err{q} INTEGER);
CREATE TABLE {q}a_table_with_a_name_that_is_as_long_as_the_longest_of_servers_i{q} (
    {id}, {q}a_column_with_a_name_that_is_as_long_as_the_longest_of_servers_{q} INTEGER UNIQUE
);
CREATE INDEX {q}an index of it's own{q} ON {q}Order Details{q} ({q}unit price{q}, {q}1st{q} DESC);
CREATE TABLE {q}Order Detail Notes{q} (
    {id}, {q}order detail{q} {ref} NOT NULL, {q}Größe{q} {ref}, {q}select{q} {ref}, {q}struct{q} {ref},
    FOREIGN KEY ({q}order detail{q}) REFERENCES {q}Order Details{q} (id) ON DELETE CASCADE,
    FOREIGN KEY ({q}Größe{q}) REFERENCES {q}Größen{q} (id),
    CONSTRAINT {q}to select{q} FOREIGN KEY ({q}select{q}) REFERENCES {q}select{q} (id),
    FOREIGN KEY ({q}struct{q}) REFERENCES {q}struct{q} (id),
    CONSTRAINT {q}odd check{q} CHECK ({q}order detail{q} > 0), UNIQUE ({q}order detail{q}, {q}struct{q})
);
CREATE TABLE {q}2fa_codes{q} ({id}, {q}state of it{q} VARCHAR(20), CHECK ({q}state of it{q} IN ('a b', 'A-B', '1', 'self', 'ü', 'Ok')));
