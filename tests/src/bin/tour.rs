//! The tour in README.md: from a struct to a migrated database, on a copy of `examples/blog`.
//!
//! Builds the tool, then runs each command and shows its output.

use std::io::Write as _;
use std::path::Path;

use xshell::{Shell, cmd};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let sh = Shell::new()?;
    let repository = dbmigrate_tests::repository();
    say("Building the tool. The first time, this takes a few minutes ...\n\n");
    let tool = dbmigrate_tests::build_tool(&["-p", "cargo-dbmigrate"]);
    let host = dbmigrate_tests::target_dir().join("tour").join("blog");
    sh.remove_path(&host)?;
    sh.create_dir(host.join("src"))?;
    let example = repository.join("examples").join("blog");
    let runtime = repository.join("dbmigrate-runtime");
    let manifest = sh.read_file(example.join("Cargo.toml"))?;
    // The relative path is different for a copy.
    let manifest = manifest.replace("\"../../dbmigrate-runtime\"", &format!("{runtime:?}"));
    sh.write_file(host.join("Cargo.toml"), manifest)?;
    sh.copy_file(example.join("src").join("lib.rs"), host.join("src").join("lib.rs"))?;
    sh.copy_file(repository.join("Cargo.lock"), host.join("Cargo.lock"))?;
    sh.change_dir(&host);
    for key in ["DATABASE_URL", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
        sh.set_var(key, "");
    }

    say(&format!("The models of {}:\n", example.join("src").join("lib.rs").display()));
    say(&sh.read_file(host.join("src").join("lib.rs"))?);
    let run = |args: &[&str]| -> Result<()> {
        say(&format!("\n$ cargo dbmigrate {}\n", shown(args)));
        Ok(cmd!(sh, "{tool} dbmigrate {args...}").quiet().run()?)
    };
    run(&["init"])?;
    run(&["migrate", "-m", "initial migration"])?;
    for revision in sh.read_dir(host.join("migrations").join("versions"))? {
        say(&format!("\n{}:\n\n{}", relative(&revision, &host), sh.read_file(&revision)?));
    }
    run(&["upgrade"])?;
    run(&["current"])?;
    run(&["check"])?;
    say(&format!("\n{} now contains:\n\n", host.join("app.db").display()));
    say(&dbmigrate_tests::dump(&host.join("app.db")));
    Ok(())
}

fn relative(path: &Path, host: &Path) -> String {
    path.strip_prefix(host).unwrap_or(path).display().to_string()
}

fn shown(args: &[&str]) -> String {
    let quoted = args
        .iter()
        .map(|arg| if arg.contains(' ') { format!("{arg:?}") } else { (*arg).to_owned() });
    quoted.collect::<Vec<_>>().join(" ")
}

#[expect(clippy::print_stdout, reason = "showing is what a tour is for")]
fn say(text: &str) {
    print!("{text}");
    // An incomplete line has to be visible at once as well.
    let _ = std::io::stdout().flush();
}
