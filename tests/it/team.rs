//! Two people write a revision each, and git merges them.

use std::fs;
use std::path::Path;

use dbmigrate_tests::{Host, Run, dump, sql};
use expect_test::expect;

use crate::branches::{self, play};
use crate::rebase;

const LIBRARY: &str = "#[path = \"../migrations/mod.rs\"]\npub mod migrations;\npub mod post;\n\
                       pub mod user;\n";

fn model(name: &str, more: &str) -> String {
    format!(
        "use dbmigrate_runtime::Model;\n\n#[derive(Model)]\npub struct {name} {{\n    \
         #[model(primary_key)]\n    pub id: i64,\n    {more}\n}}\n"
    )
}

/// Runs git as a person who has configured nothing but a name.
#[track_caller]
fn git(host: &Host, args: &[&str]) -> Run {
    let mut command = host.command("git");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]);
    let run = Run::of(command.args(args));
    assert_eq!(run.code, 0, "git {args:?}\n{run}");
    run
}

fn commit(host: &Host, message: &str) {
    git(host, &["add", "--all"]);
    git(host, &["commit", "--quiet", "-m", message]);
}

#[test]
fn after_a_git_merge() {
    // Only reported on request, since `init` prints what everyone needs to know.
    let bare = Host::library("team-init", "");
    assert!(bare.ok("init -v").stderr.contains("Generating migrations/.gitattributes ... done"));
    let run = bare.fails("init");
    assert!(run.stderr.contains("already exists and is not empty"), "{run}");
    let kept = Host::library("team-kept", "");
    kept.write("migrations/.gitattributes", "* text\n");
    kept.fails("init");
    assert_eq!(kept.read("migrations/.gitattributes"), "* text\n");

    let ada = branches::host("team");
    ada.write("src/lib.rs", LIBRARY);
    ada.write("src/user.rs", &model("User", ""));
    ada.write("src/post.rs", &model("Post", ""));
    ada.write(".gitignore", "*.db\n");
    ada.ok("migrate -m first --rev-id f1");
    git(&ada, &["init", "--quiet", "-b", "main"]);
    commit(&ada, "first");
    let bob = Host::empty("team-bob");
    git(&bob, &["clone", "--quiet", &ada.dir.display().to_string(), "."]);

    for (host, file, name, field, id) in [
        (&ada, "src/user.rs", "User", "pub email: Option<String>,", "ada1"),
        (&bob, "src/post.rs", "Post", "pub title: Option<String>,", "bob1"),
    ] {
        host.ok("upgrade");
        let rows = "INSERT INTO user VALUES (1); INSERT INTO post VALUES (7);";
        sql(&host.dir.join("app.db"), rows);
        host.write(file, &model(name, field));
        host.ok(&format!("migrate -m \"what {id} needs\" --rev-id {id}"));
        host.ok("upgrade");
        commit(host, id);
    }
    git(&bob, &["pull", "--quiet", "--no-rebase", "--no-edit"]);
    assert_eq!(git(&bob, &["status", "--porcelain"]).stdout, "");
    let list = bob.read("migrations/mod.rs");
    assert!(list.contains("m_bob1_what_bob1_needs;\n    m_ada1_what_ada1_needs;"), "{list}");

    play(
        &bob,
        &["check", "check --no-database", "upgrade", "migrate -m more", "revision -m more"],
        expect![[r#"
            $ cargo dbmigrate check
            The history has 2 heads:
              ada1  what ada1 needs, in migrations/versions/m_ada1_what_ada1_needs.rs
              bob1  what bob1 needs, in migrations/versions/m_bob1_what_bob1_needs.rs
            Models and migrations agree.
            The database is behind: ada1 pending.
            The database agrees with the migrations.
            `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            Database: sqlite:$HOST/app.db
            [1]
            $ cargo dbmigrate check --no-database
            The history has 2 heads:
              ada1  what ada1 needs, in migrations/versions/m_ada1_what_ada1_needs.rs
              bob1  what bob1 needs, in migrations/versions/m_bob1_what_bob1_needs.rs
            Models and migrations agree.
            `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [1]
            $ cargo dbmigrate upgrade
            error: `head` means a single revision, but the history has 2 heads:
              ada1  what ada1 needs, in migrations/versions/m_ada1_what_ada1_needs.rs
              bob1  what bob1 needs, in migrations/versions/m_bob1_what_bob1_needs.rs
              hint: name one of them (`ada1`, `bob1`), use `heads` for all, or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [3]
            $ cargo dbmigrate migrate -m more
            No changes in schema detected.
            $ cargo dbmigrate revision -m more
            error: a new revision follows one revision, but the history has 2 heads:
              ada1  what ada1 needs, in migrations/versions/m_ada1_what_ada1_needs.rs
              bob1  what bob1 needs, in migrations/versions/m_bob1_what_bob1_needs.rs
              hint: choose one with --head (`base` for none of them), or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [3]
        "#]],
    );
    // A command that writes has updated the list, though it wrote no revision.
    let list = bob.read("migrations/mod.rs");
    assert!(list.contains("m_ada1_what_ada1_needs;\n    m_bob1_what_bob1_needs;"), "{list}");
    // He moves the revision that he hasn't published yet.
    play(
        &bob,
        &[
            "rebase bob1",
            "downgrade bob1@f1 --allow-destructive",
            "rebase bob1 --dry-run",
            "rebase bob1",
            "upgrade",
            "check",
            "rebase",
        ],
        expect![[r#"
            $ cargo dbmigrate rebase bob1
            error: revision `bob1` is applied, so it stays
              hint: join the heads with `cargo dbmigrate merge`; to move a line, undo it with `cargo dbmigrate downgrade bob1@f1`, then rebase and upgrade
            [3]
            $ cargo dbmigrate downgrade bob1@f1 --allow-destructive
            Running downgrade bob1 -> f1, what bob1 needs
            $ cargo dbmigrate rebase bob1 --dry-run
            bob1 would be moved after ada1, in migrations/versions/m_bob1_what_bob1_needs.rs:
            -//! Revises: f1
            +//! Revises: ada1
            -pub const DOWN_REVISION: &[&str] = &["f1"];
            +pub const DOWN_REVISION: &[&str] = &["ada1"];
            note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
            $ cargo dbmigrate rebase bob1
            Rebasing bob1 onto ada1
            Editing migrations/versions/m_bob1_what_bob1_needs.rs ... done
            note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
            $ cargo dbmigrate upgrade
            Running upgrade f1 -> ada1, what ada1 needs
            Running upgrade ada1 -> bob1, what bob1 needs
            $ cargo dbmigrate check
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate rebase
            error: there is only one head, `bob1`, so there is nothing to rebase
            [3]
        "#]],
    );
    expect![[r#"
        dbmigrate_version: "f1", "", "first", "1:c6a83e7af744120ffcf5a4a1af1821280fc337db918b9fb10a23628af2e2c13a"
        dbmigrate_version: "ada1", "f1", "what ada1 needs", "1:b18444b5784d06746497a40a59bd8cdddf81c877a387068595beba38ab6dc0e2"
        dbmigrate_version: "bob1", "ada1", "what bob1 needs", "1:a428ec14396b27a4e33fa5ca02fe25ed30f1f4755e67db13e1954f818b955da0"
        CREATE TABLE "post" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_post" PRIMARY KEY
        , "title" TEXT);
        post: 7, NULL
        CREATE TABLE "user" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_user" PRIMARY KEY
        , "email" TEXT);
        user: 1, NULL
    "#]].assert_eq(&dump(&bob.dir.join("app.db")));
    commit(&bob, "behind Ada's");

    // Her revision is applied, and his comes after it.
    let theirs = bob.dir.display().to_string();
    git(&ada, &["pull", "--quiet", "--no-rebase", "--no-edit", &theirs, "main"]);
    play(
        &ada,
        &["upgrade", "check"],
        expect![[r#"
            $ cargo dbmigrate upgrade
            Running upgrade ada1 -> bob1, what bob1 needs
            $ cargo dbmigrate check
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/app.db
        "#]],
    );
    assert_eq!(dump(&ada.dir.join("app.db")), dump(&bob.dir.join("app.db")));
    assert!(ada.cargo("check --quiet").code == 0);
}

#[test]
fn several_heads_and_commands_that_need_one() {
    let host = rebase::host("heads");
    let files_of = |path: &Path| fs::read_dir(path).unwrap().count();
    play(
        &host,
        &[
            "migrate -m nothing",
            "merge --dry-run --rev-id d00d",
            "undo",
            "undo a1",
            "undo base",
            "undo a2",
        ],
        expect![[r#"
            $ cargo dbmigrate migrate -m nothing
            note: since the command failed, these files were restored: `migrations/mod.rs`
            error: a new revision follows one revision, but the history has 2 heads:
              a2  adds a2, in migrations/versions/m_a2.rs
              b1  adds b1, in migrations/versions/m_b1.rs
              hint: choose one with --head (`base` for none of them), or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [3]
            $ cargo dbmigrate merge --dry-run --rev-id d00d
            //! merge a2, b1
            //!
            //! Revision ID: d00d
            //! Revises: a2, b1
            //! Create Date: $CREATED

            use dbmigrate_runtime::prelude::*;

            // revision identifiers, used by dbmigrate.
            pub const REVISION: &str = "d00d";
            pub const DOWN_REVISION: &[&str] = &["a2", "b1"];
            pub const BRANCH_LABELS: &[&str] = &[];
            pub const DEPENDS_ON: &[&str] = &[];

            pub fn upgrade(op: &mut Operations) {}

            pub fn downgrade(op: &mut Operations) {}
            $ cargo dbmigrate undo
            error: several revisions could be undone:
              a2, in migrations/versions/m_a2.rs
              b1, in migrations/versions/m_b1.rs
              hint: choose one:
                cargo dbmigrate undo a2
                cargo dbmigrate undo b1
            [3]
            $ cargo dbmigrate undo a1
            error: revision `a1` is not a head, since others follow it:
              a2, in migrations/versions/m_a2.rs
              hint: undo these first, starting with the newest
            [3]
            $ cargo dbmigrate undo base
            error: `base` is before the first revision
              hint: `cargo dbmigrate history` lists the revisions
            [3]
            $ cargo dbmigrate undo a2
            Deleting migrations/versions/m_a2.rs ... done
        "#]],
    );
    assert_eq!(files_of(&host.dir.join("migrations/versions")), 3);
    host.ok("upgrade a1");
    play(
        &host,
        &["undo a1", "undo", "undo"],
        expect![[r#"
        $ cargo dbmigrate undo a1
        error: revision `a1` is applied, so it stays
          hint: `cargo dbmigrate downgrade` undoes it first
        [3]
        $ cargo dbmigrate undo
        Deleting migrations/versions/m_b1.rs ... done
        $ cargo dbmigrate undo
        error: revision `a1` is applied, so it stays
          hint: `cargo dbmigrate downgrade` undoes it first
        [3]
    "#]],
    );
    assert_eq!(files_of(&host.dir.join("migrations/versions")), 2);
}
