//! SQL of a person's own with a type that knows its way back.

use super::execute::undo;
use super::{Execute, Operation, Operations, Sql};
use crate::schema::Schema;

/// A kind of operation of your own: SQL with a name and, optionally, a reverse.
///
/// Write a type that implements this trait once, in a module next to the migrations' `mod.rs`
/// (declared there: `pub mod views;`), and use it in revisions through `use
/// super::super::views::CreateView;`. A revision records it with [`Operations::invoke`] and
/// reverses it with [`Operations::revert`].
///
/// As with [`Operations::execute`], what is recorded is the SQL and the operations that it
/// describes. If the shared type changes either of them, every revision that uses the type changes,
/// and applied revisions then count as edited. So leave the type unchanged once it has been
/// applied, and pass whatever may vary as values. The name and the reverse may change freely.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::prelude::*;
///
/// // In `migrations/views.rs`:
/// pub struct CreateView {
///     pub name: &'static str,
///     pub select: &'static str,
/// }
///
/// impl CustomOperation for CreateView {
///     fn name(&self) -> String {
///         format!("create view `{}`", self.name)
///     }
///
///     fn sql(&self) -> Sql {
///         format!("CREATE VIEW {} AS {}", self.name, self.select).into()
///     }
///
///     fn reverse(&self) -> Option<Sql> {
///         Some(format!("DROP VIEW {}", self.name).into())
///     }
///
///     fn describes(&self, op: &mut Operations) {
///         op.makes_view(self.name);
///     }
/// }
///
/// // In a revision:
/// const ACTIVE: CreateView =
///     CreateView { name: "active_user", select: "SELECT * FROM user WHERE active" };
///
/// pub fn upgrade(op: &mut Operations) {
///     op.invoke(&ACTIVE);
/// }
///
/// pub fn downgrade(op: &mut Operations) {
///     op.revert(&ACTIVE);
/// }
/// # let record = |f: fn(&mut Operations)| Operations::record(f).remove(0).to_string();
/// # assert_eq!(record(upgrade), "create view `active_user`");
/// # assert_eq!(record(downgrade), "undo create view `active_user`");
/// ```
pub trait CustomOperation {
    /// What it does, in a few lower-case words, for plans, scripts and messages.
    fn name(&self) -> String;

    /// The SQL: one text for all databases, or one for each dialect.
    fn sql(&self) -> Sql;

    /// The SQL that reverses it: an empty [`Sql::new`] if nothing has to be done, and `None` if it
    /// can't be reversed. A revision that reverts it can't be undone then.
    fn reverse(&self) -> Option<Sql>;

    /// Records operations that change the schema as the SQL does, and declares which views,
    /// triggers and virtual tables it creates or drops ([`Operations::makes_view`] and the like),
    /// so that `check` reports them when they are missing. The operations don't run themselves. The
    /// default records nothing, which is right for SQL that only changes rows.
    fn describes(&self, op: &mut Operations) {
        let _ = op;
    }

    /// The same for the reverse. The default reverses those operations of [`describes`] that
    /// create, add or rename something. It can't know the definitions of what they drop or change,
    /// so override this method in that case.
    ///
    /// [`describes`]: CustomOperation::describes
    fn describes_reverse(&self, op: &mut Operations) {
        let described = Operations::record(|op| self.describes(op));
        let nothing = Schema::default();
        let reversed =
            described.iter().rev().filter_map(|operation| operation.reverse(&nothing).ok());
        reversed.flatten().for_each(|operation| op.push(operation));
    }
}

impl Operations {
    /// Runs an operation of your own; see [`CustomOperation`].
    pub fn invoke(&mut self, operation: &(impl CustomOperation + ?Sized)) {
        self.push(Operation::Execute(Execute {
            sql: operation.sql(),
            name: Some(operation.name()),
            reverse: operation.reverse(),
            describes: Operations::record(|op| operation.describes(op)),
        }));
    }

    /// Reverses an operation of your own. If it has no reverse, this direction becomes
    /// irreversible, which is known before anything runs; see [`CustomOperation`].
    pub fn revert(&mut self, operation: &(impl CustomOperation + ?Sized)) {
        let Some(sql) = operation.reverse() else {
            return self.irreversible(&format!("{} can't be reversed", operation.name()));
        };
        let describes = Operations::record(|op| operation.describes_reverse(op));
        let name = Some(undo(&operation.name()));
        if let Some(back) = Execute::back(&sql, name, &operation.sql(), describes) {
            self.push(Operation::Execute(back));
        }
    }
}
