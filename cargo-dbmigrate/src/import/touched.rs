//! Which tables SQL can have changed, so that only those are read again.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::{Catalog, Dialect, Object, ObjectKind, ObjectName};
use dbmigrate_runtime::engine::sql::Token;
use dbmigrate_runtime::schema::{Column, Table, Type};

/// The beginnings of statements that change the definitions of nothing but what they name.
const PLAIN: [&[&str]; 13] = [
    &["ALTER", "TABLE"],
    &["COMMENT", "ON", "COLUMN"],
    &["COMMENT", "ON", "TABLE"],
    &["CREATE", "INDEX"],
    &["CREATE", "TABLE"],
    &["CREATE", "UNIQUE", "INDEX"],
    &["DELETE"],
    &["DROP", "INDEX"],
    &["DROP", "TABLE"],
    &["INSERT"],
    &["RENAME", "TABLE"],
    &["REPLACE"],
    &["UPDATE"],
];

/// Words that lead to tables that the statement doesn't name.
const FAR: [&str; 6] = ["EXECUTE", "EXTENSION", "INHERIT", "INHERITS", "PARTITION", "SCHEMA"];

/// The names of the tables that SQL can have changed; `None` if that can be any table. `before` is
/// what the database contained before it.
pub(super) fn tables(
    dialect: &dyn Dialect,
    sql: &str,
    before: &Catalog,
) -> Option<BTreeSet<String>> {
    // MySQL runs some comments, and a virtual table has others behind it.
    let mut others = before.others.iter();
    if sql.contains("/*!")
        || sql.contains("/*M!")
        || !before.unreadable.is_empty()
        || others.any(|other| other.kind == ObjectKind::VirtualTable)
        || before.objects.iter().any(|object| object.kind == ObjectKind::Partition)
        || before.beyond.iter().any(|beyond| beyond.text.contains("inherits"))
    {
        return None;
    }
    let tokens = dialect.lexicon().significant(sql);
    // On PostgreSQL, a trigger's function can change definitions.
    let is_function = |object: &Object| object.kind == ObjectKind::Function;
    let rows_may_define =
        !dialect.backend().is_mysql_like() && before.objects.iter().any(is_function);
    let statements = tokens.split(|token| token.is_symbol(";"));
    let mut statements = statements.filter(|statement| !statement.is_empty());
    if !statements
        .all(|statement| is_plain(statement) && !(rows_may_define && is_of_rows(statement)))
    {
        return None;
    }
    let names = tokens.iter().filter_map(Token::identifier);
    let mut named: BTreeSet<String> =
        names.flat_map(|name| [name.to_lowercase(), name.into_owned()]).collect();
    let is_named = |name: &str| named.contains(name) || named.contains(&name.to_lowercase());
    // An index is dropped by its own name.
    let owners = before.objects.iter().filter(|object| is_named(&object.name));
    let mut found: BTreeSet<String> = owners.map(|object| object.table.clone()).collect();
    // A rename shows in the tables that refer to it.
    for table in before.schema.tables.values() {
        let mut referred = table.foreign_keys.iter().map(|key| key.references_table.as_str());
        if referred.any(is_named) {
            found.insert(table.name.clone());
        }
    }
    named.append(&mut found);
    Some(named)
}

fn is_plain(statement: &[Token<'_>]) -> bool {
    let begins = |words: &&[&str]| {
        let mut tokens = statement.iter();
        words.iter().all(|word| tokens.next().is_some_and(|token| token.is_word(word)))
    };
    let is_action = |token: &Token<'_>| token.is_word("DELETE") || token.is_word("UPDATE");
    // `CASCADE` is harmless in the action of a foreign key.
    let mut pairs = statement.windows(2);
    let cascades = pairs.any(|pair| pair[1].is_word("CASCADE") && !is_action(&pair[0]));
    let is_far = |token: &Token<'_>| FAR.iter().any(|word| token.is_word(word));
    PLAIN.iter().any(begins) && !cascades && !statement.iter().any(is_far)
}

fn is_of_rows(statement: &[Token<'_>]) -> bool {
    let words = ["DELETE", "INSERT", "REPLACE", "UPDATE"];
    statement.first().is_some_and(|first| words.iter().any(|word| first.is_word(word)))
}

/// Whether a database contains nothing but tables and their indexes, so that reading those of these
/// names again shows all that a statement did.
pub(super) fn are_alone(
    dialect: &dyn Dialect,
    tables: &BTreeSet<String>,
    before: &Catalog,
) -> bool {
    // On PostgreSQL, the type of a column can remain without its table.
    let is_own = |column: &Column| matches!(column.ty, Type::Enum(..) | Type::Raw(_));
    let leaves_type = |table: &Table| table.columns.iter().any(is_own);
    let mut named = tables.iter().filter_map(|name| before.schema.table(name));
    let is_part = |object: &Object| matches!(object.kind, ObjectKind::Table | ObjectKind::Index);
    before.objects.iter().all(|object| is_part(object) && !object.temporary)
        && (dialect.backend() != Backend::Postgres || !named.any(leaves_type))
}

/// A catalog that contains nothing but tables, of which these were read again.
pub(super) fn replaced(before: &Catalog, read: Catalog, tables: &BTreeSet<String>) -> Catalog {
    let mut replaced = Catalog { unreadable: read.unreadable, ..before.clone() };
    replaced.schema.tables.retain(|name, _| !tables.contains(name));
    replaced.beyond.retain(|beyond| !tables.contains(&beyond.table));
    replaced.objects.retain(|object| !tables.contains(&object.table));
    for table in read.schema.tables.into_values() {
        let object = |kind, name: &str| Object {
            kind,
            name: name.to_owned(),
            table: table.name.clone(),
            sql: None,
            temporary: false,
        };
        replaced.objects.push(object(ObjectKind::Table, &table.name));
        let indexes = table.indexes.iter().map(|index| &index.name);
        let indexes = indexes.chain(table.uniques.iter().map(|unique| &unique.name));
        replaced.objects.extend(indexes.map(|name| object(ObjectKind::Index, name)));
        replaced.schema.tables.insert(table.name.clone(), table);
    }
    replaced.beyond.extend(read.beyond);
    replaced
}

/// A catalog of which only these tables were read again; `None` if others have come or gone.
pub(super) fn merged(
    before: &Catalog,
    read: Catalog,
    tables: &BTreeSet<String>,
) -> Option<Catalog> {
    let names = |catalog: &Catalog| -> BTreeSet<String> {
        let objects = catalog.objects.iter();
        let others = objects
            .filter(|object| object.kind == ObjectKind::Table && !tables.contains(&object.name));
        others.map(|object| object.name.clone()).collect()
    };
    if names(before) != names(&read) || !read.unreadable.is_empty() {
        return None;
    }
    let mut merged = read;
    for table in before.schema.tables.values().filter(|table| !tables.contains(&table.name)) {
        merged.schema.tables.insert(table.name.clone(), table.clone());
    }
    let others = before.beyond.iter().filter(|beyond| !tables.contains(&beyond.table));
    merged.beyond.extend(others.cloned());
    let is_other = |object: &&Object| {
        !matches!(object.kind, ObjectKind::Table | ObjectKind::Index) && !object.temporary
    };
    let others = merged.objects.iter().filter(is_other);
    merged.others = others.map(|object| ObjectName::new(object.kind, &object.name)).collect();
    merged.others.dedup();
    Some(merged)
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::dialect;
    use dbmigrate_runtime::schema::{ForeignKey, Index};

    use super::*;

    /// A table `a`, to which `b` refers, with an index and a function.
    fn catalog() -> Catalog {
        let column = |name: &str| Column::new(name, Type::Integer);
        let a = Table::new("a").column(column("id"));
        let key = ForeignKey::new("b_a", ["a_id"], "a", ["id"]);
        let b = Table::new("b").column(column("a_id")).foreign_key(key);
        let mut catalog = Catalog::default();
        for table in [a, b, Table::new("c").column(column("id"))] {
            catalog.schema.tables.insert(table.name.clone(), table);
        }
        for (kind, name, table) in
            [(ObjectKind::Index, "by_id", "c"), (ObjectKind::Function, "f", "")]
        {
            let (name, table) = (name.to_owned(), table.to_owned());
            catalog.objects.push(Object { kind, name, table, sql: None, temporary: false });
        }
        catalog
    }

    #[test]
    fn only_what_a_statement_names_is_read_again_and_what_depends_on_it() {
        let catalog = catalog();
        let touched = |backend: Backend, sql: &str| {
            let found = tables(dialect::of(backend).unwrap(), sql, &catalog)?;
            let known = found.into_iter().filter(|name| catalog.schema.table(name).is_some());
            Some(known.collect::<Vec<_>>().join(" "))
        };
        let postgres = |sql: &str| touched(Backend::Postgres, sql);
        assert_eq!(postgres("ALTER TABLE A RENAME TO z;").as_deref(), Some("a b"));
        assert_eq!(postgres("-- x\nDROP INDEX by_id;").as_deref(), Some("c"));
        assert_eq!(postgres("CREATE TABLE d (id int); DROP TABLE \"c\"").as_deref(), Some("c"));
        let key = "CREATE TABLE d (x int REFERENCES c ON DELETE CASCADE)";
        assert_eq!(postgres(key).as_deref(), Some("c"));
        for sql in [
            "DROP TABLE c CASCADE",
            "DO $$ BEGIN EXECUTE 'DROP TABLE c'; END $$",
            "SELECT f()",
            "ALTER TYPE t RENAME TO u",
            "CREATE TABLE d PARTITION OF c DEFAULT",
            "ALTER TABLE c SET SCHEMA other",
            "INSERT INTO c VALUES (1)",
            "ALTER TABLE c ADD x int; CALL p()",
        ] {
            assert_eq!(postgres(sql), None, "{sql}");
        }
        let mysql = |sql: &str| touched(Backend::Mysql, sql);
        assert_eq!(mysql("INSERT INTO c VALUES (1)").as_deref(), Some("c"));
        assert_eq!(mysql("RENAME TABLE `c` TO d").as_deref(), Some("c"));
        assert_eq!(mysql("/*!40101 DROP TABLE c */; INSERT INTO a VALUES (1)"), None);
        assert_eq!(mysql("PREPARE s FROM 'DROP TABLE c'"), None);
    }

    #[test]
    fn tables_are_read_alone_where_nothing_else_can_have_changed() {
        let postgres = dialect::of(Backend::Postgres).unwrap();
        let mysql = dialect::of(Backend::Mysql).unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut before = catalog();
        assert!(!are_alone(postgres, &names(&["c"]), &before));
        before.objects.retain(|object| object.kind == ObjectKind::Index);
        assert!(are_alone(postgres, &names(&["c", "d"]), &before));
        let mood = Column::new("mood", Type::Enum("mood".into(), vec!["ok".into()]));
        let table = Table::new("c").column(mood);
        before.schema.tables.insert("c".to_owned(), table);
        assert!(!are_alone(postgres, &names(&["c"]), &before));
        assert!(are_alone(postgres, &names(&["a"]), &before));
        assert!(are_alone(mysql, &names(&["c"]), &before));
        // What was renamed is gone under its old name.
        let mut read = Catalog::default();
        let index = Index::new("by_id", ["id"]);
        let mut d = Table::new("d").column(Column::new("id", Type::Integer));
        d.indexes.push(index);
        read.schema.tables.insert("d".to_owned(), d);
        let after = replaced(&before, read, &names(&["c", "d"]));
        let tables: Vec<&str> = after.schema.tables.keys().map(String::as_str).collect();
        assert_eq!(tables, ["a", "b", "d"]);
        let objects: Vec<String> = after
            .objects
            .iter()
            .map(|object| format!("{} of {}", object.name, object.table))
            .collect();
        assert_eq!(objects, ["d of d", "by_id of d"]);
    }
}
