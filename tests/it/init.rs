//! `init`, and the files that it creates in the migrations directory.

use std::fs;

use dbmigrate_tests::{Host, repository, revision};
use expect_test::expect;

#[test]
fn a_directory_that_is_empty_is_filled() {
    let host = Host::library("init-empty", "");
    for dir in ["migrations", "db/my history"] {
        fs::create_dir_all(host.dir.join(dir)).unwrap();
        let run = host.ok(&format!("init -d \"{dir}\""));
        let told = format!(
            "Creating directory {dir}/versions ... done\n\
             Generating {dir}/dbmigrate.toml ... done\n\
             Generating {dir}/mod.rs ... done\n\
             Generating {dir}/README.md ... done\n\
             Please edit the database connection in {dir}/dbmigrate.toml before proceeding.\n"
        );
        assert_eq!(run.stdout, told);
        assert_eq!(
            host.list(dir),
            [".gitattributes", "README.md", "dbmigrate.toml", "mod.rs", "versions"]
        );
        host.ok(&format!("revision -d \"{dir}\" --rev-id a1"));
        // A directory with files is refused.
        let before = host.list(dir);
        let run = host.fails(&format!("init -d \"{dir}\" --template default"));
        assert!(run.stderr.contains("already exists and is not empty"), "{run}");
        assert_eq!(host.list(dir), before);
    }
    assert_eq!(
        host.read("migrations/dbmigrate.toml"),
        fs::read_to_string(repository().join("cargo-dbmigrate/src/scaffold/dbmigrate.toml"))
            .unwrap()
    );
}

#[test]
fn templates_are_listed_and_each_of_them_works() {
    let nowhere = Host::empty("list-templates");
    let run = nowhere.ok("list-templates");
    expect![[r#"
        default - One database
        multidb - Several databases, each with a history of its own
    "#]]
    .assert_eq(&run.stdout);
    let document: serde_json::Value =
        serde_json::from_str(&nowhere.ok("list-templates --format json").stdout).unwrap();
    assert_eq!(document["command"], "list-templates");
    let listed = document["templates"].as_array().unwrap();
    assert_eq!(listed.len(), run.stdout.lines().count());
    for (line, value) in run.stdout.lines().zip(listed) {
        let (name, description) = line.split_once(" - ").unwrap();
        assert_eq!(
            (name.trim_end(), description),
            (value["name"].as_str().unwrap(), value["description"].as_str().unwrap())
        );
        let host = Host::library("built-in", "");
        host.ok(&format!("init --template {}", name.trim_end()));
        host.ok("heads");
    }
}

/// A team's own directory: its files are used as they are, and missing ones are the built-in ones.
#[test]
fn a_directory_of_one_s_own_is_a_template() {
    let host = Host::library("own-template", "");
    let built_in = |path: &str| {
        fs::read_to_string(repository().join("cargo-dbmigrate/src").join(path)).unwrap()
    };
    let module = built_in("render/revision.rs.tmpl");
    host.write(
        "our/template/dbmigrate.toml",
        "url = \"sqlite:ours.db\"\nfile_template = \"m_{rev}\"\n",
    );
    host.write("our/template/revision.rs.tmpl", &format!("// ours\n{module}"));
    host.write("our/template/shared/deep/names.rs", "//! names\r\n");
    host.write("our/template/.gitattributes", "mod.rs merge=union\n");
    host.write("our/template/.git/HEAD", "ref\n");
    host.write("our/template/shared/.git", "gitdir: elsewhere\n");
    fs::write(host.dir.join("our/template/shared/logo.bin"), [0xff, 0, 0x80]).unwrap();
    let first = revision("a1", &[], "first", "op.execute(\"SELECT 1\");", "");
    host.write("our/template/versions/m_a1.rs", &first);
    let run = host.ok("init --template our/template");
    expect![[r#"
        Creating directory migrations ... done
        Creating directory migrations/versions ... done
        Generating migrations/dbmigrate.toml ... done
        Generating migrations/mod.rs ... done
        Generating migrations/README.md ... done
        Generating migrations/revision.rs.tmpl ... done
        Generating migrations/shared/deep/names.rs ... done
        Generating migrations/shared/logo.bin ... done
        Generating migrations/versions/m_a1.rs ... done
        Please edit the database connection in migrations/dbmigrate.toml before proceeding.
    "#]]
    .assert_eq(&run.stdout);
    let note = "note: `revision.rs.tmpl` is used for new revisions once migrations/dbmigrate.toml \
                has `module_template = \"revision.rs.tmpl\"`\n";
    assert!(run.stderr.contains(note), "{run}");
    assert_eq!(fs::read(host.dir.join("migrations/shared/logo.bin")).unwrap(), [0xff, 0, 0x80]);
    assert_eq!(host.read("migrations/shared/deep/names.rs"), "//! names\r\n");
    assert_eq!(host.read("migrations/.gitattributes"), "mod.rs merge=union\n");
    assert!(host.read("migrations/README.md").starts_with("# Migrations\n"));
    assert!(host.read("migrations/mod.rs").contains("    m_a1;\n"), "{run}");
    host.ok("upgrade");
    assert!(host.dir.join("ours.db").exists());

    // A template whose settings name its template for revisions, with a path relative to the
    // working directory.
    host.replace(
        "our/template/dbmigrate.toml",
        "url",
        "module_template = \"revision.rs.tmpl\"\nurl",
    );
    host.write("our/template/mod.rs", &host.read("migrations/mod.rs").replace("    m_a1;\n", ""));
    host.replace("our/template/mod.rs", "//! The revisions", "//! Our revisions");
    let run = host.ok("init -d other --template ./our/template/");
    assert!(!run.stderr.contains("is used for new revisions"), "{run}");
    host.ok("revision -d other --rev-id b2");
    assert!(host.read("other/versions/m_b2.rs").starts_with("// ours\n"));
    let list = host.read("other/mod.rs");
    assert!(
        list.starts_with("//! Our revisions") && list.contains("    m_a1;\n    m_b2;\n"),
        "{list}"
    );
}

/// Whatever a template lacks, nothing is left behind.
#[test]
fn a_template_that_can_t_be_one_is_refused_and_nothing_is_left() {
    let host = Host::library("no-template", "");
    host.write("good/README.md", "ours\n");
    host.write("toml/dbmigrate.toml", "url = \"sqlite:app.db\"\nfiletemplate = \"\"\n");
    host.write("toml/a.rs", "");
    fs::create_dir_all(host.dir.join("latin")).unwrap();
    fs::write(host.dir.join("latin/dbmigrate.toml"), b"url = \"\xe4\"\n").unwrap();
    host.write("clash/versions", "a file in the place of a directory\n");
    host.write("clash/deep/file", "");
    host.write("name/versions/1.rs", "");
    let fails = |template: &str| {
        let run = host.fails(&format!("init -d db/migrations --template {template}"));
        assert!(!host.dir.join("db").exists(), "{run}");
        run.stderr
    };
    expect![[r#"
        error: there is no template `multi`
          hint: the templates are `default`, `multidb`; give the path of a directory to use your own
    "#]]
    .assert_eq(&fails("multi"));
    expect![[r#"
        error: the template `./default` is not a directory
          hint: `--template` takes the path of a directory, or a name of `list-templates`
    "#]]
    .assert_eq(&fails("./default"));
    expect![[r#"
        error: the template `./toml/a.rs` is not a directory
          hint: `--template` takes the path of a directory, or a name of `list-templates`
    "#]]
    .assert_eq(&fails("./toml/a.rs"));
    let wrong = "configuration at toml/dbmigrate.toml:2:1: unknown field `filetemplate`";
    assert!(fails("toml").contains(wrong));
    expect![[r#"
        error: failed to read `latin/dbmigrate.toml`: invalid utf-8 sequence of 1 bytes from index 7
    "#]]
    .assert_eq(&fails("latin"));
    expect![[r#"
        error: the migrations directory would be inside the template `.`
          hint: keep the template in a directory of its own
    "#]]
    .assert_eq(&fails("."));
    let clash = fails("clash");
    assert!(clash.contains("failed to write"), "{clash}");
    assert!(fails("name").contains("can't be a module's name"));
    // An existing directory stays, and stays empty.
    fs::create_dir_all(host.dir.join("migrations")).unwrap();
    host.fails("init --template clash");
    assert_eq!(host.list("migrations"), [""; 0]);
    assert!(host.dir.join("migrations").is_dir());
    host.ok("init --template good");
    assert_eq!(host.read("migrations/README.md"), "ours\n");
}

#[cfg(unix)]
#[test]
fn a_template_s_links_lead_to_its_own_files() {
    use std::os::unix::fs::symlink;
    let host = Host::library("linked-template", "");
    host.write("secret", "secret\n");
    host.write("ours/a/real.txt", "real\n");
    symlink("a/real.txt", host.dir.join("ours/link.txt")).unwrap();
    host.ok("init -d db --template ours");
    assert_eq!(host.read("db/link.txt"), "real\n");
    assert!(!host.dir.join("db/link.txt").is_symlink());
    for (target, message) in [
        ("../secret", "`ours/x` is a link to something other than a file of the template"),
        ("..", "`ours/x` is a link to something other than a file of the template"),
        ("a", "`ours/x` is a link to something other than a file of the template"),
        ("gone", "failed to read `ours/x`: No such file"),
        ("x", "failed to read `ours/x`: Too many levels of symbolic links"),
    ] {
        symlink(target, host.dir.join("ours/x")).unwrap();
        let run = host.fails("init --template ours");
        assert!(run.stderr.contains(message), "{target}\n{run}");
        assert!(!host.dir.join("migrations").exists());
        fs::remove_file(host.dir.join("ours/x")).unwrap();
    }
}

/// The workspace gives the runtime another name, and the package uses the first edition, in which
/// later keywords are names as well.
#[test]
fn a_renamed_runtime_has_that_name_in_all_that_is_generated() {
    let mut host = Host::empty("renamed");
    let runtime = repository().join("dbmigrate-runtime");
    host.write(
        "Cargo.toml",
        &format!(
            "[workspace]\nmembers = [\"app\"]\nresolver = \"2\"\n\n[workspace.dependencies]\n\
             dbm = {{ package = \"dbmigrate-runtime\", path = {runtime:?} }}\n"
        ),
    );
    host.lock();
    host.dir.push("app");
    let manifest = "[package]\nname = \"renamed\"\nversion = \"0.1.0\"\n\n[dependencies]\n\
                    dbm = { workspace = true }\n";
    host.write("Cargo.toml", manifest);
    host.write("src/lib.rs", "extern crate dbm;\n");
    host.ok("init");
    assert_eq!(host.read("Cargo.toml"), manifest);
    assert!(host.read("migrations/mod.rs").contains("\n::dbm::migrations! {"));
    let run = host.fails("migrate");
    assert!(run.stderr.contains("`#[derive(dbm::Model)]` with `#[model(crate = dbm)]`"), "{run}");
    host.write(
        "src/lib.rs",
        "extern crate dbm;\n#[derive(dbm::Model)]\n#[model(crate = dbm, strickt)]\n\
         pub struct Job {\n    #[model(primary_key)]\n    pub id: i64,\n}\n",
    );
    let run = host.fails("migrate");
    assert!(run.stderr.contains("error: unknown key `strickt`"), "{run}");

    host.write(
        "src/lib.rs",
        "#![deny(warnings)]\nextern crate dbm;\n\n\
         #[derive(dbm::ColumnType)]\n#[model(crate = dbm)]\n\
         #[allow(non_camel_case_types)]\npub enum Try { async, dyn }\n\n\
         #[derive(dbm::Model)]\n#[model(crate = dbm, unique(dyn), index(async, await))]\n\
         pub struct Job {\n    #[model(primary_key)]\n    pub id: i64,\n    pub async: bool,\n    \
         pub await: i32,\n    #[model(references = Job::dyn)]\n    pub try: String,\n    \
         pub dyn: String,\n    pub gen: Try,\n    #[model(skip)]\n    pub not: Option<Box<dyn Send>>,\n}\n\n\
         #[path = \"../migrations/mod.rs\"]\npub mod migrations;\n",
    );
    host.ok("migrate -m first --rev-id a1");
    let text = host.read(&host.revision("first"));
    assert!(text.contains("\nuse dbm::prelude::*;\n"), "{text}");
    assert!(text.contains("Column::new(\"async\", Type::Boolean)"), "{text}");
    for (id, message) in [("b2", "left"), ("c3", "right")] {
        host.ok(&format!("revision --head a1 --splice -m {message} --rev-id {id}"));
    }
    host.ok("merge heads -m merged --rev-id d4");
    host.ok("init --database second");
    assert!(host.read("migrations/second/mod.rs").contains("\n::dbm::migrations! {"));
    host.ok("upgrade --database default");
    host.ok("check --database default");
    host.ok("squash --database default --rev-id e5");
    for path in host.revisions() {
        assert!(host.read(&path).contains("use dbm::prelude::*;"), "{path}");
    }
    let run = host.cargo("check --quiet");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
}
