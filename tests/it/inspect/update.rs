//! `inspect --update`: what models lack, as a patch.

use dbmigrate_tests::{Host, sql};
use expect_test::expect;

#[test]
fn what_models_lack_is_a_patch() {
    let models = "//! Models.\nuse dbmigrate_runtime::Model;\n\n/// Somebody.\n#[derive(Model)]\n\
                  #[model(table = \"users\")]\npub struct Account {\n    #[model(primary_key)]\n    pub id: i64\n}\n\n\
                  pub mod inner {\n    #[derive(dbmigrate_runtime::Model)]\n    \
                  #[model(table = \"tags\")]\n    pub struct Tag {\n        \
                  #[model(primary_key)]\n        pub name: String,\n    }\n}\n\npub struct Other;\n";
    let mut host = Host::library("inspect-update", "pub mod models;\n");
    host.write("src/models.rs", models);
    host.env("DATABASE_URL", &format!("sqlite:{}", host.dir.join("app.db").display()));
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE tags (name TEXT NOT NULL PRIMARY KEY);";
    sql(&host.dir.join("app.db"), table);
    let run = host.ok("inspect --update");
    assert_eq!(run.stdout, "");
    assert_eq!(run.errors(), "the models have every table and column of the database\n");
    sql(
        &host.dir.join("app.db"),
        "ALTER TABLE users ADD COLUMN mood TEXT NOT NULL DEFAULT 'ok' CHECK (mood IN ('ok', 'sad'));
         ALTER TABLE tags ADD COLUMN user_id INTEGER REFERENCES users (id);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, \"type\" TEXT, author INTEGER REFERENCES users);",
    );
    let run = host.ok("inspect --update");
    expect![[r#"
        --- a/src/models.rs
        +++ b/src/models.rs
        @@ -6,7 +6,9 @@
         #[model(table = "users")]
         pub struct Account {
             #[model(primary_key)]
        -    pub id: i64
        +    pub id: i64,
        +    #[model(default = "ok")]
        +    pub mood: AccountMood,
         }
        (blank)
         pub mod inner {
        @@ -15,7 +17,25 @@
             pub struct Tag {
                 #[model(primary_key)]
                 pub name: String,
        +        #[model(references = crate::models::Account)]
        +        pub user_id: Option<i64>,
             }
         }
        (blank)
         pub struct Other;
        +
        +#[derive(Model)]
        +#[model(table = "posts")]
        +pub struct Post {
        +    #[model(primary_key)]
        +    pub id: i64,
        +    pub r#type: Option<String>,
        +    #[model(references = crate::models::Account)]
        +    pub author: Option<i64>,
        +}
        +
        +#[derive(dbmigrate_runtime::ColumnType)]
        +pub enum AccountMood {
        +    Ok,
        +    Sad,
        +}
        the patch adds table `posts`, column `tags.user_id`, column `users.mood`; `git apply` takes it, and `diff models database` then lists what else differs
    "#]].assert_eq(&format!("{}{}", run.stdout, run.errors()).replace("\n \n", "\n(blank)\n"));
    assert_eq!(host.read("src/models.rs"), models);
    host.write("models.patch", &run.stdout);
    let mut git = host.command("git");
    let run = dbmigrate_tests::Run::of(git.args(["apply", "models.patch"]));
    assert_eq!(run.code, 0, "{run}");
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    assert_eq!(host.ok("inspect --update").stdout, "");
    host.ok("init");
    assert_eq!(host.ok("diff models database").stdout, "No differences.\n");

    // New models in a file of their own.
    host.write("src/models.rs", models);
    let run = host.ok("inspect --update --tables posts --out src/posts.rs");
    expect![[r#"
        --- /dev/null
        +++ b/src/posts.rs
        @@ -0,0 +1,9 @@
        +#[derive(dbmigrate_runtime::Model)]
        +#[model(table = "posts")]
        +pub struct Post {
        +    #[model(primary_key)]
        +    pub id: i64,
        +    pub r#type: Option<String>,
        +    #[model(references = crate::models::Account)]
        +    pub author: Option<i64>,
        +}
    "#]]
    .assert_eq(&run.stdout);
    // A struct without lines for fields is left to a person.
    host.replace(
        "src/models.rs",
        "pub struct Account {\n    #[model(primary_key)]\n    pub id: i64\n}",
        "pub struct Account { #[model(primary_key)] pub id: i64 }",
    );
    let run = host.ok("inspect --update --tables users");
    assert_eq!(run.stdout, "");
    expect![[r#"
        warning: `inspect_update::models::Account` at src/models.rs:7 can't be extended by a patch; add these fields by hand:
            #[model(default = "ok")]
            pub mood: AccountMood,
    "#]]
    .assert_eq(&run.errors());
}
