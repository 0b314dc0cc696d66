//! A host with many small revisions, and the same changes as SQL.

use std::fmt::Write as _;

use crate::hosts::{Derive, Host};
use crate::{Bench, Result, measure};

/// The number of revisions.
pub const N_REVISIONS: usize = 500;

/// The host, with the recordings of its revisions already cached.
pub fn host(bench: &Bench) -> Result<Host> {
    host_of(bench, "revisions", N_REVISIONS)
}

/// The same with another number of revisions.
pub fn host_of(bench: &Bench, name: &str, n_revisions: usize) -> Result<Host> {
    let host = Host::new(bench, name, Derive::Model, 1)?;
    measure::output(&mut host.tool(&["init", "--no-add"]))?;
    for n in 1..=n_revisions {
        let path = format!("migrations/versions/{}.rs", module(n));
        host.write(&path, &revision(n))?;
    }
    measure::output(&mut host.tool(&["heads"]))?;
    Ok(host)
}

/// The id of the revision with this number.
pub fn id(n: usize) -> String {
    format!("{n:012x}")
}

fn module(n: usize) -> String {
    format!("m20240101_{n:06}_{}_change_{n}", id(n))
}

fn revision(n: usize) -> String {
    let before = if n == 1 { String::new() } else { format!("{:?}", id(n - 1)) };
    let (up, down) = if n % 2 == 1 { table(n) } else { column(n - 1) };
    format!(
        "//! change {n}\n\nuse dbmigrate_runtime::prelude::*;\n\n\
         pub const REVISION: &str = {:?};\n\
         pub const DOWN_REVISION: &[&str] = &[{before}];\n\
         pub const BRANCH_LABELS: &[&str] = &[];\n\
         pub const DEPENDS_ON: &[&str] = &[];\n\n\
         pub fn upgrade(op: &mut Operations) {{\n{up}}}\n\n\
         pub fn downgrade(op: &mut Operations) {{\n{down}}}\n",
        id(n)
    )
}

fn table(n: usize) -> (String, String) {
    let mut up = format!("    op.create_table(\n        Table::new(\"thing_{n}\")\n");
    for (name, ty) in [("id", "BigInteger"), ("name", "String(100)"), ("created_at", "DateTime")] {
        let _ = writeln!(up, "            .column(Column::new({name:?}, Type::{ty}).not_null())");
    }
    let _ = writeln!(up, "            .primary_key(\"pk_thing_{n}\", [\"id\"]),\n    );");
    (up, format!("    op.drop_table(\"thing_{n}\");\n"))
}

fn column(n: usize) -> (String, String) {
    (
        format!("    op.add_column(\"thing_{n}\", Column::new(\"note\", Type::String(200)));\n"),
        format!("    op.drop_column(\"thing_{n}\", \"note\");\n"),
    )
}

/// The same changes, each as the SQL that a person would write, with the database's word for a
/// date with its time.
pub fn sql(date_time: &str) -> Vec<String> {
    let change = |n: usize| match n % 2 {
        1 => format!(
            "CREATE TABLE \"thing_{n}\" (\n    \"id\" INTEGER NOT NULL PRIMARY KEY,\n    \
             \"name\" VARCHAR(100) NOT NULL,\n    \"created_at\" {date_time} NOT NULL\n);\n"
        ),
        _ => format!("ALTER TABLE \"thing_{}\" ADD COLUMN \"note\" VARCHAR(200);\n", n - 1),
    };
    (1..=N_REVISIONS).map(change).collect()
}

/// The way back of each of these changes.
pub fn sql_back() -> Vec<String> {
    let change = |n: usize| match n % 2 {
        1 => format!("DROP TABLE \"thing_{n}\";\n"),
        _ => format!("ALTER TABLE \"thing_{}\" DROP COLUMN \"note\";\n", n - 1),
    };
    (1..=N_REVISIONS).map(change).collect()
}
