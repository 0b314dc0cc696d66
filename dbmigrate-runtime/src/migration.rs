//! Migrations: revisions together with the operations that they record.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Error;
use crate::direction::Direction;
use crate::operations::{self, Operation, Operations, Recording};
use crate::revision::{Graph, GraphError, Revision, Target, View};
use crate::schema::Schema;
use crate::schema::qualified::split;

/// A revision module as the `migrations!` macro names it.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    /// The module's name, which is also the name of its file.
    pub name: &'static str,
    /// `REVISION`
    pub revision: &'static str,
    /// `DOWN_REVISION`
    pub down_revision: &'static [&'static str],
    /// `BRANCH_LABELS`
    pub branch_labels: &'static [&'static str],
    /// `DEPENDS_ON`
    pub depends_on: &'static [&'static str],
    /// `REPLACES`, if the module defines it
    pub replaces: &'static [&'static str],
    /// The first line of the module's documentation.
    pub message: &'static str,
    /// `upgrade`
    pub upgrade: fn(&mut Operations),
    /// `downgrade`
    pub downgrade: fn(&mut Operations),
}

impl Module {
    /// The revision's place in the history.
    pub fn revision(&self) -> Revision {
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        Revision {
            id: self.revision.to_owned(),
            parents: owned(self.down_revision),
            branch_labels: owned(self.branch_labels),
            depends_on: owned(self.depends_on),
            replaces: owned(self.replaces),
            message: self.message.to_owned(),
            file: self.name.to_owned(),
        }
    }

    /// Calls both functions and keeps the operations that they record.
    #[doc(hidden)]
    pub fn record(&self) -> Migration {
        let record = |function: fn(&mut Operations)| {
            let mut op = Operations::new();
            function(&mut op);
            op.finish()
        };
        Migration::new(self.revision(), record(self.upgrade), record(self.downgrade))
    }
}

/// A revision together with what its two directions record.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The revision: its place in the history.
    pub revision: Revision,
    /// What `upgrade` recorded.
    pub upgrade: Recording,
    /// What `downgrade` recorded.
    pub downgrade: Recording,
    /// The checksum of the upgrade's operations.
    pub checksum: String,
}

impl Migration {
    /// A migration; computes the checksum of its operations.
    pub fn new(revision: Revision, upgrade: Recording, downgrade: Recording) -> Migration {
        let checksum = operations::checksum(&upgrade.operations);
        Migration { revision, upgrade, downgrade, checksum }
    }

    /// What the direction recorded.
    pub fn recording(&self, direction: Direction) -> &Recording {
        match direction {
            Direction::Upgrade => &self.upgrade,
            Direction::Downgrade => &self.downgrade,
        }
    }
}

/// All migrations of a project, in the order of their graph. Clones and views share the recordings.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    graph: Graph,
    /// In the graph's order.
    migrations: Vec<Arc<Migration>>,
    /// Migrations that are not part of this view of the graph.
    others: Vec<Arc<Migration>>,
}

impl Migrations {
    /// Orders migrations.
    ///
    /// # Errors
    ///
    /// When their revisions don't form a graph.
    pub fn new(migrations: Vec<Migration>) -> Result<Migrations, Error> {
        let graph =
            Graph::new(migrations.iter().map(|migration| migration.revision.clone()).collect())?;
        Ok(Migrations::of(graph, migrations.into_iter().map(Arc::new)))
    }

    /// Migrations in the order of a view of their graph.
    pub fn of(graph: Graph, migrations: impl IntoIterator<Item = Arc<Migration>>) -> Migrations {
        let by_id = |migration: Arc<Migration>| (migration.revision.id.clone(), migration);
        let mut by_id: BTreeMap<_, _> = migrations.into_iter().map(by_id).collect();
        let in_view = |revision: &Revision| {
            let mut migration = by_id.remove(&revision.id)?;
            if migration.revision != *revision {
                Arc::make_mut(&mut migration).revision = revision.clone();
            }
            Some(migration)
        };
        let migrations = graph.revisions().iter().filter_map(in_view).collect();
        Migrations { graph, migrations, others: by_id.into_values().collect() }
    }

    /// The migrations from the point of view of a database with these applied revisions: see
    /// [`Graph::view`].
    ///
    /// # Errors
    ///
    /// When the database is at a revision whose file no longer exists.
    pub fn view(&self, applied: BTreeSet<String>) -> Result<View<'_, Migrations>, GraphError> {
        let View { of, applied, counted } = self.graph.view(applied)?;
        let of = match of {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(graph) => {
                let all = self.migrations.iter().chain(&self.others).cloned();
                Cow::Owned(Migrations::of(graph, all))
            }
        };
        Ok(View { of, applied, counted })
    }

    /// The same before a stamp, which itself decides what is applied. The target may be one of the
    /// revisions that another one replaces, even if the database has the replacing revision; or the
    /// replacing revision, even if the database has only some of those that it replaces.
    ///
    /// # Errors
    ///
    /// As [`Migrations::view`], if the target doesn't decide the question; and when the target is
    /// within what another revision replaces, and those files no longer exist.
    pub fn view_to_stamp(
        &self,
        applied: BTreeSet<String>,
        target: &Target,
    ) -> Result<View<'_, Migrations>, Error> {
        let mut rows = applied.clone();
        let mut named = BTreeSet::new();
        for id in target.ids() {
            let by = self.graph.replacing_one(id);
            if !by.is_empty() && rows.insert(id.to_owned()) {
                named.insert(id.to_owned());
            }
            rows.retain(|row| !by.iter().any(|revision| revision.id == *row));
        }
        let mut view = match self.view(rows) {
            Ok(view) => view,
            Err(err) => {
                let wanted = self.graph.with_ancestors(&target.ids());
                let wanted = wanted.iter().filter_map(|id| self.graph.get(id));
                let replaced: BTreeSet<&str> = wanted.flat_map(Revision::replaced).collect();
                let rest = applied.iter().filter(|id| !replaced.contains(id.as_str()));
                self.view(rest.cloned().collect()).map_err(|_| err)?
            }
        };
        view.applied.retain(|applied| !named.contains(applied));
        let graph = view.of.graph();
        match target.ids().into_iter().find_map(|id| graph.replaced_by(id)) {
            Some((id, by)) => Err(graph.no_such_point(id, by).into()),
            None => Ok(view),
        }
    }

    /// The same, with the migration that has this one's id replaced by this one.
    pub fn with(mut self, migration: Migration) -> Migrations {
        let mut all = self.migrations.iter_mut().chain(&mut self.others);
        if let Some(existing) = all.find(|other| other.revision.id == migration.revision.id) {
            *existing = Arc::new(Migration { revision: existing.revision.clone(), ..migration });
        }
        self
    }

    /// The revisions' graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The migrations, each after those that it needs.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Migration> {
        self.migrations.iter().map(Arc::as_ref)
    }

    /// The names that tables in a schema of their own choice have or had, such as
    /// `billing.invoice`.
    #[doc(hidden)]
    pub fn qualified(&self) -> BTreeSet<String> {
        fn add(operation: &Operation, names: &mut BTreeSet<String>) {
            match operation {
                Operation::CreateTable(table) if table.schema.is_some() => {
                    names.insert(table.name.clone());
                }
                Operation::RenameTable { from, to } => {
                    let both = [from, to].into_iter();
                    names.extend(both.filter(|name| split(name).0.is_some()).cloned());
                }
                Operation::Execute(statement) => {
                    statement.describes.iter().for_each(|operation| add(operation, names));
                }
                _ => {}
            }
        }
        let mut names = BTreeSet::new();
        for migration in self.every() {
            let both = migration.upgrade.operations.iter().chain(&migration.downgrade.operations);
            both.for_each(|operation| add(operation, &mut names));
        }
        names
    }

    /// Refuses to run in several schemas, each of which takes the place of the connection's own: all
    /// of them would share the tables that name theirs.
    ///
    /// # Errors
    ///
    /// The first such table.
    #[doc(hidden)]
    pub fn refuse_named_schemas(&self) -> Result<(), Error> {
        self.qualified().first().map_or(Ok(()), |table| Err(Error::named_schema(table)))
    }

    /// All migrations, including those that another one replaces, in no particular order.
    pub fn every(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().chain(&self.others).map(Arc::as_ref)
    }

    /// The migration with this id.
    pub fn get(&self, id: &str) -> Option<&Migration> {
        self.migrations.get(self.graph.position(id)?).map(Arc::as_ref)
    }

    /// The schema that all migrations build, or only those with these ids.
    ///
    /// # Errors
    ///
    /// The first operation that doesn't fit the schema built by those before it.
    pub fn replay(&self, only: Option<&BTreeSet<String>>) -> Result<Schema, Error> {
        let mut schema = Schema::default();
        for migration in &self.migrations {
            if only.is_none_or(|only| only.contains(&migration.revision.id)) {
                operations::replay(&mut schema, &migration.upgrade.operations)
                    .map_err(|err| Error::replay(&migration.revision.id, &err.to_string()))?;
            }
        }
        Ok(schema)
    }
}

/// The first line of a module's documentation (`//! ...`), for the `migrations!` macro.
#[doc(hidden)]
pub const fn message_range(source: &str) -> (usize, usize) {
    let bytes = source.as_bytes();
    let mut at = 0;
    // A byte order mark, blank lines and attributes may come before it; a shebang may not.
    while at < bytes.len() {
        let line = at;
        let mut end = line;
        while end < bytes.len() && bytes[end] != b'\n' && bytes[end] != b'\r' {
            end += 1;
        }
        let mut text = line;
        while text < end && (bytes[text] == b' ' || bytes[text] == b'\t' || bytes[text] > 0x7f) {
            text += 1;
        }
        if text + 3 <= end
            && bytes[text] == b'/'
            && bytes[text + 1] == b'/'
            && bytes[text + 2] == b'!'
        {
            let mut start = text + 3;
            while start < end && bytes[start] == b' ' {
                start += 1;
            }
            let mut stop = end;
            while stop > start && bytes[stop - 1] == b' ' {
                stop -= 1;
            }
            return (start, stop);
        }
        at = end + 1;
    }
    (0, 0)
}

/// A range of a text as an array of bytes, so that the program doesn't contain the whole text.
#[doc(hidden)]
pub const fn slice<const N: usize>(source: &str, start: usize) -> [u8; N] {
    let bytes = source.as_bytes();
    let mut out = [0; N];
    let mut idx = 0;
    while idx < N {
        out[idx] = bytes[start + idx];
        idx += 1;
    }
    out
}

/// The text of bytes that were cut from a text.
#[doc(hidden)]
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Declares the revision modules of a migrations directory. It is written in the directory's
/// `mod.rs`, where `cargo dbmigrate` maintains the list.
///
/// A bare name is a module in the subdirectory `versions`. A name with a path is the module in that
/// file; the path is relative to the directory of `mod.rs`. The macro declares `migrator()`, which
/// returns a [`Migrator`](crate::Migrator) of all modules, and `SCHEMA_HASH`, a hash of their
/// revisions.
///
/// ```text
/// dbmigrate_runtime::migrations! {
///     m20241015_145459_8048ee3cbab8_initial_migration;
///     m20241101_093012_51f0ac6b9d3e_posts = "blog/m20241101_093012_51f0ac6b9d3e_posts.rs";
/// }
/// ```
#[macro_export]
macro_rules! migrations {
    // `in` is written by the command-line tool, which copies the list of another directory into a
    // file of its own: the text of each module is then at a path.
    ($($name:ident $(in $text:literal)? $(= $path:literal)?;)*) => {
        #[allow(dead_code, unused_imports, unused_variables, unreachable_pub, missing_docs)]
        #[allow(non_snake_case)]
        mod versions {
            pub use super::located::*;
            $($crate::migrations! { @beside $name $(= $path)? })*
        }

        // Paths are relative to the file's own directory.
        #[path = "."]
        #[allow(dead_code, unused_imports, unused_variables, unreachable_pub, missing_docs)]
        #[allow(non_snake_case)]
        mod located {
            $($crate::migrations! { @located $name $(= $path)? })*
        }

        #[allow(dead_code)]
        const MODULES: &[$crate::Module] = &[$({
            const SOURCE: &str = $crate::migrations!(@source $name $(in $text)? $(= $path)?);
            const RANGE: (usize, usize) = $crate::__private::message_range(SOURCE);
            static MESSAGE: [u8; RANGE.1 - RANGE.0] = $crate::__private::slice(SOURCE, RANGE.0);
            $crate::Module {
                name: stringify!($name),
                revision: versions::$name::REVISION,
                down_revision: versions::$name::DOWN_REVISION,
                branch_labels: versions::$name::BRANCH_LABELS,
                depends_on: versions::$name::DEPENDS_ON,
                // The module's constants hide these defaults, so a module without `REPLACES`
                // replaces nothing.
                #[allow(unused_imports)]
                replaces: {
                    use $crate::__private::defaults::*;
                    {
                        use self::versions::$name::*;
                        REPLACES
                    }
                },
                message: $crate::__private::text(&MESSAGE),
                upgrade: versions::$name::upgrade,
                downgrade: versions::$name::downgrade,
            }
        }),*];

        // Without this check, an incomplete list would silently stop before the missing revision.
        // Evaluating a long history exceeds the compiler's usual limit for a constant.
        #[allow(long_running_const_eval)]
        const _: () = $crate::__private::assert_complete(MODULES);
        $crate::__private::assert_listed! { $($name $(= $path)?;)* }

        /// A hash of these revisions, regardless of their order: the schema that the program was
        /// built for. A database that has just these applied has the same in its status.
        #[allow(dead_code, unreachable_pub)]
        pub const SCHEMA_HASH: &str = {
            const DIGITS: [u8; 16] = $crate::__private::schema_hash(MODULES);
            $crate::__private::text(&DIGITS)
        };

        /// The migrations of this directory.
        #[allow(dead_code, unreachable_pub)]
        pub fn migrator() -> $crate::__private::Migrator {
            $crate::__private::Migrator::new(MODULES)
        }
    };
    (@beside $name:ident) => { pub mod $name; };
    (@beside $name:ident = $path:literal) => {};
    (@located $name:ident) => {};
    (@located $name:ident = $path:literal) => { #[path = $path] pub mod $name; };
    (@source $name:ident) => { include_str!(concat!("versions/", stringify!($name), ".rs")) };
    (@source $name:ident in $text:literal) => { include_str!($text) };
    (@source $name:ident $(in $text:literal)? = $path:literal) => { include_str!($path) };
}

/// Stands in for the comparison of a list with its files, where there is nothing to compare.
#[doc(hidden)]
#[macro_export]
macro_rules! no_assert_listed {
    ($($list:tt)*) => {};
}
