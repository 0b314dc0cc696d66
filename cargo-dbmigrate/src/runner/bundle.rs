//! Compiles the executable that contains all migrations and their command line.

use std::fs;
use std::path::PathBuf;

use dbmigrate_runtime::engine::Backend;

use super::compile::{self, Wanted};
use super::lock::Lock;
use super::package::{self, Package, table};
use crate::cli::Transaction;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::hex::short_hash;
use crate::project::{Exit, host_target};
use crate::revision_files::RevisionFile;
use crate::url_source;
use crate::work_files::{write, write_if_new};

/// The request to build an executable.
#[derive(Debug)]
pub struct Bundle<'a> {
    pub files: &'a [RevisionFile],
    /// The target triple; `None` for this machine.
    pub target: Option<&'a str>,
    /// Whether to link it statically even if that is not the target's default.
    pub is_static: bool,
}

/// The copy of the project's lock file from which that of the package was made.
const SEED: &str = "seed.lock";

/// Compiles the executable, and returns its path in the target directory.
///
/// # Errors
///
/// When the modules or a driver don't compile; the compiler's messages have then been shown.
pub fn build(cx: &Context, bundle: &Bundle<'_>) -> Result<PathBuf> {
    compile::refuse_within()?;
    let host = package::host(cx)?;
    let dir = cx.project.work_dir.join("bundle");
    let _lock = Lock::take(&dir, cx.out)?;
    seed_lock(cx, &dir)?;
    let name = format!(
        "dbmigrate-bundle-{}",
        short_hash(cx.project.work_dir.as_os_str().as_encoded_bytes())
    );
    let package = Package {
        name: name.clone(),
        bins: vec![(name.clone(), "main.rs")],
        profile: ("release", profile()),
        features: features(&cx.backends()),
    };
    package.write(cx, &host, &dir)?;
    let list_file = fs::read_to_string(package::list_file(cx)).ok();
    let list_file = list_file.as_deref().filter(|text| syn::parse_file(text).is_ok());
    let main = call(cx, &host.name);
    let program = package::program_with(cx, &host, &main, (list_file, bundle.files));
    write_if_new(&dir.join("main.rs"), &program)?;
    let wanted = Wanted {
        dir: &dir,
        name,
        target: match bundle.target {
            Some(target) => Some(target.to_owned()),
            None => host_target(&cx.project.workspace_root)?,
        },
        is_release: true,
        rustc: if bundle.is_static { &["-Ctarget-feature=+crt-static"] } else { &[] },
        for_people: true,
        patience: "Compiling the migrations and their drivers; the first time takes minutes",
    };
    match wanted.compile(cx)? {
        Ok(path) => Ok(path),
        Err(exit) => Err(failed(cx, bundle, &exit)),
    }
}

/// Makes cargo use the project's versions, again whenever the project's lock file has changed.
fn seed_lock(cx: &Context, dir: &std::path::Path) -> Result<()> {
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let of_host = read(cx.project.workspace_root.join("Cargo.lock"));
    if read(dir.join(SEED)) != of_host || !dir.join("Cargo.lock").exists() {
        package::seed_lock(cx, dir)?;
        write(&dir.join(SEED), &of_host)?;
    }
    Ok(())
}

/// A small executable: it is copied to other machines, and waits for its database most of the time.
/// A panic in a step has to be caught, so it unwinds.
fn profile() -> toml::Value {
    table(vec![
        ("opt-level", "s".into()),
        ("lto", "thin".into()),
        ("codegen-units", 1.into()),
        ("strip", true.into()),
        ("debug", 0.into()),
        ("incremental", false.into()),
    ])
}

/// The features of the runtime for the command line and for the drivers of these databases.
fn features(backends: &[Backend]) -> Vec<String> {
    let mut features = vec!["bundle".to_owned()];
    for backend in backends {
        let driver = match backend {
            Backend::Postgres => "postgres-tls",
            Backend::Mysql | Backend::Mariadb => "mysql-tls",
            // The driver with the library that it needs.
            _ => "bundled",
        };
        if features.iter().all(|feature| feature != driver) {
            features.push(driver.to_owned());
        }
    }
    features
}

/// The expression that runs the command line with the project's settings.
fn call(cx: &Context, runtime: &str) -> String {
    let backends = cx.backends();
    let backends: Vec<&str> = backends.iter().map(|backend| backend.name()).collect();
    let variable = url_source::variable(&cx.lookup());
    let config = &cx.config;
    format!(
        "::{runtime}::engine::bundle::main(\n        migrations::migrator(),\n        \
         ::{runtime}::engine::bundle::Settings {{\n            variable: {variable:?},\n            \
         backends: &{backends:?},\n            version_table: {:?},\n            \
         version_table_schema: {:?},\n            transaction_each: {},\n            \
         lock_timeout: {},\n            batch_pause: {},\n            \
         schema_hash: migrations::SCHEMA_HASH,\n        }},\n    )",
        config.version_table,
        config.version_table_schema,
        config.transaction == Transaction::Each,
        config.lock_timeout,
        config.batch_pause,
    )
}

fn failed(cx: &Context, bundle: &Bundle<'_>, exit: &Exit) -> Error {
    let text = exit.errors().map(|error| error.message.to_string()).collect::<Vec<_>>().concat();
    let is_of_revision = exit.errors().flat_map(|error| &error.message.spans).any(|span| {
        bundle.files.iter().any(|file| file.path == std::path::Path::new(&span.file_name))
    });
    if is_of_revision {
        exit.show(cx.out);
        return compile::does_not_compile(cx, exit, bundle.files);
    }
    let err = if exit.has_errors() {
        exit.show(cx.out);
        Error::new("failed to build the executable of the migrations")
    } else {
        exit.error("failed to build the executable of the migrations")
    };
    let target = bundle.target.unwrap_or("this machine");
    let lacks_target = exit.stderr.contains("target may not be installed")
        || text.contains("may not be installed");
    match (bundle.target, bundle.is_static) {
        (Some(target), _) if lacks_target => {
            err.hint(format!("`rustup target add {target}` installs the target"))
        }
        (_, true) if text.contains("linking with") => err.hint(format!(
            "{target} may have no static C library; on Debian it is in `libc6-dev`, on Fedora in \
             `glibc-static`; a target such as `x86_64-unknown-linux-musl` brings its own"
        )),
        _ if exit.stderr.contains("custom build command") || text.contains("linker `") => err.hint(
            format!("building it for {target} needs a C compiler for SQLite and for encryption"),
        ),
        _ => err,
    }
}
