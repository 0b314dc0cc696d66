//! Migrations: revisions with what they record.

use std::collections::BTreeSet;

use crate::Error;
use crate::operations::{self, Operations, Recording};
use crate::revision::{Graph, Revision};
use crate::schema::Schema;

/// A revision module as the `migrations!` macro names it.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    /// The module's name, which is its file's.
    pub name: &'static str,
    /// `REVISION`
    pub revision: &'static str,
    /// `DOWN_REVISION`
    pub down_revision: &'static [&'static str],
    /// `BRANCH_LABELS`
    pub branch_labels: &'static [&'static str],
    /// `DEPENDS_ON`
    pub depends_on: &'static [&'static str],
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
        let owned = |items: &[&str]| items.iter().map(|it| (*it).to_owned()).collect();
        Revision {
            id: self.revision.to_owned(),
            parents: owned(self.down_revision),
            branch_labels: owned(self.branch_labels),
            depends_on: owned(self.depends_on),
            message: self.message.to_owned(),
            file: self.name.to_owned(),
        }
    }

    /// Calls both functions and keeps what they record.
    pub fn record(&self) -> Migration {
        let record = |function: fn(&mut Operations)| {
            let mut op = Operations::new();
            function(&mut op);
            op.finish()
        };
        Migration::new(self.revision(), record(self.upgrade), record(self.downgrade))
    }
}

/// A revision with what its two directions record.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// Its place in the history.
    pub revision: Revision,
    /// What `upgrade` recorded.
    pub upgrade: Recording,
    /// What `downgrade` recorded.
    pub downgrade: Recording,
    /// The checksum of the upgrade's operations.
    pub checksum: String,
}

/// The way that a revision is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It is applied.
    Upgrade,
    /// It is undone.
    Downgrade,
}

impl Migration {
    /// A migration, with the checksum of what it records.
    pub fn new(revision: Revision, upgrade: Recording, downgrade: Recording) -> Migration {
        let checksum = operations::checksum(&upgrade.operations);
        Migration { revision, upgrade, downgrade, checksum }
    }

    /// What that direction recorded.
    pub fn recording(&self, direction: Direction) -> &Recording {
        match direction {
            Direction::Upgrade => &self.upgrade,
            Direction::Downgrade => &self.downgrade,
        }
    }
}

/// All migrations of a project, in the order of their graph.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    graph: Graph,
    /// In the graph's order.
    migrations: Vec<Migration>,
}

impl Migrations {
    /// Orders migrations.
    ///
    /// # Errors
    ///
    /// When they make no graph.
    pub fn new(migrations: Vec<Migration>) -> Result<Migrations, Error> {
        let graph = Graph::new(migrations.iter().map(|it| it.revision.clone()).collect())?;
        let mut by_id: std::collections::BTreeMap<_, _> =
            migrations.into_iter().map(|it| (it.revision.id.clone(), it)).collect();
        let ids = graph.revisions().iter();
        let migrations = ids.filter_map(|it| by_id.remove(&it.id)).collect();
        Ok(Migrations { graph, migrations })
    }

    /// The revisions' graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The migrations, each after what it needs.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Migration> {
        self.migrations.iter()
    }

    /// The migration of that id.
    pub fn get(&self, id: &str) -> Option<&Migration> {
        self.migrations.get(self.graph.position(id)?)
    }

    /// The schema that all migrations build, or those of these ids.
    ///
    /// # Errors
    ///
    /// The first operation that doesn't fit those before it.
    pub fn replay(&self, only: Option<&BTreeSet<String>>) -> Result<Schema, Error> {
        let mut schema = Schema::default();
        for it in &self.migrations {
            if only.is_none_or(|only| only.contains(&it.revision.id)) {
                operations::replay(&mut schema, &it.upgrade.operations)
                    .map_err(|err| Error::replay(&it.revision.id, &err.to_string()))?;
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
    // A byte order mark, blank lines and attributes may stand before it; a shebang may not.
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

/// The bytes of a range of a text, as an array of its own, so that a program doesn't carry the
/// whole text.
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
        Ok(it) => it,
        Err(_) => "",
    }
}

/// Declares the revision modules of a migrations directory; written in its `mod.rs`, where
/// `cargo dbmigrate` keeps the list.
///
/// A name is a module in the directory `versions` beside the file; one with a path is in that
/// file, which is named from the same place. The macro declares `migrator()`, which gives a
/// [`Migrator`](crate::Migrator) of them all.
///
/// ```text
/// dbmigrate_runtime::migrations! {
///     m20241015_145459_8048ee3cbab8_initial_migration;
///     m20241101_093012_51f0ac6b9d3e_posts = "blog/m20241101_093012_51f0ac6b9d3e_posts.rs";
/// }
/// ```
#[macro_export]
macro_rules! migrations {
    // `in` is what the command-line tool writes, which puts the list of another directory into a
    // file of its own: there the text of each module is at a path.
    ($($name:ident $(in $text:literal)? $(= $path:literal)?;)*) => {
        #[allow(dead_code, unused_imports, unused_variables, unreachable_pub, missing_docs)]
        mod versions {
            pub use super::located::*;
            $($crate::migrations! { @beside $name $(= $path)? })*
        }

        // Paths count from the file's own directory.
        #[path = "."]
        #[allow(dead_code, unused_variables, unreachable_pub, missing_docs)]
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
                message: $crate::__private::text(&MESSAGE),
                upgrade: versions::$name::upgrade,
                downgrade: versions::$name::downgrade,
            }
        }),*];

        /// The migrations of this directory.
        #[allow(dead_code, unreachable_pub)]
        pub fn migrator() -> $crate::Migrator {
            $crate::Migrator::new(MODULES)
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
