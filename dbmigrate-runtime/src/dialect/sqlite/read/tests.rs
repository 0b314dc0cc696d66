//! Schemas read from texts, compared with what SQLite reports.

use expect_test::{Expect, expect};

use super::*;
#[cfg(feature = "sqlite")]
use crate::dialect::sqlite::lexicon::LEXICON;
#[cfg(feature = "sqlite")]
use crate::schema::TableOption;
use crate::schema::{Deferrable, IndexColumn, ReferentialAction, Schema};

fn object(kind: ObjectKind, name: &str, table: &str, sql: &str) -> Object {
    Object {
        kind,
        name: name.to_owned(),
        table: table.to_owned(),
        sql: Some(sql.to_owned()).filter(|text| !text.is_empty()),
        temporary: false,
    }
}

fn table(name: &str, sql: &str) -> Object {
    object(ObjectKind::Table, name, name, sql)
}

/// A short description of a schema.
fn text(schema: &Schema) -> String {
    let mut out = String::new();
    for table in schema.tables.values() {
        let options =
            table.options.iter().map(|option| format!(" {}", option.words().to_lowercase()));
        let options: String = options.collect();
        out += &format!("{}{options}\n", table.name);
        for column in &table.columns {
            let mut line = format!("{} `{}`", column.name, column.ty);
            line += if column.nullable { "" } else { " not null" };
            line += if column.autoincrement == Some(true) { " autoincrement" } else { "" };
            line += &column
                .default
                .as_ref()
                .map_or(String::new(), |default| format!(" default {default}"));
            line += &column
                .collation
                .as_ref()
                .map_or(String::new(), |collation| format!(" collate {collation}"));
            line += &column
                .generated
                .as_ref()
                .map_or(String::new(), |generated| format!(" as {generated:?}"));
            out += &format!("  {line}\n");
        }
        if let Some(primary_key) = &table.primary_key {
            out += &format!("  primary key `{}` {:?}\n", primary_key.name, primary_key.columns);
        }
        for unique in &table.uniques {
            out += &format!("  unique `{}` {:?}\n", unique.name, unique.columns);
        }
        for check in &table.checks {
            out += &format!("  check `{}` {}\n", check.name, check.expression);
        }
        for foreign_key in &table.foreign_keys {
            let ForeignKey { name, columns, references_table, references_columns, .. } =
                foreign_key;
            out += &format!("  foreign key `{name}` {columns:?} to {references_table} ");
            out += &format!(
                "{references_columns:?} {:?} {:?}",
                foreign_key.on_delete, foreign_key.on_update
            );
            out += &foreign_key
                .deferrable
                .map_or(String::new(), |deferrable| format!(" {deferrable:?}"));
            out += "\n";
        }
        for index in &table.indexes {
            let columns: Vec<_> = index.columns.iter().map(ToString::to_string).collect();
            let unique = if index.unique { "unique " } else { "" };
            let filter =
                index.filter.as_ref().map_or(String::new(), |filter| format!(" where {filter}"));
            out += &format!("  {unique}index `{}` {}{filter}\n", index.name, columns.join(", "));
        }
    }
    out
}

#[track_caller]
fn check(objects: &[Object], expect: Expect) {
    let read = read(objects, None);
    assert_eq!(read.unreadable, []);
    expect.assert_eq(&text(&read.schema));
}

#[test]
fn everything_that_a_schema_has_a_place_for_is_read() {
    let post = "CREATE TABLE \"Post\" (
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- the key
        author_id INT NOT NULL CONSTRAINT fk_author REFERENCES USER ON DELETE CASCADE,
        title VARCHAR (50) DEFAULT ('a' || ')') COLLATE [NOCASE] UNIQUE,
        slug TEXT DEFAULT 'x''y' GENERATED ALWAYS AS ( (lower(title)) ) STORED,
        n BOOL DEFAULT (( 0 )) CHECK ((n IN (0, 1))),
        CONSTRAINT uq UNIQUE (TITLE, n DESC),
        CONSTRAINT ck CHECK (n > 0 -- positive
        ),
        FOREIGN KEY (author_id, n) REFERENCES pair DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY (n) REFERENCES gone
    )";
    let objects = [
        table("Post", post),
        table("user", "CREATE TABLE user (Id INTEGER PRIMARY KEY)"),
        table("pair", "CREATE TABLE pair (a ANY, b INT, PRIMARY KEY (B, A)) WITHOUT ROWID, STRICT"),
        object(ObjectKind::Index, "sqlite_autoindex_Post_1", "Post", ""),
        object(
            ObjectKind::Index,
            "ix",
            "post",
            "CREATE INDEX ix ON Post (N DESC, lower(slug)) WHERE (n > 1)",
        ),
        object(
            ObjectKind::Index,
            "ux",
            "Post",
            "CREATE UNIQUE INDEX ux ON Post (slug COLLATE RTRIM)",
        ),
    ];
    check(
        &objects,
        expect![[r#"
            Post
              id `INTEGER` not null autoincrement
              author_id `INT` not null
              title `VARCHAR(50)` default ('a' || ')') collate NOCASE
              slug `TEXT` default ('x''y') as Generated { expression: "lower(title)", stored: true }
              n `BOOL` default (0)
              primary key `` ["id"]
              unique `` ["title"]
              unique `uq` ["title", "n"]
              check `` n IN (0, 1)
              check `ck` n > 0
              foreign key `fk_author` ["author_id"] to user ["Id"] Cascade NoAction
              foreign key `` ["author_id", "n"] to pair ["b", "a"] NoAction NoAction InitiallyDeferred
              foreign key `` ["n"] to gone [] NoAction NoAction
              index `ix` n desc, (lower(slug)) where n > 1
              unique index `ux` slug collate RTRIM
            pair strict without rowid
              a `ANY` not null
              b `INT` not null
              primary key `` ["b", "a"]
            user
              Id `INTEGER` not null
              primary key `` ["Id"]
        "#]],
    );
}

#[test]
fn only_an_alias_of_the_rowid_and_some_tables_keys_are_never_null() {
    let create = |columns: &str| format!("CREATE TABLE t ({columns}");
    let check = |columns: &str, nullable: bool| {
        let read = read(&[table("t", &create(columns))], None);
        assert_eq!(read.schema.tables["t"].columns[0].nullable, nullable, "{columns}");
    };
    check("id INTEGER PRIMARY KEY)", false);
    check("id \"integer\" PRIMARY KEY)", false);
    check("id INTEGER, PRIMARY KEY (id DESC))", false);
    check("id INTEGER PRIMARY KEY DESC)", true);
    check("id INT PRIMARY KEY)", true);
    check("id INTEGER UNSIGNED PRIMARY KEY)", true);
    check("id INTEGER, b INT, PRIMARY KEY (id, b))", true);
    check("id INT PRIMARY KEY) WITHOUT ROWID", false);
    check("id INT PRIMARY KEY) STRICT", false);
}

#[test]
fn what_a_schema_has_no_place_for_is_named() {
    let objects = [
        table("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)"),
        table("dOcs", "CREATE VIRTUAL TABLE docs USING fts5(body)"),
        table("docs_data", "CREATE TABLE 'docs_data'(id INTEGER PRIMARY KEY, block BLOB)"),
        table("docs_stat", "CREATE TABLE docs_stat (id INTEGER)"),
        table("other", "CREATE VIRTUAL TABLE other USING unknown"),
        table("other_node", "CREATE TABLE other_node (id)"),
        object(ObjectKind::View, "v", "v", "CREATE VIEW v AS SELECT 1"),
        object(ObjectKind::Trigger, "tr", "docs_stat", "CREATE TRIGGER tr ..."),
        table("bad", "CREATE TABLE bad (a INT) ENGINE=InnoDB"),
        object(ObjectKind::Index, "ix_bad", "docs_stat", "CREATE INDEX ix_bad ON docs_stat (a"),
        object(ObjectKind::Index, "ix_of_bad", "bad", "CREATE INDEX ix_of_bad ON bad (a)"),
        Object { temporary: true, ..table("temp", "CREATE TABLE temp (a)") },
    ];
    let Catalog { schema, unreadable, others, .. } = read(&objects, None);
    expect![[r#"
        (
            [
                "docs_stat",
            ],
            [
                Unreadable {
                    kind: Table,
                    name: "bad",
                    why: "expected `STRICT` or `WITHOUT ROWID` at `ENGINE=InnoDB`",
                },
                Unreadable {
                    kind: Index,
                    name: "ix_bad",
                    why: "expected `)` at the end",
                },
            ],
            [
                ObjectName {
                    kind: VirtualTable,
                    name: "dOcs",
                },
                ObjectName {
                    kind: ShadowTable,
                    name: "docs_data",
                },
                ObjectName {
                    kind: VirtualTable,
                    name: "other",
                },
                ObjectName {
                    kind: ShadowTable,
                    name: "other_node",
                },
                ObjectName {
                    kind: View,
                    name: "v",
                },
                ObjectName {
                    kind: Trigger,
                    name: "tr",
                },
            ],
        )
    "#]]
    .assert_debug_eq(&(schema.tables.keys(), unreadable, others));

    let only = BTreeSet::from(["DOCS_STAT".to_owned()]);
    let Catalog { schema, unreadable, others, .. } = read(&objects, Some(&only));
    assert_eq!(schema.tables.keys().collect::<Vec<_>>(), ["docs_stat"]);
    assert_eq!(unreadable.len(), 1);
    assert_eq!(others, [ObjectName::new(ObjectKind::Trigger, "tr")]);
}

fn facts() -> Facts {
    Facts::new(3_046_000, true)
}

/// A table that uses every feature.
fn model() -> Table {
    let mut table = Table::new("post")
        .column(Column::new("id", Type::BigInteger).not_null().autoincrement(true))
        .column(Column::new("kind", Type::enumeration("kind", ["a", "b"])).not_null().default("a"))
        .column(Column::new("title", Type::String(50)).collate("NOCASE").default("it's"))
        .column(Column::new("made", Type::Timestamp).not_null().default_now())
        .column(Column::new("on", Type::Boolean).not_null().default(true))
        .column(Column::new("n", Type::Integer).default_sql("1 + 1"))
        .column(Column::new("twice", Type::Integer).generated_virtual("n * 2"))
        .column(Column::new("author_id", Type::Uuid))
        .primary_key("pk_post", ["id"])
        .unique("uq_post_title", ["title"])
        .check("ck_post_n", "n > 0")
        .foreign_key(
            ForeignKey::new("fk_post_author_id_user", ["author_id"], "user", ["id"])
                .on_delete(ReferentialAction::SetNull)
                .deferrable(Deferrable::InitiallyDeferred),
        );
    let column = IndexColumn::expression("lower(title)").desc();
    table.indexes.push(Index::new("ix_post", ["n"]).column(column).filter("n > 1"));
    table
}

#[test]
fn a_model_s_table_is_read_as_it_is_stored() {
    let stored = as_stored(&model(), &facts()).unwrap();
    expect![[r#"
        post
          id `INTEGER` not null autoincrement
          kind `TEXT` not null default ('a')
          title `VARCHAR(50)` default ('it''s') collate NOCASE
          made `DATETIME` not null default (CURRENT_TIMESTAMP)
          on `BOOLEAN` not null default (1)
          n `INTEGER` default (1 + 1)
          twice `INTEGER` as Generated { expression: "n * 2", stored: false }
          author_id `BLOB`
          primary key `pk_post` ["id"]
          unique `uq_post_title` ["title"]
          check `ck_post_kind` "kind" IN ('a', 'b')
          check `ck_post_n` n > 0
          foreign key `fk_post_author_id_user` ["author_id"] to user ["id"] SetNull NoAction InitiallyDeferred
          index `ix_post` n, (lower(title)) desc where n > 1
    "#]].assert_eq(&text(&Schema::from_tables([stored])));
}

#[test]
fn a_table_whose_sql_is_wrong_is_refused() {
    let check = |table: &Table, expect: Expect| {
        expect.assert_eq(&as_stored(table, &facts()).unwrap_err().message);
    };
    let table = Table::new("t").column(Column::new("a", Type::Integer));
    check(
        &table.clone().check("ck", "a > 0)"),
        expect![
            "cannot create table `t` on SQLite: the SQL of `t` is wrong: expected `STRICT` or `WITHOUT ROWID` at `)`"
        ],
    );
    check(
        &table.clone().column(Column::new("b", Type::raw("TEXT TEXT(x)"))),
        expect![
            "cannot create table `t` on SQLite: the SQL of `t` is wrong: expected a number at `x) )`"
        ],
    );
    check(
        &Table { name: "sqlite_t".to_owned(), ..table },
        expect![
            "cannot create table `sqlite_t` on SQLite: the name is reserved for SQLite's own tables"
        ],
    );
}

#[cfg(feature = "sqlite")]
mod with_sqlite {
    use super::super::super::definition::tests::STATEMENTS;
    use super::*;
    use crate::Value;
    use crate::driver::{Driver as _, sqlite::SqliteDriver};

    fn open(statements: &[&str]) -> SqliteDriver<'static> {
        let mut driver = SqliteDriver::open_in_memory().unwrap();
        driver.batch("CREATE TABLE p (id INTEGER PRIMARY KEY, x, y, UNIQUE (x, y))").unwrap();
        for sql in statements {
            driver.execute(sql, &[]).unwrap();
        }
        driver
    }

    fn words(value: &Value) -> String {
        match value {
            Value::Text(value) => value.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    fn rows(driver: &mut SqliteDriver<'_>, sql: &str) -> Vec<Vec<String>> {
        let rows = driver.query(sql, &[]).unwrap().rows;
        rows.iter().map(|row| row.iter().map(words).collect()).collect()
    }

    fn objects(driver: &mut SqliteDriver<'_>) -> Vec<Object> {
        let objects = super::super::objects(driver).unwrap();
        // Temporary tables are read like any other here.
        objects.into_iter().map(|object| Object { temporary: false, ..object }).collect()
    }

    #[test]
    fn a_default_in_its_usual_spelling_stores_the_same() {
        let defaults = [
            "1",
            "+1",
            "-1",
            "(- -1)",
            "(1.0)",
            "0x1F",
            "-0x7F",
            "1e3",
            ".5",
            "-0.0",
            "1.5e300",
            "'1'",
            "' 1 '",
            "'1.50'",
            "'1e2'",
            "'+7'",
            "'-'",
            "'.'",
            "'0x1'",
            "''",
            "\"\"",
            "\"2\"",
            "word",
            "TRUE",
            "false",
            "NULL",
            "x'31'",
            "123456789012345678901234567890",
            "9007199254740993.0",
            "'123456789012345.6'",
            "'9223372036854775807'",
        ];
        for ty in ["INTEGER", "BOOLEAN", "DECIMAL(9, 2)", "REAL", "TEXT", "BLOB", "DATETIME", ""] {
            for written in defaults {
                let read =
                    constant::default(LEXICON.unparenthesised(written), &Type::raw(ty), false);
                let sql =
                    format!("CREATE TABLE t (a {ty} DEFAULT {written}, b {ty} DEFAULT ({read}))");
                let mut driver = open(&[&sql, "INSERT INTO t DEFAULT VALUES"]);
                let sql = "SELECT a IS b AND typeof(a) = typeof(b) FROM t";
                assert_eq!(rows(&mut driver, sql), [["1"]], "{ty}: {written} is read as {read}");
            }
        }
    }

    #[test]
    fn what_is_read_of_a_table_is_what_sqlite_says_of_it() {
        for sql in STATEMENTS {
            let mut driver = open(&[sql]);
            let read = read(&objects(&mut driver), None);
            assert_eq!(read.unreadable, [], "{sql}");
            let table = &read.schema.tables["t"];

            let info = "SELECT name, type, \"notnull\", pk, dflt_value, hidden \
                        FROM pragma_table_xinfo('t')";
            let info = rows(&mut driver, info);
            let key =
                table.primary_key.as_ref().map_or(&[][..], |primary_key| &primary_key.columns);
            assert_eq!(info.len(), table.columns.len(), "{sql}");
            for (info, column) in info.iter().zip(&table.columns) {
                let [name, ty, not_null, pk, default, hidden] = info.as_slice() else { panic!() };
                assert_eq!(*name, column.name, "{sql}");
                // SQLite removes the first quotes.
                let tight = |name: &str| name.replace([' ', '"', '\''], "").to_ascii_lowercase();
                assert_eq!(tight(&column.ty.to_string()), tight(ty), "{sql}");
                // SQLite reports a rowid's alias as nullable, although it isn't.
                assert!(!column.nullable || not_null == "0", "{sql}");
                assert!(column.nullable || not_null == "1" || key == [name.as_str()], "{sql}");
                let at = key.iter().position(|key| key == name).map_or(0, |position| position + 1);
                assert_eq!(*pk, at.to_string(), "{sql}");
                let expected = column.default.as_ref().map(ToString::to_string);
                let default = Some(default).filter(|text| !text.is_empty());
                let strict = table.has(TableOption::Strict);
                let default = default.map(|text| {
                    constant::default(LEXICON.unparenthesised(text), &column.ty, strict)
                });
                assert!(
                    match (&default, &expected) {
                        (Some(a), Some(b)) => LEXICON.same_expression(a, b),
                        (None, None) => true,
                        _ => false,
                    },
                    "{sql}: {default:?} {expected:?}"
                );
                let kind = column
                    .generated
                    .as_ref()
                    .map_or("0", |generated| if generated.stored { "3" } else { "2" });
                assert_eq!(hidden, kind, "{sql}");
            }

            let sql_keys = "SELECT id, \"table\", group_concat(\"from\"), \
                            group_concat(coalesce(\"to\", '')), on_delete, on_update \
                            FROM pragma_foreign_key_list('t') GROUP BY id ORDER BY id DESC";
            let keys = rows(&mut driver, sql_keys);
            assert_eq!(keys.len(), table.foreign_keys.len(), "{sql}");
            for (row, key) in keys.iter().zip(&table.foreign_keys) {
                assert!(row[1].eq_ignore_ascii_case(&key.references_table), "{sql}");
                assert!(row[2].eq_ignore_ascii_case(&key.columns.join(",")), "{sql}");
                // SQLite reports no referenced columns if the statement has none.
                let there = key.references_columns.join(",");
                let is_open = row[3].trim_matches(',').is_empty();
                assert!(row[3].eq_ignore_ascii_case(&there) || is_open, "{sql}");
                assert_eq!(row[4..], [key.on_delete.sql(), key.on_update.sql()], "{sql}");
            }

            let uniques = "SELECT (SELECT group_concat(name) FROM pragma_index_info(l.name)) \
                           FROM pragma_index_list('t') l WHERE origin = 'u' ORDER BY 1";
            let mut found: Vec<_> =
                table.uniques.iter().map(|unique| unique.columns.join(",")).collect();
            found.sort();
            // SQLite creates one index for two equal constraints.
            found.dedup();
            let uniques = rows(&mut driver, uniques);
            assert!(uniques.iter().all(|unique| found.contains(&unique[0])), "{sql}");
        }
    }

    #[test]
    fn tables_of_virtual_tables_are_recognised() {
        let mut driver = open(&[
            "CREATE VIRTUAL TABLE a USING fts4(x, content='')",
            "CREATE VIRTUAL TABLE \"b c\" USING fts5(x)",
            "CREATE VIRTUAL TABLE d USING rtree(id, lo, hi)",
            "CREATE TABLE d_names (id INTEGER)",
        ]);
        let read = read(&objects(&mut driver), None);
        let names: Vec<_> = read.schema.tables.keys().collect();
        assert_eq!(names, ["d_names", "p"]);
        assert_eq!(read.unreadable.len(), 0);
    }

    #[test]
    fn the_rows_of_a_table_are_counted_unless_there_are_many() {
        let mut driver = open(&[
            "CREATE TABLE few (id INTEGER PRIMARY KEY)",
            "INSERT INTO few VALUES (2), (1000000)",
            "CREATE TABLE many (id INTEGER PRIMARY KEY)",
            "INSERT INTO many VALUES (2), (1000001)",
            "CREATE TABLE without_rowids (id TEXT PRIMARY KEY) WITHOUT ROWID",
            "INSERT INTO without_rowids VALUES ('a')",
            "CREATE VIEW two AS SELECT 1 UNION ALL SELECT 2",
        ]);
        let mut about = |table: &str| {
            let count = rows_about(&mut driver, table).expect("it can be asked");
            count.map(|count| count.to_string())
        };
        assert_eq!(about("few").as_deref(), Some("2 rows"));
        assert_eq!(about("many").as_deref(), Some("about 1,000,001 rows"));
        assert_eq!(about("without_rowids").as_deref(), Some("1 row"));
        assert_eq!(about("two").as_deref(), Some("2 rows"));
        assert_eq!(about("none"), None);
        driver
            .batch(
                "CREATE TABLE gone (id); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone",
            )
            .unwrap();
        assert_eq!(rows_about(&mut driver, "broken").unwrap(), None);
    }

    #[test]
    fn what_a_model_s_table_is_read_as_is_what_it_is_stored_as() {
        let table = model();
        let operation = Operation::CreateTable(table.clone());
        let facts = facts();
        let ddl = Ddl { facts: &facts, operation: &operation };
        let create = ddl.create_table(&table).unwrap();
        let mut driver = open(&[&create]);
        for index in &table.indexes {
            driver.execute(&ddl::create_index(&table.name, index), &[]).unwrap();
        }
        let read = read(&objects(&mut driver), None);
        assert_eq!(read.schema.tables["post"], as_stored(&table, &facts).unwrap());
    }
}

#[test]
fn the_content_of_a_full_text_table_may_be_an_ordinary_table() {
    let docs = |options: &str| {
        let sql = format!("CREATE VIRTUAL TABLE docs USING fts5(body{options})");
        let objects = [table("docs", &sql), table("docs_content", "CREATE TABLE docs_content (a)")];
        read(&objects, None).schema.table("docs_content").is_some()
    };
    assert!(docs(", content='docs_content', content_rowid=rowid"));
    assert!(!docs(", tokenize='porter content'"));
}
