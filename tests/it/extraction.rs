//! Finds the models of real crates, which the real cargo checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use dbmigrate_tests::{Host, Run, hosts_target_dir, manifest, repository};

/// The tables of the models, as `migrate` reports them.
#[track_caller]
fn tables(host: &Host, args: &str) -> Vec<String> {
    let run = host.ok(&format!("migrate --dry-run {args}"));
    names(&run)
}

fn names(run: &Run) -> Vec<String> {
    let lines = run.stdout.lines();
    let names =
        lines.filter_map(|line| line.strip_prefix("Detected added table `")?.strip_suffix('`'));
    names.map(str::to_owned).collect()
}

fn model(name: &str) -> String {
    format!(
        "#[derive(dbmigrate_runtime::Model)]\npub struct {name} {{ \
         #[model(primary_key)] pub id: i64 }}\n"
    )
}

/// Whether cargo had nothing to compile.
#[track_caller]
fn assert_fresh(host: &Host) {
    let run = host.cargo("check");
    assert_eq!(run.code, 0, "{run}");
    assert!(!run.stderr.contains("Checking"), "{run}");
}

#[test]
fn models_are_found_wherever_they_are() {
    let host = Host::library(
        "places",
        r#"
        #![deny(warnings)]
        #![forbid(unsafe_code)]
        use dbmigrate_runtime::Model;

        mod hidden {
            mod deeper {
                #[derive(super::super::Model)]
                struct Nested {
                    #[model(primary_key)]
                    id: i64,
                    #[cfg(unix)]
                    unix: super::super::Name,
                    #[cfg(windows)]
                    windows: i64,
                }
            }
        }

        type Name = Option<String>;

        pub fn function() {
            #[derive(Model)]
            struct InFunction { #[model(primary_key)] id: i64 }
            let _ = || {
                #[derive(Model)]
                struct InClosure { #[model(primary_key)] id: i64 }
            };
        }

        pub fn generic<T>(_: T) {
            #[derive(Model)]
            struct InGeneric { #[model(primary_key)] id: i64 }
        }

        macro_rules! model {
            ($name:ident) => {
                #[derive(Model)]
                pub struct $name { #[model(primary_key)] pub id: i64 }
            };
        }
        model!(ByMacro);

        #[cfg(feature = "extra")]
        model!(Extra);
        #[cfg(any(not(unix), test))]
        model!(Never);
        "#,
    );
    host.ok("init");
    host.replace("Cargo.toml", "extra = []", "extra = []\nother = []");
    let plain = ["by_macro", "in_closure", "in_function", "in_generic", "nested"];
    let run = host.ok("migrate --dry-run");
    assert_eq!(names(&run), plain, "{run}");
    assert!(run.stdout.contains(r#"Column::new("unix", Type::Text)"#), "{run}");
    assert!(!run.stdout.contains("windows"), "{run}");
    let with_extra = ["by_macro", "extra", "in_closure", "in_function", "in_generic", "nested"];
    assert_eq!(tables(&host, "--features extra"), with_extra);

    host.replace("migrations/dbmigrate.toml", "features = []", "features = [\"extra\"]");
    assert_eq!(tables(&host, ""), with_extra);
    let run = host.ok("migrate --dry-run --features other");
    assert_eq!(names(&run), plain, "{run}");
    assert!(run.stderr.contains("`--features` overrides `features = "), "{run}");
}

#[test]
fn a_binary_is_enough_and_the_users_check_stays_fresh() {
    let source = "#![deny(warnings)]\nmod models;\nfn main() { models::touch() }\n";
    let host = Host::binary("only-bin", source);
    host.write("src/models.rs", &format!("{}pub fn touch() {{}}\n", model("User")));
    host.replace("src/main.rs", "fn main()", "#[allow(dead_code)]\nfn unused() {}\nfn main()");
    host.replace("src/models.rs", "pub struct", "#[allow(dead_code)]\npub struct");
    host.ok("init");
    let check = host.cargo("check");
    assert_eq!(check.code, 0, "{check}");
    assert_eq!(tables(&host, ""), ["user"]);
    assert_fresh(&host);
    assert_eq!(tables(&host, ""), ["user"]);
    // A person's own wrapper for rustc may not support what this tool's wrapper does.
    let mut host = host;
    host.env("RUSTC_WRAPPER", "/nonexistent/sccache");
    assert_eq!(tables(&host, ""), ["user"]);
}

#[test]
fn a_library_and_its_binaries() {
    let host = Host::library("lib-bins", &format!("pub mod models;\n{}", model("OfLibrary")));
    host.write("src/models.rs", &model("Shared"));
    host.write("src/main.rs", "#[allow(dead_code)]\nmod models;\nfn main() {}\n");
    host.write(
        "src/bin/worker.rs",
        &format!("#[allow(dead_code)]\n{}fn main() {{}}", model("Job")),
    );
    host.write("src/bin/other.rs", "fn main() {}\n");
    host.ok("init");
    assert_eq!(tables(&host, ""), ["job", "of_library", "shared"]);
    assert_fresh(&host);
    assert_eq!(tables(&host, "--lib"), ["of_library", "shared"]);
    assert_eq!(tables(&host, "--bin worker"), ["job", "of_library", "shared"]);
    assert_eq!(tables(&host, "--bin other"), ["of_library", "shared"]);
    let run = host.fails("migrate --dry-run --bin nope");
    assert!(run.stderr.contains("has no binary `nope`"), "{run}");
    assert!(run.stderr.contains("`lib-bins`, `other`, `worker`"), "{run}");
    // Toolchains whose metadata lacks the records find the same models in another way.
    let mut host = host;
    let args = "migrate --dry-run --rev-id r1";
    let expected = host.ok(args).stdout;
    host.env("DBMIGRATE_EXTRACT", "object");
    let without_time = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with("//! Create Date"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(without_time(&host.ok(args).stdout), without_time(&expected));
}

#[test]
fn models_in_the_libraries_of_a_workspace() {
    let host = Host::empty("workspace");
    let runtime = repository().join("dbmigrate-runtime");
    let package = |name: &str, dependencies: &str| {
        format!(
            "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
             [dependencies]\n{dependencies}"
        )
    };
    let dbm = format!(
        "dbm = {{ path = {runtime:?}, package = \"dbmigrate-runtime\", features = \
                       [\"chrono\"] }}\n"
    );
    host.write("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"2\"\n");
    let members = "users = { path = \"../users\" }\norders = { path = \"../orders\" }\n";
    host.write("crates/app/Cargo.toml", &package("app", &format!("{dbm}{members}")));
    host.write("crates/app/src/main.rs", "fn main() {}\n");
    let model = |name: &str| {
        format!("#[derive(dbm::Model)]\n#[model(crate = dbm)]\n{}", &model(name)[35..])
    };
    for (name, source) in [("users", model("User")), ("orders", model("Order"))] {
        host.write(&format!("crates/{name}/Cargo.toml"), &package(name, &dbm));
        host.write(&format!("crates/{name}/src/lib.rs"), &source);
    }
    host.write("crates/aside/Cargo.toml", &package("aside", &dbm));
    host.write("crates/aside/src/lib.rs", &model("Aside"));
    host.lock();

    let run = host.fails("history");
    assert!(
        run.stderr.contains("no package of the workspace has a directory `migrations`"),
        "{run}"
    );
    assert!(run.stderr.contains("`app`, `aside`, `orders`, `users`"), "{run}");
    host.ok("-p app init");
    // In the workspace's root, the only package with migrations is used.
    assert_eq!(tables(&host, ""), ["order", "user"]);
    host.replace(
        "crates/app/migrations/dbmigrate.toml",
        "#package = \"models\"",
        "package = \"users\"",
    );
    assert_eq!(tables(&host, ""), ["user"]);

    // Revisions use the package's name for the runtime.
    host.write(
        "crates/app/migrations/versions/m1.rs",
        &revision("a1", "", "op.drop_table(\"x\");").replace("dbmigrate_runtime", "dbm"),
    );
    assert!(host.read("crates/app/migrations/mod.rs").contains("::dbm::migrations!"));
    assert!(host.ok("history").stdout.contains("<base> -> a1"));
}

/// A revision that records this in its upgrade.
fn revision(id: &str, parent: &str, upgrade: &str) -> String {
    let parents: Vec<&str> = parent.split(' ').filter(|part| !part.is_empty()).collect();
    dbmigrate_tests::revision(id, &parents, &format!("the {id}"), upgrade, "")
}

#[test]
fn two_models_of_one_table_are_both_named() {
    let source = format!("pub mod a {{ {} }}\npub mod b {{\n{} }}\n", model("User"), model("User"));
    let host = Host::library("clash", &source);
    host.ok("init");
    let run = host.fails("migrate --dry-run");
    assert!(
        run.stderr.contains(
            "two models have the table `user`: `clash::a::User` at src/lib.rs:2 and \
             `clash::b::User` at src/lib.rs:6"
        ),
        "{run}"
    );
}

#[test]
fn without_a_model_it_says_how_to_make_one() {
    let host = Host::library("no-model", "pub fn nothing() {}\n");
    host.ok("init");
    let run = host.fails("migrate --dry-run");
    assert!(run.stderr.contains("the package `no-model` has no models"), "{run}");
    assert!(run.stderr.contains("#[derive(dbmigrate_runtime::Model)]"), "{run}");
}

#[test]
fn without_the_runtime_it_says_how_to_add_it() {
    let host = Host::empty("no-runtime");
    host.write("Cargo.toml", "[package]\nname = \"bare\"\nedition = \"2021\"\n[workspace]\n");
    host.write("src/lib.rs", "");
    host.ok("init --no-add");
    for run in [host.fails("migrate --dry-run"), {
        host.write("migrations/versions/m1.rs", &revision("a1", "", ""));
        host.fails("history")
    }] {
        let expected = "the package `bare` does not depend on dbmigrate-runtime";
        assert!(run.stderr.contains(expected), "{run}");
        assert!(run.stderr.contains("`cargo add -p bare dbmigrate-runtime@"), "{run}");
    }
}

#[test]
fn a_package_that_does_not_compile() {
    let host = Host::library("broken", &format!("{}fn f() -> u8 {{ \"text\" }}\n", model("User")));
    host.ok("init");
    let run = host.fails("migrate --dry-run");
    assert!(run.stderr.contains("mismatched types"), "{run}");
    assert!(run.stderr.contains("--> src/lib.rs:3:16"), "{run}");
    assert!(run.stderr.contains("error: the package `broken` does not compile"), "{run}");
    assert_eq!(run.stdout, "");
    // Queries that are checked at compile time can't be written before their tables exist.
    host.write(
        "src/lib.rs",
        "macro_rules! query { ($it:literal) => { compile_error!(\"no such table: user\") } }\n\
         pub fn f() { query!(\"SELECT 1 FROM user\") }\n",
    );
    let run = host.fails("migrate --dry-run");
    assert!(run.stderr.contains("migrate before you write the query"), "{run}");
}

#[test]
fn a_profile_that_optimises_and_strips() {
    let host = Host::library("profile", &model("User"));
    let more = "\n[profile.ship]\ninherits = \"release\"\nlto = \"fat\"\nstrip = true\n\
                codegen-units = 1\npanic = \"abort\"\n";
    host.write("Cargo.toml", &manifest("profile", more));
    host.ok("init");
    assert_eq!(tables(&host, "--profile ship"), ["user"]);
}

#[test]
fn a_configured_target_and_directory_and_a_path_with_blanks() {
    let mut host = Host::empty("configured");
    host.dir = host.dir.join("mit Leerzeichen & Ümläuten");
    host.write("Cargo.toml", &manifest("configured", ""));
    host.write("src/main.rs", &format!("#[allow(dead_code)]\n{}fn main() {{}}", model("User")));
    host.lock();
    host.env_remove("CARGO_TARGET_DIR");
    let target_dir = hosts_target_dir().join("configured ü");
    let config = format!("[build]\ntarget-dir = {target_dir:?}\nbuild-dir = \"own build\"\n");
    host.write(".cargo/config.toml", &config);
    let triple = host.cargo("-vV");
    let triple = triple.stdout.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    host.env("CARGO_BUILD_TARGET", triple);
    host.ok("init");
    assert_eq!(tables(&host, ""), ["user"]);
    host.ok("migrate -m first --rev-id a1");
    assert!(host.ok("upgrade").stdout.contains("-> a1, first"));
    assert!(target_dir.join("dbmigrate").is_dir());
    assert!(!host.dir.join("target").exists());
}

#[test]
fn a_build_script_that_upgrades() {
    let host = Host::library("script", &model("User"));
    let tool = dbmigrate_tests::tool();
    host.write(
        "build.rs",
        &format!(
            "fn main() {{\n    let tool = {tool:?};\n    \
             let run = |args: &[&str]| std::process::Command::new(tool).args(args).output().unwrap();\n    \
             let output = run(&[\"upgrade\"]);\n    \
             print!(\"{{}}\", String::from_utf8_lossy(&output.stdout));\n    \
             assert!(output.status.success(), \"{{output:?}}\");\n    \
             let output = run(&[\"migrate\"]);\n    \
             let stderr = String::from_utf8_lossy(&output.stderr);\n    \
             assert!(stderr.contains(\"a build script can't build the package that it belongs to\"), \"{{stderr}}\");\n\
             }}\n"
        ),
    );
    host.write("src/main.rs", &format!("#[allow(dead_code)]\n{}fn main() {{}}", model("Job")));
    host.ok("init");
    host.write(
        "migrations/versions/m1.rs",
        &revision("a1", "", "op.execute(\"CREATE TABLE t (id)\");"),
    );
    // The tool has cargo check the package, whose build script has the tool upgrade.
    let run = host.ok("migrate --dry-run");
    assert_eq!(names(&run), ["job", "user"], "{run}");
    assert!(host.ok("current").stdout.contains("a1 (head)"));
    assert_fresh(&host);
    host.write("migrations/versions/m2.rs", &revision("b2", "a1", ""));
    let check = host.cargo("check");
    assert_eq!(check.code, 0, "{check}");
    assert!(host.ok("current").stdout.contains("b2 (head)"));
}

#[test]
fn packages_that_share_a_target_directory() {
    let hosts = ["one", "two"].map(|name| {
        let host = Host::library(&format!("twin-{name}"), &model(name));
        host.ok("init");
        host.ok(&format!("migrate -m first --rev-id {name}"));
        host
    });
    for (host, name) in hosts.iter().zip(["one", "two"]) {
        let run = host.ok("upgrade");
        assert!(run.stdout.contains(&format!("-> {name}, first")), "{run}");
        assert!(host.ok("migrate").stdout.contains("No changes in schema detected."));
        // This also works for packages with the same name, whose artifacts cargo itself confuses.
        host.replace("Cargo.toml", &format!("twin-{name}"), "twin");
    }
    for (host, name) in hosts.iter().zip(["one", "two"]) {
        assert!(host.ok("history").stdout.contains(&format!("-> {name} (head), first")));
    }
}

/// A checkout of the package `checkout`, in its own directory. Its library contains what its own
/// macro generates.
fn checkout(made: &str, binary: &str) -> Host {
    let host = Host::library("checkout", "made::made!();\npub fn used() {}\n");
    host.write("Cargo.toml", &manifest("checkout", "made = { path = \"made\" }\n"));
    let package = "[package]\nname = \"made\"\nedition = \"2021\"\n\n[lib]\nproc-macro = true\n";
    host.write("made/Cargo.toml", package);
    host.write(
        "made/src/lib.rs",
        &format!(
            "use proc_macro::TokenStream;\n#[proc_macro]\npub fn made(_: TokenStream) -> \
             TokenStream {{\n    {made:?}.parse().unwrap()\n}}\n"
        ),
    );
    host.write("src/main.rs", binary);
    host.ok("init");
    host
}

const CHECKED_AGAIN: &str = "so the package was checked again";

#[test]
fn two_checkouts_that_share_a_target_directory() {
    // Cargo uses one checkout's artifacts for the other one if they are newer than the sources.
    let bin = |name: &str| {
        format!("#![allow(dead_code)]\n{}fn main() {{ let _ = checkout::used(); }}\n", model(name))
    };
    let one = checkout(&model("Apple"), &bin("Ant"));
    // With the other one's library, its binary doesn't compile.
    let main = format!("{}fn main() {{ let _ = checkout::Bear {{ id: 1 }}; }}\n", model("Bee"));
    let two = checkout(&model("Bear"), &format!("#![allow(dead_code)]\n{main}"));
    let none = checkout("", "fn main() { checkout::used() }\n");

    for round in 0..3 {
        let run = one.ok("migrate --dry-run");
        assert_eq!(names(&run), ["ant", "apple"], "{run}");
        assert!(!run.stderr.contains(CHECKED_AGAIN), "{run}");
        let run = two.ok("migrate --dry-run");
        assert_eq!(names(&run), ["bear", "bee"], "{run}");
        // The other one's artifacts are left alone, so from now on everything stays as fresh as
        // possible.
        assert_eq!(run.stderr.contains(CHECKED_AGAIN), round == 0, "{run}");
        assert!(!run.stderr.contains("error"), "{run}");
        let run = none.fails("migrate --dry-run");
        assert!(run.stderr.contains("the package `checkout` has no models"), "{run}");
    }

    // Artifacts of a checkout without models don't tell where they were made.
    let write_again = |host: &Host| host.write("src/lib.rs", &host.read("src/lib.rs"));
    write_again(&none);
    let run = none.fails("migrate --dry-run");
    assert!(run.stderr.contains("has no models"), "{run}");
    assert_eq!(tables(&one, ""), ["ant", "apple"]);
    assert_eq!(tables(&two, ""), ["bear", "bee"]);
    // Compiled here, with the other one's macro.
    write_again(&two);
    assert_eq!(tables(&two, ""), ["bear", "bee"]);

    // The changes of each checkout count, whoever compiled last.
    one.replace("made/src/lib.rs", "Apple", "Avocado");
    two.replace("src/main.rs", "Bee", "Beetle");
    assert_eq!(tables(&two, ""), ["bear", "beetle"]);
    assert_eq!(tables(&one, ""), ["ant", "avocado"]);
    assert_eq!(tables(&two, ""), ["bear", "beetle"]);

    // A link to a checkout is not another checkout.
    let link = one.dir.with_file_name("link");
    std::os::unix::fs::symlink(&one.dir, &link).unwrap();
    one.replace("made/src/lib.rs", "Avocado", "Apricot");
    let check = one.cargo(&format!("check --manifest-path \"{}/Cargo.toml\"", link.display()));
    assert!(check.stderr.contains("Checking"), "{check}");
    let run = one.ok("migrate --dry-run");
    assert_eq!(names(&run), ["ant", "apricot"], "{run}");
    assert!(!run.stderr.contains(CHECKED_AGAIN), "{run}");

    // A moved checkout was compiled at another place, but nothing else is built there now.
    let mut moved = one;
    let dir = moved.dir.with_file_name("moved");
    std::fs::rename(&moved.dir, &dir).unwrap();
    moved.dir = dir;
    let run = moved.ok("migrate --dry-run");
    assert_eq!(names(&run), ["ant", "apricot"], "{run}");
    assert!(!run.stderr.contains(CHECKED_AGAIN), "{run}");
}

/// Cargo uses the wrapper only for packages of the workspace. A package outside of the workspace
/// but below its directory would still get the other checkout's artifacts, so it gets a target
/// directory of its own.
#[test]
fn models_of_a_package_outside_of_the_workspace_are_each_checkout_s_own() {
    let checkout = |made: &str| {
        let host = Host::library("outer", "pub use kept_apart::*;\n");
        host.write("Cargo.toml", &manifest("outer", "kept_apart = { path = \"kept\" }\n"));
        host.replace("Cargo.toml", "[workspace]\n", "[workspace]\nexclude = [\"kept\"]\n");
        let kept = manifest("kept_apart", "").replace("[workspace]\n", "");
        host.write("kept/Cargo.toml", &kept);
        host.write("kept/src/lib.rs", &model(made));
        host.ok("init");
        host
    };
    let (one, two) = (checkout("Apple"), checkout("Bear"));
    let of_their_own = || {
        let dirs = fs::read_dir(hosts_target_dir().join("dbmigrate")).into_iter().flatten();
        let has_kept = |dir: &PathBuf| {
            let mut files = fs::read_dir(dir.join("target/debug/deps")).into_iter().flatten();
            files.any(|file| {
                file.unwrap().file_name().to_string_lossy().starts_with("libkept_apart")
            })
        };
        dirs.map(|entry| entry.unwrap().path()).filter(has_kept).collect::<BTreeSet<_>>()
    };
    let before = of_their_own();
    for round in 0..2 {
        assert_eq!(tables(&one, ""), ["apple"]);
        let run = two.ok("migrate --dry-run");
        assert_eq!(names(&run), ["bear"], "{run}");
        assert_eq!(run.stderr.contains(CHECKED_AGAIN), round == 0, "{run}");
    }
    let own: Vec<PathBuf> = of_their_own().difference(&before).cloned().collect();
    assert_eq!(own.len(), 1, "{own:?}");
    // The changes of each checkout count, and the compiler's messages are about its own sources.
    two.replace("kept/src/lib.rs", "Bear", "Bee");
    assert_eq!(tables(&two, ""), ["bee"]);
    assert_eq!(tables(&one, ""), ["apple"]);
    two.replace("kept/src/lib.rs", "Bee {", "Bee { broken");
    let run = two.fails("migrate --dry-run");
    assert!(run.stderr.contains("the package `outer` does not compile"), "{run}");
    assert_eq!(tables(&one, ""), ["apple"]);
    // The host's directory has another name in each run.
    fs::remove_dir_all(&own[0]).unwrap();
}
