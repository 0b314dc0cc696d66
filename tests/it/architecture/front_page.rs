//! The part of the runtime that applications and revisions see. A name that is added to these pages
//! becomes a promise, so each new one has to be approved here.

use std::collections::BTreeSet;
use std::fs;

use dbmigrate_tests::repository;
use expect_test::{Expect, expect};

/// The public names that a file of the runtime declares or re-exports, except those that are hidden
/// in its documentation.
fn public_names(file: &str) -> BTreeSet<String> {
    let path = repository().join("dbmigrate-runtime/src").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{file}: {err}"));
    let mut names = BTreeSet::new();
    let mut is_hidden = false;
    let mut rest = text.as_str();
    while let Some((line, after)) = rest.split_once('\n') {
        // A `pub(crate)` or indented item isn't part of the page.
        match line.strip_prefix("pub ") {
            Some(item) if item.starts_with("use ") => {
                let (exported, after_use) = rest.split_once(';').expect("`pub use` ends with `;`");
                names.extend(exported_names(exported.trim_start_matches("pub use ")));
                rest = after_use;
                continue;
            }
            Some(item) if !is_hidden => {
                let mut words = item.split(|c: char| !c.is_alphanumeric() && c != '_');
                let (kind, name) = (words.next().unwrap(), words.next().unwrap());
                names.insert(format!("{kind} {name}"));
            }
            _ => {}
        }
        let is_attribute = line.starts_with('#') || line.starts_with("//");
        is_hidden = is_attribute && (is_hidden || line == "#[doc(hidden)]");
        rest = after;
    }
    names
}

/// `A` and `B` of `path::{A, B}`, or the last part of a path.
fn exported_names(exported: &str) -> Vec<String> {
    match exported.split_once('{') {
        Some((_, list)) => {
            let list = list.trim_end_matches('}').split(',').map(str::trim);
            list.filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        None => exported.rsplit("::").next().map(str::to_owned).into_iter().collect(),
    }
}

#[track_caller]
fn check(file: &str, expect: Expect) {
    expect
        .assert_eq(&public_names(file).iter().map(|name| format!("{name}\n")).collect::<String>());
}

#[test]
fn the_runtime_shows_what_is_for_applications_and_revisions() {
    check(
        "lib.rs",
        expect![[r#"
            Applied
            AppliedRevision
            Background
            Barrier
            BatchRange
            ColumnRef
            ColumnType
            Columns
            Connect
            ConnectToRead
            DatabaseError
            Db
            Direction
            Error
            FromValue
            Halfway
            IntoValues
            Migrator
            Model
            Module
            Options
            Plan
            PlannedRevision
            PlannedTask
            Report
            Revision
            Row
            Status
            StepResult
            TestDatabase
            Upgraded
            Value
            mod engine
            mod model
            mod operations
            mod prelude
            mod schema
            mysql
            postgres
            rusqlite
        "#]],
    );
    check(
        "operations/mod.rs",
        expect![[r#"
            AddColumnHandle
            Batch
            BatchAction
            BatchKey
            BulkInsertHandle
            ColumnChange
            CreateIndexHandle
            CustomOperation
            Execute
            ExecuteHandle
            Irreversible
            Operations
            ReplayError
            Rewrite
            Sql
            TableChange
            enum Operation
            struct OtherObject
            struct Step
        "#]],
    );
    check(
        "schema/mod.rs",
        expect![[r#"
            Check
            Column
            DefaultValue
            Deferrable
            ForeignKey
            Generated
            Identity
            Index
            IndexColumn
            IndexTerm
            Nulls
            PrimaryKey
            ReferentialAction
            Sql
            TableOption
            TableOptions
            Tables
            Type
            Unique
            struct Schema
            struct Table
        "#]],
    );
    check(
        "model/mod.rs",
        expect![[r#"
        Ty
        trait ColumnType
        trait Columns
        trait Model
    "#]],
    );
}
