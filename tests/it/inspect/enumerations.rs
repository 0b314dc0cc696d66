//! Enumerations of PostgreSQL that several tables use: their enums are declared once.

use dbmigrate_tests::servers::{self, client};
use dbmigrate_tests::{Host, Run};
use expect_test::expect;

use super::update::apply_patch;

/// Also with names that become the same name of a file.
const TABLES: &str = r#"
    CREATE TYPE mood AS ENUM ('ok', 'sad');
    CREATE TABLE "Users" (id bigint PRIMARY KEY, mood mood, moods mood[] NOT NULL);
    CREATE TABLE users (
        id bigint PRIMARY KEY, mood mood NOT NULL DEFAULT 'ok', other bigint REFERENCES "Users" (id)
    );
    CREATE TABLE a_b (id bigint PRIMARY KEY, mood mood);
    CREATE TABLE ab (id bigint PRIMARY KEY);
    CREATE TABLE "type" (id bigint PRIMARY KEY, mood mood);"#;

#[test]
fn files_of_tables_share_enumerations() {
    for server in servers::postgres("files_of_tables_share_enumerations").into_iter().take(1) {
        let mut host = Host::library("inspect-split", "pub mod models;\n");
        let url = server.database();
        client(&url).batch_execute(TABLES).unwrap();
        host.env("DATABASE_URL", &url);
        let out = host.dir.join("src/models.rs");
        host.ok(&format!("inspect --split --out {}", out.display()));
        expect![[r#"
            mod ab;
            mod ab2;
            mod r#type;
            mod user;
            mod user2;

            pub use ab::*;
            pub use ab2::*;
            pub use r#type::*;
            pub use user::*;
            pub use user2::*;
        "#]]
        .assert_eq(&host.read("src/models.rs"));
        expect![[r#"
            use dbmigrate_runtime::Model;

            use super::{Mood, User};

            #[derive(Model)]
            #[model(
                table = "users",
                primary_key(name = "users_pkey", columns(id)),
                foreign_key(name = "users_other_fkey", columns(other), references = User)
            )]
            pub struct User2 {
                #[model(autoincrement = false)]
                pub id: i64,
                #[model(default = "ok")]
                pub mood: Mood,
                pub other: Option<i64>,
            }
        "#]]
        .assert_eq(&host.read("src/models/user2.rs"));
        let mut rustfmt = host.command("rustfmt");
        rustfmt.args(["--check", "--edition", "2021", "--config", "max_width=100", "src/lib.rs"]);
        let run = Run::of(&mut rustfmt);
        assert_eq!(run.code, 0, "{run}");
        let run = host.cargo("check");
        assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
        host.ok("init --dialect postgres");
        assert_eq!(host.ok("diff database models").stdout, "No differences.\n");
    }
}

const USERS: &str = "use dbmigrate_runtime::{ColumnType, Model};\n\n#[derive(Clone, ColumnType)]\npub enum Mood {\n    \
    Ok,\n    Sad,\n}\n\n#[derive(Model)]\n#[model(table = \"users\")]\npub struct User {\n    \
    #[model(primary_key)]\n    pub id: i64,\n    pub mood: Mood,\n}\n";

const POSTS: &str = "use dbmigrate_runtime::Model;\n\n#[derive(Clone, Debug, Model)]\n#[model(table = \"posts\")]\n\
    pub struct Post {\n    #[model(primary_key)]\n    pub id: i64,\n}\n";

#[test]
fn patches_of_several_files_share_enumerations() {
    let test = "patches_of_several_files_share_enumerations";
    for server in servers::postgres(test).into_iter().take(1) {
        let mut host = Host::library("inspect-shared", "pub mod posts;\npub mod users;\n");
        let url = server.database();
        client(&url)
            .batch_execute(
                "CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE TYPE state AS ENUM ('new', 'done');
                 CREATE TABLE posts (id bigint PRIMARY KEY, mood mood, state state);
                 CREATE TABLE users (id bigint PRIMARY KEY, mood mood NOT NULL, state state NOT NULL);
                 CREATE TABLE notes (id bigint PRIMARY KEY, mood mood, state state[])",
            )
            .unwrap();
        host.env("DATABASE_URL", &url);
        host.write("src/users.rs", USERS);
        host.write("src/posts.rs", POSTS);
        let run = host.ok("inspect --update");
        let added = run.stdout.lines().filter(|line| line.starts_with('+'));
        let added: String = added.map(|line| format!("{line}\n")).collect();
        expect![[r#"
            +++ b/src/posts.rs
            +    pub mood: Option<crate::users::Mood>,
            +    pub state: Option<State>,
            +}
            +
            +#[derive(Clone, Debug, dbmigrate_runtime::ColumnType)]
            +pub enum State {
            +    New,
            +    Done,
            +}
            +
            +#[derive(Model)]
            +#[model(table = "notes", primary_key(name = "notes_pkey", columns(id)))]
            +pub struct Note {
            +    #[model(autoincrement = false)]
            +    pub id: i64,
            +    pub mood: Option<crate::users::Mood>,
            +    pub state: Option<Vec<crate::posts::State>>,
            +++ b/src/users.rs
            +    pub state: crate::posts::State,
        "#]]
        .assert_eq(&added);
        expect![[r#"
            warning: `inspect_shared::posts::Post` at src/posts.rs:5 derives traits that the types of its new fields lack, so it does not compile with the patch:
              `Debug`, because of `mood: Option<crate::users::Mood>`: the enum does not derive it
              remove these derives, or change the types
            the patch adds table `notes`, column `posts.mood`, column `posts.state`, column `users.state`; `git apply` takes it at the root of the repository, and `diff models database` then lists what else differs
        "#]].assert_eq(&run.errors());
        apply_patch(&host, &run.stdout);
        host.replace("src/posts.rs", "#[derive(Clone, Debug, Model)]", "#[derive(Clone, Model)]");
        let run = host.cargo("check");
        assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
        assert_eq!(host.ok("inspect --update").stdout, "");
        // The file of new models isn't one of the existing ones.
        host.write("src/users.rs", USERS);
        host.write("src/posts.rs", POSTS);
        let run = host.ok("inspect --update --tables notes --out src/notes.rs");
        assert!(run.stdout.contains("+    pub state: Option<Vec<State>>,\n"), "{run}");
        assert!(run.stdout.contains("+pub enum State {\n"), "{run}");
        apply_patch(&host, &run.stdout);
        host.write("src/lib.rs", "pub mod notes;\npub mod posts;\npub mod users;\n");
        let run = host.cargo("check");
        assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    }
}
