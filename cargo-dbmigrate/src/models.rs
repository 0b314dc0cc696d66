//! Reads the models: the records that `#[derive(Model)]` leaves in the compiler's output.
//!
//! `cargo check` is enough, since a library's metadata contains the evaluated bytes of its statics;
//! nothing of the package's program is run. Checking a binary writes no metadata, so the tool acts
//! as rustc's wrapper for binaries and has the same sources checked as a library.

mod artifacts;
mod check;
mod databases;
mod defaults;
mod location;
mod names;
mod objects;
mod origin;
mod records;
mod selection;
mod targets;
mod way;
mod wrapper;

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::folding::NameRules;
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::record::ModelRecord;
use dbmigrate_runtime::schema::Schema;

pub use artifacts::dep_info;
pub use defaults::is_value;
pub use location::location;
pub use names::check as check_names;
pub use selection::own_features;
pub use wrapper::run_wrapper;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::project;
use crate::scope::Scope;

use selection::Selection;
use targets::Package;

const RUNTIME: &str = "dbmigrate-runtime";

/// The environment variable that requests reading models from object files.
const EXTRACT: &str = "DBMIGRATE_EXTRACT";

/// The environment variable by which the runtime's `assert_migrated!` in a build script tells that
/// the package can be built: in a directory of its own, and without asking again.
const ASSERTING: &str = "DBMIGRATE_ASSERT";

/// The models of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Models {
    /// The tables of the managed models.
    pub schema: Schema,
    /// All models, without duplicates, sorted by path.
    pub records: Vec<ModelRecord>,
    /// The dialect of the database that the models are for.
    pub dialect: &'static dyn Dialect,
    /// Those of the other databases that the history is for.
    pub others: Vec<&'static dyn Dialect>,
    /// The convention for names that the models don't give.
    pub naming: Convention,
    /// What is compared of the models and of the other side.
    pub scope: Scope,
    /// Whether there is certainly no model: the package depends on the runtime, and this
    /// toolchain's records can be read.
    pub found_none: bool,
}

/// Has cargo check the package and reads the models.
///
/// # Errors
///
/// When the package doesn't compile (the compiler's errors have then been shown), when a record
/// can't be read, or when two models have the same table.
pub fn load(cx: &Context) -> Result<Models> {
    let records = match cx.records.get() {
        Some(records) => records,
        None => {
            let found = records(cx)?;
            cx.records.get_or_init(|| found)
        }
    };
    let own = databases::own(cx, records)?;
    names::check(&own, &cx.dialects().collect::<Vec<_>>())?;
    let models = of_records(own, cx)?;
    Ok(Models { found_none: records.is_empty(), ..models })
}

/// Has cargo check the package and reads the models' records, without duplicates, sorted by path.
pub fn records(cx: &Context) -> Result<Vec<ModelRecord>> {
    if project::in_build_script() && std::env::var_os(ASSERTING).is_none() {
        let message = "a build script can't build the package that it belongs to";
        return Err(Error::new(message).hint(
            "in a build script use `upgrade`, which needs only the revisions, or \
             `dbmigrate_runtime::assert_migrated!()`; commands that read the models are for a shell",
        ));
    }
    let selection = Selection::new(cx);
    let package = Package::find(cx, &selection)?;
    let from_objects = std::env::var_os(EXTRACT).is_some_and(|value| value == "object");
    let found = if from_objects { None } else { Some(check::found(cx, &selection, &package)?) };
    let found = match found {
        // An unreadable record is refused below, with a hint.
        Some(found) if found.canary || !found.damaged.is_empty() => found,
        Some(found) if !found.runtime => return Err(no_runtime(&package.name)),
        from_metadata => {
            if from_metadata.is_some() {
                cx.out.note(
                    "this compiler's metadata does not contain the models, so they are read from \
                     object files, which takes longer",
                );
            }
            objects::found(cx, &selection, &package)?
        }
    };
    records::distinct(found)
}

/// The models that these records describe.
pub fn of_records(records: Vec<ModelRecord>, cx: &Context) -> Result<Models> {
    let (config, dialect, others) = (&cx.config, cx.dialect(), cx.other_dialects());
    let schema = records::schema(&records, config.doc_comments, dialect, &others)?;
    let names = dialect.names(&dialect.offline_facts());
    let (naming, scope) = (config.naming.0.clone(), config.scope(names));
    let found_none = records.is_empty();
    Ok(Models { schema, found_none, records, dialect, others, naming, scope })
}

impl Models {
    /// The rules for names in that database.
    pub fn names(&self) -> NameRules {
        self.dialect.names(&self.dialect.offline_facts())
    }
}

/// The error that the package has no model, which can't be intended.
pub fn no_models(cx: &Context) -> Error {
    let package = cx.config.package.as_ref().unwrap_or(&cx.project.package);
    let runtime = &cx.project.runtime;
    let renamed = match runtime.as_str() {
        "dbmigrate_runtime" => String::new(),
        name => format!(" with `#[model(crate = {name})]`"),
    };
    Error::new(format!("the package `{package}` has no models")).hint(format!(
        "put `#[derive({runtime}::Model)]`{renamed} on the structs that are tables; if they are \
         behind a feature or in another package, name it in dbmigrate.toml"
    ))
}

fn no_runtime(package: &str) -> Error {
    let version = env!("CARGO_PKG_VERSION");
    Error::new(format!("the package `{package}` does not depend on {RUNTIME}")).hint(format!(
        "`cargo add -p {package} {RUNTIME}@{version}` adds it; if the models are in another \
         package, name that in dbmigrate.toml (`package = \"...\"`)"
    ))
}
