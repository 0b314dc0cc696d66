//! The stored definition of a table, and of the objects that belong to it.

use crate::dialect::sqlite::ddl::{self, Ddl};
use crate::dialect::sqlite::definition::Definition;
use crate::dialect::sqlite::edit::same_name;
use crate::dialect::{Object, ObjectKind, Refusal};
use crate::schema::Table;

/// What is stored for a table and the objects that belong to it.
pub(super) struct Stored {
    pub(super) definition: Definition,
    /// Their names and SQL.
    pub(super) indexes: Vec<(String, String)>,
    pub(super) triggers: Vec<String>,
    /// The statistics tables of ANALYZE.
    pub(super) statistics: Vec<&'static str>,
}

impl Stored {
    pub(super) fn find(ddl: &Ddl<'_>, table: &Table) -> Result<Stored, Refusal> {
        let definition = definition(ddl, table)?;
        let Some(objects) = &ddl.facts.objects else {
            let indexes = table.indexes.iter();
            return Ok(Stored {
                definition,
                indexes: indexes
                    .map(|index| (index.name.clone(), ddl::create_index(&table.name, index)))
                    .collect(),
                triggers: Vec::new(),
                statistics: Vec::new(),
            });
        };
        let of_table = |object: &&Object| same_name(&object.table, &table.name);
        let is_garbled =
            |object: &&Object| object.sql.as_ref().is_some_and(|sql| sql.contains('\u{fffd}'));
        if let Some(object) = objects.iter().filter(of_table).find(is_garbled) {
            let why = format!(
                "the definition of {} `{}` contains text that is not UTF-8",
                object.kind, object.name
            );
            return Err(ddl.refuse(&why, "recreate it in UTF-8 first"));
        }
        let indexes =
            objects.iter().filter(of_table).filter(|object| object.kind == ObjectKind::Index);
        let indexes = indexes.filter_map(|object| Some((object.name.clone(), object.sql.clone()?)));
        let triggers =
            objects.iter().filter(of_table).filter(|object| object.kind == ObjectKind::Trigger);
        let statistics = ["sqlite_stat1", "sqlite_stat4"].into_iter();
        Ok(Stored {
            definition,
            indexes: indexes.collect(),
            triggers: triggers.filter_map(trigger_text).collect(),
            statistics: statistics
                .filter(|name| objects.iter().any(|object| object.name == *name))
                .collect(),
        })
    }
}

/// The definition of a table as it is stored, or else as the migrations would create it.
pub(in super::super) fn definition(ddl: &Ddl<'_>, table: &Table) -> Result<Definition, Refusal> {
    let garbled = |why: String| {
        ddl.refuse(
            &format!("the definition of table `{}` can't be parsed: {why}", table.name),
            "write the change yourself with `op.execute`, and declare its effect with `.describes`",
        )
    };
    let Some(objects) = &ddl.facts.objects else {
        return Definition::parse(&ddl.create_table(table)?).map_err(garbled);
    };
    let is_table = |object: &&Object| same_name(&object.name, &table.name);
    if objects.iter().any(|object| object.temporary && is_table(&object)) {
        let why = format!("a temporary object of the connection hides the table `{}`", table.name);
        return Err(ddl.refuse(&why, "drop it first, or run the migrations on another connection"));
    }
    let stored = objects.iter().find(|object| object.kind == ObjectKind::Table && is_table(object));
    match stored.and_then(|object| object.sql.as_deref()) {
        Some(sql) => Definition::parse(sql).map_err(garbled),
        None => Err(ddl.refuse(
            &format!("the database has no table `{}`", table.name),
            "the database differs from what the migrations build: `cargo dbmigrate check` lists \
             the differences",
        )),
    }
}

/// The statement of a trigger. SQLite stores it without the word `TEMP`.
fn trigger_text(object: &Object) -> Option<String> {
    let sql = object.sql.as_ref()?;
    if object.temporary {
        let tail = sql.trim_start().get("CREATE".len()..)?;
        Some(format!("CREATE TEMP{tail}"))
    } else {
        Some(sql.clone())
    }
}
