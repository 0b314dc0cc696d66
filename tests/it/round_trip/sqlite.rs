//! SQLite: read by its own pragmas, and by the words of its definitions.

use std::collections::BTreeSet;
use std::path::Path;

use dbmigrate_tests::sql;
use rusqlite::Connection;

use super::{Pair, Schema, Words, assert_same};

const WORDS: Words = Words {
    id: "id INTEGER PRIMARY KEY",
    reference: "INTEGER",
    moment: "DATETIME",
    booleans: ["0", "1"],
    quote: "\"",
};

#[test]
fn schemas_of_sqlite_are_built_again() {
    let schemas = Schema::all(&["shared", "sqlite"], &WORDS, 0);
    let dir = std::env::temp_dir().join(format!("dbmigrate-schemas-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let (original, rebuilt) = (dir.join("original.db"), dir.join("rebuilt.db"));
    for schema in &schemas {
        sql(&original, &schema.tables);
    }
    let (before, names) = (read(&original), names(&original));
    let url = |path: &Path| format!("sqlite:{}", path.display());
    let (url, empty) = (url(&original), url(&rebuilt));
    let pair = Pair { name: "sqlite", dialect: "sqlite", url: &url, empty: &empty, tables: "" };
    pair.rebuild(&schemas);
    assert_same(&before, &read(&rebuilt));
    // A constraint without a name gets the one of the convention, which only the rebuilt one has.
    let lost: Vec<String> = names.difference(&self::names(&rebuilt)).cloned().collect();
    assert_eq!(lost, Vec::<String>::new());
    let _ = std::fs::remove_dir_all(&dir);
}

/// What a file contains, a line for each column, key, constraint and index.
fn read(path: &Path) -> BTreeSet<String> {
    let conn = Connection::open(path).unwrap();
    let tables = rows(
        &conn,
        "SELECT name, strict, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
         AND name NOT LIKE 'sqlite_%' AND name <> 'dbmigrate_version'",
    );
    let mut lines = BTreeSet::new();
    for table in tables {
        let [name, strict, wr] = table.as_slice() else { unreachable!() };
        lines.insert(format!("{name}: strict {strict}, without rowid {wr}"));
        let columns = rows(
            &conn,
            &format!(
                "SELECT cid, name, upper(type), \"notnull\" OR pk > 0, dflt_value, pk, hidden
                 FROM pragma_table_xinfo({})",
                literal(name)
            ),
        );
        for mut column in columns {
            column[2] = column[2].replace(" (", "(");
            column[4] = default(&conn, &column[2], &column[4]);
            lines.insert(format!("{name}: column {}", column.join(" | ")));
        }
        let keys = rows(
            &conn,
            &format!(
                "SELECT lower(\"table\"), group_concat(\"from\" || '>' || coalesce(\"to\", (
                     SELECT name FROM pragma_table_info(k.\"table\") WHERE pk = k.seq + 1
                 ))), on_update, on_delete FROM (
                     SELECT * FROM pragma_foreign_key_list({}) ORDER BY id, seq
                 ) AS k GROUP BY id",
                literal(name)
            ),
        );
        lines.extend(keys.iter().map(|key| format!("{name}: foreign key {}", key.join(" | "))));
        let indexes = rows(
            &conn,
            &format!(
                "SELECT l.origin, CASE l.origin WHEN 'c' THEN l.name END, l.\"unique\", l.partial, (
                     SELECT group_concat(coalesce(x.name, '?') || ' ' || x.desc || ' ' || x.coll)
                     FROM pragma_index_xinfo(l.name) AS x WHERE x.key
                 ), (SELECT sql FROM sqlite_schema AS s WHERE s.name = l.name)
                 FROM pragma_index_list({}) AS l",
                literal(name)
            ),
        );
        for mut index in indexes {
            let words = tokens(&index[5]);
            let on = words.iter().position(|word| word == "on").unwrap_or(0);
            let words: Vec<_> = words[on..].iter().filter(|word| *word != "asc").collect();
            let words: Vec<_> = words.into_iter().cloned().collect();
            index[5] = without_parentheses(&words).join(" ");
            lines.insert(format!("{name}: index {}", index.join(" | ")));
        }
        let definition =
            &rows(&conn, &format!("SELECT sql FROM sqlite_schema WHERE name = {}", literal(name)))
                [0][0];
        lines.extend(clauses(definition).iter().map(|clause| format!("{name}: {clause}")));
    }
    lines
}

/// The names of constraints: checks, keys and unique constraints.
fn names(path: &Path) -> BTreeSet<String> {
    let conn = Connection::open(path).unwrap();
    let tables = rows(
        &conn,
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'
         AND name NOT LIKE 'sqlite_%' AND name <> 'dbmigrate_version'",
    );
    let mut names = BTreeSet::new();
    for table in &tables {
        let words = tokens(&table[1]);
        for three in words.windows(3) {
            let [word, name, kind] = three else { unreachable!() };
            let kind = match kind.as_str() {
                "check" | "unique" | "primary" => kind.as_str(),
                // In the definition of a column, and in that of a table.
                "references" | "foreign" => "foreign",
                _ => continue,
            };
            if word == "constraint" {
                names.insert(format!("{}: {kind} {name}", table[0]));
            }
        }
    }
    names
}

/// What only the text of a definition says.
fn clauses(definition: &str) -> Vec<String> {
    let words = tokens(definition);
    let open = words.iter().position(|word| word == "(").unwrap();
    let mut clauses = Vec::new();
    for item in items(&words[open..]) {
        let column = &item[0];
        for (place, word) in item.iter().enumerate() {
            let next = item.get(place + 1).map_or("", String::as_str);
            match word.as_str() {
                "check" if next == "(" => {
                    clauses.push(format!("check {}", balanced(&item[place + 1..]).join(" ")));
                }
                "as" if next == "(" => {
                    clauses.push(format!("{column} as {}", balanced(&item[place + 1..]).join(" ")));
                }
                // The one that columns have without a clause.
                "collate" if next != "binary" => clauses.push(format!("{column} collate {next}")),
                "autoincrement" => clauses.push("autoincrement".to_owned()),
                "deferrable" => {
                    let when = item[place + 1..].iter().take(2).cloned().collect::<Vec<_>>();
                    clauses.push(format!("deferrable {}", when.join(" ")));
                }
                "conflict" => clauses.push(format!("on conflict {next}")),
                _ => {}
            }
        }
    }
    clauses.sort();
    // How many there are matters, too.
    clauses.iter().enumerate().map(|(nth, clause)| format!("{nth} {clause}")).collect()
}

/// The words of an index, whose terms can be in parentheses of their own.
fn without_parentheses(words: &[String]) -> Vec<String> {
    let Some(open) = words.iter().position(|word| word == "(") else { return Vec::new() };
    let items = items(&words[open..]).into_iter().map(|item| {
        if item[0] != "(" {
            return item;
        }
        let inner = balanced(&item);
        [&inner[1..inner.len() - 1], &item[inner.len()..]].concat()
    });
    let after = words[open + balanced(&words[open..]).len()..].to_vec();
    [items.collect::<Vec<_>>().join(&",".to_owned()), after].concat()
}

/// The items of a list in parentheses.
fn items(words: &[String]) -> Vec<Vec<String>> {
    let list = balanced(words);
    let (mut items, mut depth) = (vec![Vec::new()], 0);
    for word in &list[1..list.len() - 1] {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 && word == "," {
            items.push(Vec::new());
        } else {
            items.last_mut().unwrap().push(word.clone());
        }
    }
    items
}

/// The words from an opening parenthesis to the closing one.
fn balanced(words: &[String]) -> &[String] {
    let mut depth = 0;
    let end = words.iter().position(|word| {
        depth += match word.as_str() {
            "(" => 1,
            ")" => -1,
            _ => 0,
        };
        depth == 0
    });
    &words[..=end.unwrap()]
}

/// A definition in words: in lower case, names without quotes, and without comments.
fn tokens(sql: &str) -> Vec<String> {
    let chars: Vec<char> = sql.chars().collect();
    let (mut words, mut at) = (Vec::new(), 0);
    let until = |from: usize, close: char| {
        let mut end = from;
        while end < chars.len() {
            if chars[end] == close {
                if chars.get(end + 1) != Some(&close) || close == ']' {
                    break;
                }
                end += 1;
            }
            end += 1;
        }
        end
    };
    while at < chars.len() {
        let (char, next) = (chars[at], chars.get(at + 1));
        match char {
            '\'' => {
                let end = until(at + 1, '\'');
                words.push(chars[at..=end].iter().collect());
                at = end + 1;
            }
            '"' | '`' | '[' => {
                let end = until(at + 1, if char == '[' { ']' } else { char });
                let name: String = chars[at + 1..end].iter().collect();
                words.push(name.replace("\"\"", "\"").to_lowercase());
                at = end + 1;
            }
            '-' if next == Some(&'-') => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
            }
            '/' if next == Some(&'*') => {
                while chars[at] != '*' || chars[at + 1] != '/' || at == 0 {
                    at += 1;
                }
                at += 2;
            }
            _ if char.is_alphanumeric() || char == '_' => {
                let start = at;
                while at < chars.len() && (chars[at].is_alphanumeric() || "_.".contains(chars[at]))
                {
                    at += 1;
                }
                words.push(chars[start..at].iter().collect::<String>().to_lowercase());
            }
            _ => {
                if !char.is_whitespace() {
                    words.push(char.to_string());
                }
                at += 1;
            }
        }
    }
    words
}

/// A default as the value that a row gets, unless that depends on the moment.
fn default(conn: &Connection, ty: &str, expression: &str) -> String {
    let lower = expression.to_lowercase();
    if lower == "datetime('now')" {
        return "current_timestamp".to_owned();
    }
    if ["now", "current", "random"].iter().any(|word| lower.contains(word)) {
        return tokens(expression).join(" ");
    }
    let row = |default: &str| {
        conn.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.one; CREATE TEMP TABLE one (a {ty} DEFAULT {default});
             INSERT INTO temp.one DEFAULT VALUES;"
        ))
    };
    // The pragma leaves out the parentheses that an expression needs.
    row(expression).or_else(|_| row(&format!("({expression})"))).unwrap();
    rows(conn, "SELECT typeof(a) || ' ' || quote(a) FROM temp.one")[0][0].clone()
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn rows(conn: &Connection, query: &str) -> Vec<Vec<String>> {
    let mut statement = conn.prepare(query).unwrap_or_else(|err| panic!("{query}: {err}"));
    let n = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..n)
            .map(|idx| {
                Ok(match row.get_ref(idx)? {
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    rusqlite::types::ValueRef::Real(number) => number.to_string(),
                    rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                    rusqlite::types::ValueRef::Blob(_) => "blob".to_owned(),
                })
            })
            .collect()
    });
    rows.and_then(Iterator::collect).unwrap_or_else(|err| panic!("{query}: {err}"))
}
