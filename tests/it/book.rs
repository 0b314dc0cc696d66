//! The book in `docs/` and the other documents: what they show is executed, what they list is
//! complete, and what they link to exists.

#[cfg(unix)]
mod coming_from;
#[cfg(unix)]
mod existing;
#[cfg(unix)]
mod played;
mod releases;
mod under_load;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_tests::{Host, Run, plain_ids, repository, revision, sql};
use expect_test::expect_file;

/// A fenced block: the words after the fence, and its lines.
struct Block {
    kind: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => {
                open = Some(Block { kind: kind.to_owned(), text: String::new() });
            }
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is left open");
    blocks
}

fn page(path: &str) -> String {
    let path = repository().join("docs").join(path);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

/// The commands of a console block, each with the output on the page.
fn session(block: &str) -> Vec<(String, String)> {
    let mut session: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            session.push((command.to_owned(), String::new()));
        } else {
            let (_, output) = session.last_mut().expect("a console block begins with a command");
            *output += &format!("{line}\n");
        }
    }
    session
}

#[test]
fn the_tutorial_is_played_as_it_stands() {
    let host = Host::library("tutorial", "");
    let mut played = 0;
    for block in blocks(&page("tutorial.md")) {
        match block.kind.as_str() {
            "rust,models" => host.write("src/lib.rs", &block.text),
            "sql,rows" => sql(&host.dir.join("app.db"), &block.text),
            "rust,ignore" => {
                let revisions = host.revisions();
                let newest = host.read(revisions.last().expect("a revision was written"));
                assert!(newest.contains(&block.text), "{newest}\nlacks\n{}", block.text);
            }
            "console" => {
                for (command, output) in session(&block.text) {
                    let args = command.strip_prefix("cargo dbmigrate ");
                    let run = host.ok(args.unwrap_or_else(|| panic!("not ours: {command}")));
                    assert_eq!(plain_ids(&run.stdout), plain_ids(&output), "$ {command}\n{run}");
                    played += 1;
                }
            }
            // A block about installing the tool.
            "sh" => {}
            other => panic!("the tutorial has a block of `{other}`, which nothing plays"),
        }
    }
    assert!(played > 8, "{played} commands");
}

/// The guides with console sessions: [`existing`] and [`under_load`] play their pages, and
/// [`the_guides_are_played_as_they_stand`] the others.
const PLAYED: &[&str] = &[
    "backups",
    "switching-branches",
    "existing-database",
    "without-downtime",
    "releases",
    "squash",
    "many-files",
    "teams-and-branches",
    "several-databases",
];

/// Plays the blocks of a guide: the output of a console session has to be on the page, lines on
/// standard error excepted; the commands of a `sh` block have to succeed.
fn play_guide(host: &Host, name: &str) {
    for block in blocks(&page(&format!("guides/{name}.md"))) {
        if block.kind == "sh" {
            for command in block.text.lines() {
                host.ok(command.strip_prefix("cargo dbmigrate ").expect("a command"));
            }
        }
        if block.kind != "console" {
            continue;
        }
        for (command, output) in session(&block.text) {
            if let Some(args) = command.strip_prefix("git ") {
                super::switch::git(host, &args.split(' ').collect::<Vec<_>>());
                continue;
            }
            let args = command.strip_prefix("cargo dbmigrate ").expect("a command");
            let run = host.dbmigrate(&args.replace('\'', "\""));
            let errors = without_waits(&plain_ids(&run.stderr));
            let is_error = |line: &&str| errors.lines().any(|error| error == *line);
            let output = without_waits(&plain_ids(&output));
            let (_, shown): (Vec<&str>, Vec<&str>) = output.lines().partition(is_error);
            let printed = plain_ids(&run.stdout);
            assert_eq!(shown, printed.lines().collect::<Vec<_>>(), "{name}: $ {command}\n{run}");
        }
    }
}

/// The text without the seconds that a lock was waited for, since the test waits only briefly.
fn without_waits(text: &str) -> String {
    let line = |line: &str| match (line.split_once(" lock for "), line.split_once(" s: ")) {
        (Some((before, _)), Some((_, after))) => format!("{before} lock for $N s: {after}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn the_guides_are_played_as_they_stand() {
    let model = |name: &str, fields: &str| {
        format!(
            "#[derive(Model)]\npub struct {name} {{\n#[model(primary_key)]\npub id: i64,\n{fields}}}\n"
        )
    };
    let write_models = |host: &Host, user: &str, post: &str| {
        let models = model("User", user) + &model("Post", post);
        host.write("src/lib.rs", &format!("use dbmigrate_runtime::Model;\n{models}"));
    };
    let host = Host::library("guides", "");
    let (name, body) = ("pub name: Option<String>,\n", "pub body: Option<String>,\n");
    write_models(&host, name, body);
    host.ok("init");
    host.replace("migrations/dbmigrate.toml", "lock_timeout = 60", "lock_timeout = 1");
    let create = |table: &str| {
        format!(
            "op.create_table(Table::new({table:?}).column(Column::new(\"id\", \
             Type::BigInteger).not_null()).primary_key(\"pk_{table}\", [\"id\"]));"
        )
    };
    let add = |table: &str, column: &str| {
        format!("op.add_column({table:?}, Column::new({column:?}, Type::Text));")
    };
    for (id, parents, upgrade) in [
        ("a1", &[][..], create("user")),
        ("b2", &["a1"], create("post")),
        ("c3", &["b2"], add("user", "name")),
        ("d4", &["c3"], add("post", "body")),
    ] {
        let text = revision(id, parents, id, &upgrade, "");
        host.write(&format!("migrations/versions/m20250101_000000_{id}.rs"), &text);
    }
    host.write("tenants/README.md", "");
    for (file, target) in [("ada", "a1"), ("t00", "head")] {
        host.ok(&format!("upgrade {target} --url sqlite:tenants/{file}.db"));
    }
    let path = |name: &str| host.dir.join("tenants").join(format!("{name}.db"));
    fs::copy(path("ada"), path("bob")).expect("the file can be copied");
    for n in 1..98 {
        fs::copy(path("t00"), path(&format!("t{n:02}"))).expect("the file can be copied");
    }

    play_guide(&host, "squash");
    let locked = rusqlite::Connection::open(path("bob")).expect("it can be opened");
    locked.execute_batch("BEGIN IMMEDIATE").expect("it can be locked");
    play_guide(&host, "many-files");

    let (email, title) = ("pub email: Option<String>,\n", "pub title: Option<String>,\n");
    write_models(&host, &format!("{name}{email}"), body);
    host.ok("migrate -m \"user email\" --rev-id 3f1c5a2b7e90");
    host.ok("upgrade");
    write_models(&host, &format!("{name}{email}"), &format!("{body}{title}"));
    let parent = "--head 3f1c5a2b7e90-1 --splice";
    host.ok(&format!("migrate -m \"post title\" --rev-id a8d04c6612fb {parent}"));
    play_guide(&host, "teams-and-branches");
    play_guide(&host, "several-databases");

    let host = Host::library("guide-backups", "");
    host.ok("init");
    host.write("migrations/versions/m1_a1.rs", &revision("a1", &[], "a1", &create("user"), ""));
    host.ok("upgrade");
    host.write(
        "migrations/versions/m2_b2.rs",
        &revision("b2", &["a1"], "more", &create("post"), ""),
    );
    play_guide(&host, "backups");

    let host = super::switch::host("guide-switch", None, &super::switch::toys());
    play_guide(&host, "switching-branches");

    for file in documents() {
        let text = fs::read_to_string(&file).expect("the document can be read");
        let is_guide = file.parent().is_some_and(|dir| dir.ends_with("guides"));
        let has_session = text.lines().any(|line| line.starts_with("$ cargo dbmigrate"));
        let is_played = PLAYED.iter().any(|name| file.ends_with(format!("{name}.md")));
        assert!(!is_guide || has_session == is_played, "{}", file.display());
    }
}

/// Every file and directory of the repository, apart from hidden ones and those that cargo builds.
fn paths() -> Vec<PathBuf> {
    fn look(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("the directory can be read") {
            let path = entry.expect("the entry can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.starts_with('.') && name != "target" {
                if path.is_dir() {
                    look(&path, found);
                }
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    look(repository(), &mut found);
    found
}

/// Every Markdown file of the repository, sorted.
fn documents() -> Vec<PathBuf> {
    let mut found = paths();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    found
}

/// The lines of a page outside of fenced blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of a page's links.
fn links(page: &str) -> Vec<String> {
    let text = prose(page).collect::<Vec<_>>().join("\n");
    let ends = text.split("](").skip(1);
    ends.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchors of a page's headings, as forges and mdBook generate them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let here = "https://github.com/dbmigrate/dbmigrate/tree/main/";
    let mut broken = Vec::new();
    let mut count = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("the document can be read");
        for link in links(&text) {
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path.strip_prefix(here) {
                Some(inside) => repository().join(inside),
                None if path.contains("://") => continue,
                None if path.is_empty() => document.clone(),
                None => document.parent().unwrap_or(Path::new("")).join(path),
            };
            let has_anchor = || {
                let page = fs::read_to_string(&target).unwrap_or_default();
                anchor.is_empty() || anchors(&page).contains(anchor)
            };
            if !target.exists() || !has_anchor() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(count > 40, "{count} links");
}

/// The paths in ARCHITECTURE.md and CONTRIBUTING.md exist. A path may leave out its beginning.
#[test]
fn every_file_that_the_map_names_exists() {
    let paths = paths();
    let mut missing = Vec::new();
    let mut count = 0;
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(repository().join(document)).expect("it can be read");
        let text = prose(&text).collect::<Vec<_>>().join("\n");
        for word in text.split('`').skip(1).step_by(2) {
            let is_path = word.ends_with(".rs") || word.contains('/');
            // Hidden directories aren't searched, and some files are still to be written.
            if !is_path
                || word.starts_with('.')
                || word.contains([' ', ':', '(', '<'])
                || word.contains("NAME")
            {
                continue;
            }
            count += 1;
            // Compares whole components.
            if !paths.iter().any(|path| path.ends_with(word)) {
                missing.push(format!("{document}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(count > 80, "{count} paths");
}

/// A page that is missing in the summary isn't part of the book.
#[test]
fn the_summary_lists_every_page() {
    let docs = repository().join("docs");
    let listed: BTreeSet<PathBuf> =
        links(&page("SUMMARY.md")).iter().map(|path| docs.join(path)).collect();
    let pages = documents().into_iter().filter(|path| path.starts_with(&docs));
    let pages: BTreeSet<PathBuf> = pages.filter(|path| !path.ends_with("SUMMARY.md")).collect();
    assert_eq!(listed, pages);
}

/// Attributes and types are described only once, in the documentation of `Model`.
#[test]
fn attributes_are_listed_as_in_the_documentation_of_model() {
    let source = repository().join("dbmigrate-runtime/src/model/mod.rs");
    let source = fs::read_to_string(source).expect("the source can be read");
    let doc = source.lines().filter_map(|line| line.strip_prefix("///"));
    let doc: Vec<&str> = doc.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let begin = doc.iter().position(|line| *line == "# On the struct").expect("it begins");
    let end = doc.iter().position(|line| *line == "# Mistakes").expect("it ends");
    let mut text = String::from(
        "# Attributes and types\n\n\
         These are the attributes of `#[derive(Model)]`, and the column types. The documentation of\n\
         `dbmigrate_runtime::Model` has the same tables, with examples.\n\n\
         An attribute is written `#[model(key)]`; several keys are separated by commas. Lists of\n\
         columns use the names of the Rust fields.\n\n",
    );
    let mut is_code = false;
    for line in &doc[begin..end] {
        let is_fence = line.starts_with("```");
        // Lines that are hidden in the documentation are only for the compiler.
        if is_code && (*line == "#" || line.starts_with("# ")) {
            continue;
        }
        let line = if is_fence && !is_code {
            "```rust,ignore".to_owned()
        } else if line.starts_with('#') && !is_code {
            format!("#{}", line.replace('*', ""))
        } else {
            (*line).to_owned()
        };
        is_code ^= is_fence;
        text += &format!("{}\n", if is_code { line } else { without_targets(&line) });
    }
    expect_file![repository().join("docs/reference/models.md")]
        .assert_eq(text.trim_end_matches('\n').to_owned().as_str());
}

/// Each key that the derive accepts is on that page.
#[test]
fn every_key_of_an_attribute_is_documented() {
    let source = repository().join("dbmigrate-derive/src/attr.rs");
    let source = fs::read_to_string(source).expect("the source can be read");
    let (_, keys) = source.split_once("const KEYS: &[Key]").expect("the table of keys");
    let (keys, _) = keys.split_once("\n];").expect("the table's end");
    let names: Vec<&str> = keys
        .split(['('])
        .filter_map(|text| text.trim_start().strip_prefix('"')?.split('"').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(names.len() > 30, "{names:?}");
    let page = page("reference/models.md");
    let is_missing = |name: &&str| !page.contains(&format!("`{name}"));
    let missing: Vec<&str> = names.into_iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A line with only the texts of its links, since their targets are items of the crate.
fn without_targets(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("[`") {
        let Some(end) = rest[start..].find("`]") else { break };
        let (word, after) = (&rest[start + 1..start + end + 1], &rest[start + end + 2..]);
        let target = after.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        out += &rest[..start];
        out += word;
        rest = target.map_or(after, |(_, after)| after);
    }
    out + rest
}

/// A cargo that builds nothing takes the place of the real one, so that the tour ends there.
#[cfg(unix)]
#[test]
fn the_tour_says_what_it_does_before_it_builds_the_tool() {
    use std::os::unix::fs::PermissionsExt as _;

    let host = Host::empty("tour");
    host.write("cargo", "#!/bin/sh\necho \"cargo $*\"\nexit 1\n");
    let cargo = host.dir.join("cargo");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut tour = host.command(env!("CARGO_BIN_EXE_tour"));
    let run = Run::of(tour.env("CARGO", &cargo));
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the tool does not build"), "{run}");
    expect_test::expect![[r#"
        Building the tool. The first time, this takes a few minutes ...

        cargo build --quiet -p cargo-dbmigrate
    "#]]
    .assert_eq(&run.stdout);
}
