//! Counts the rows of the project's database that a change affects, if there is a database. The
//! database is only read; if that isn't possible at the moment, the numbers are omitted.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use crate::autogenerate::{self, Changes, Held, Need};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::run;

/// The database whose rows are counted, if there is one.
#[derive(Default)]
pub struct Rows<'a> {
    cx: Option<&'a Context>,
    /// Opened when rows are counted for the first time.
    driver: OnceCell<Option<RefCell<Box<dyn Driver>>>>,
}

/// What a revision discards, with the number of affected rows if it is known.
pub struct Loss {
    pub text: String,
    pub rows: Option<i64>,
}

impl Loss {
    /// ``discards the data in table `user` (2 rows)``
    pub fn with_rows(&self) -> String {
        match self.rows {
            Some(n) => format!("{} ({})", self.text, autogenerate::rows(n)),
            None => self.text.clone(),
        }
    }
}

impl<'a> Rows<'a> {
    pub fn of(cx: &'a Context) -> Rows<'a> {
        Rows { cx: Some(cx), ..Rows::default() }
    }

    fn driver(&self) -> Option<&RefCell<Box<dyn Driver>>> {
        let open = || {
            let cx = self.cx?;
            // The numbers aren't worth waiting for.
            let patience = Patience { out: cx.out, at_most: Duration::ZERO };
            let driver = Database::find(cx).ok()?.open_to_read(patience).ok()?;
            driver.map(RefCell::new)
        };
        self.driver.get_or_init(open).as_ref()
    }

    /// What the revision discards; the schema is the one before it.
    pub fn losses(&self, changes: &Changes, before: &Schema) -> Vec<Loss> {
        let driver = if changes.losses.is_empty() { None } else { self.driver() };
        let counts = driver.map_or_else(BTreeMap::new, |driver| {
            run::counts(&mut **driver.borrow_mut(), before, &changes.operations)
        });
        let loss = |(idx, text): (&usize, &String)| Loss {
            text: text.clone(),
            rows: counts.get(idx).copied(),
        };
        changes.losses.iter().map(loss).collect()
    }

    /// The rows that need a value. `renames` run first, but the database doesn't have them yet.
    pub fn held(&self, need: &Need, renames: &[Operation]) -> Held {
        let mut held = Held::default();
        let Some(driver) = self.driver() else { return held };
        let mut driver = driver.borrow_mut();
        let (table, column) = name_before(need, renames);
        let dialect = driver.dialect();
        if need.is_of_one && need.dialect.backend() != dialect.backend() {
            return held;
        }
        let quoted = dialect.relation(&table);
        let conditions = need.conditions(dialect, &column);
        for (why, condition) in conditions {
            let n = run::count(&mut **driver, &quoted, condition.as_deref());
            held.by_why.extend(n.ok().map(|n| (why, n)));
        }
        for (value, condition) in need.removed_conditions(dialect, &column) {
            let n = run::count(&mut **driver, &quoted, Some(&condition));
            held.by_value.extend(n.ok().map(|n| (value, n)));
        }
        held
    }
}

/// The table and the column of a need under the names that they have in the database.
fn name_before(need: &Need, renames: &[Operation]) -> (String, String) {
    let (mut table, mut column) = (need.table.clone(), need.column.name.clone());
    for operation in renames.iter().rev() {
        match operation {
            Operation::RenameTable { from, to } if *to == table => table.clone_from(from),
            Operation::RenameColumn { table: of, from, to } if *of == table && *to == column => {
                column.clone_from(from);
            }
            _ => {}
        }
    }
    (table, column)
}
