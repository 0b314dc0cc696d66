//! `inspect --update`: what models lack, as a patch.

mod derives;
mod hostile;

use dbmigrate_tests::{Host, Run, sql};
use expect_test::expect;

/// Has git apply a patch to a host, which becomes a repository.
#[track_caller]
pub(super) fn apply_patch(host: &Host, patch: &str) {
    host.write("models.patch", patch);
    for args in [&["init", "--quiet"][..], &["apply", "models.patch"]] {
        let run = Run::of(host.command("git").args(args));
        assert_eq!(run.code, 0, "{run}");
    }
}

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
        diff --git a/src/models.rs b/src/models.rs
        --- a/src/models.rs
        +++ b/src/models.rs
        @@ -6,16 +6,36 @@
         #[model(table = "users")]
         pub struct Account {
             #[model(primary_key)]
        -    pub id: i64
        +    pub id: i64,
        +    #[model(default = "ok")]
        +    pub mood: AccountMood,
         }
        (blank)
        +#[derive(dbmigrate_runtime::ColumnType)]
        +pub enum AccountMood {
        +    Ok,
        +    Sad,
        +}
        +
         pub mod inner {
             #[derive(dbmigrate_runtime::Model)]
             #[model(table = "tags")]
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
        the patch adds table `posts`, column `tags.user_id`, column `users.mood`; `git apply` takes it at the root of the repository, and `diff models database` then lists what else differs
    "#]].assert_eq(&format!("{}{}", run.stdout, run.errors()).replace("\n \n", "\n(blank)\n"));
    assert_eq!(host.read("src/models.rs"), models);
    apply_patch(&host, &run.stdout);
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    assert_eq!(host.ok("inspect --update").stdout, "");
    host.ok("init");
    assert_eq!(host.ok("diff models database").stdout, "No differences.\n");

    // New models in a file of their own.
    host.write("src/models.rs", models);
    let run = host.ok("inspect --update --tables posts --out src/posts.rs");
    expect![[r#"
        diff --git a/src/posts.rs b/src/posts.rs
        new file mode 100644
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
    // A struct that a macro writes is left to a person.
    let by_macro = "macro_rules! account {\n    ($name:ident) => {\n        /// Somebody.\n        \
                    #[derive(Model)]\n        #[model(table = \"users\")]\n        pub struct $name {\n            \
                    #[model(primary_key)]\n            pub id: i64,\n        }\n    };\n}\naccount!(Account);\n";
    let begin = models.find("/// Somebody.").unwrap();
    let end = models.find("pub mod inner").unwrap();
    host.write("src/models.rs", &models.replace(&models[begin..end], by_macro));
    let run = host.ok("inspect --update --tables users");
    assert_eq!(run.stdout, "");
    expect![[r#"
        warning: `inspect_update::models::Account` at src/models.rs:15 can't be extended by a patch; add these fields by hand:
            #[model(default = "ok")]
            pub mood: AccountMood,
        #[derive(ColumnType)]
        pub enum AccountMood {
            Ok,
            Sad,
        }
    "#]].assert_eq(&run.errors());
}

/// The patch of a package whose files are not as rustfmt would have them.
#[test]
fn patches_fit_files_of_any_form() {
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (id INTEGER PRIMARY KEY, mood TEXT CHECK (mood IN ('a', 'b')), \
             other INTEGER REFERENCES others (id));"
        )
    };
    let mut host = Host::library("inspect-forms", "pub mod forms;\npub mod tabs;\n");
    host.write(
        "src/forms.rs",
        "use dbmigrate_runtime::Model;\r\n\r\n#[derive(Model)] #[model(table = \"ones\")] pub struct \
         One { #[model(primary_key)] pub id: i64 } #[derive(Model)] #[model(table = \"twos\")] pub \
         struct Two {\r\n    #[model(primary_key)]\r\n    pub id: i64 /* ä */ }\r\n\r\npub mod inner {\
         \r\n    use super::Model;\r\n    #[derive(Model)]\r\n    #[model(table = \"threes\")]\r\n    \
         pub struct Three {\r\n        #[model(primary_key)]\r\n        pub id: i64 // the key, {\r\n    \
         }\r\n}",
    );
    host.write(
        "src/tabs.rs",
        "use dbmigrate_runtime::Model;\n\n#[derive(Model)]\n#[model(table = \"others\")]\npub struct \
         Other {\n\t#[model(primary_key)]\n\tpub id: i64,\n}",
    );
    host.env("DATABASE_URL", &format!("sqlite:{}", host.dir.join("app.db").display()));
    let tables = ["ones", "twos", "threes", "others"].map(table).concat();
    sql(
        &host.dir.join("app.db"),
        &format!("{tables} CREATE TABLE fours (id INTEGER PRIMARY KEY);"),
    );
    let git = |args: &[&str]| {
        let mut git = host.command("git");
        let run = Run::of(git.args(args));
        assert_eq!(run.code, 0, "{run}");
    };
    git(&["init", "--quiet"]);
    let run = host.ok("inspect --update");
    expect![[r#"
        diff --git a/src/forms.rs b/src/forms.rs
        --- a/src/forms.rs
        +++ b/src/forms.rs
        @@ -1,8 +1,30 @@
         use dbmigrate_runtime::Model;<CR>
         <CR>
        -#[derive(Model)] #[model(table = "ones")] pub struct One { #[model(primary_key)] pub id: i64 } #[derive(Model)] #[model(table = "twos")] pub struct Two {<CR>
        +#[derive(Model)] #[model(table = "ones")] pub struct One { #[model(primary_key)] pub id: i64,<CR>
        +    pub mood: Option<OneMood>,<CR>
        +    #[model(references = crate::tabs::Other)]<CR>
        +    pub other: Option<i64>,<CR>
        +}<CR>
        +<CR>
        +#[derive(dbmigrate_runtime::ColumnType)]<CR>
        +pub enum OneMood {<CR>
        +    A,<CR>
        +    B,<CR>
        +}<CR>
        +<CR>
        +#[derive(Model)] #[model(table = "twos")] pub struct Two {<CR>
             #[model(primary_key)]<CR>
        -    pub id: i64 /* ä */ }<CR>
        +    pub id: i64, /* ä */<CR>
        +    pub mood: Option<TwoMood>,<CR>
        +    #[model(references = crate::tabs::Other)]<CR>
        +    pub other: Option<i64>,<CR>
        +}<CR>
        +<CR>
        +#[derive(dbmigrate_runtime::ColumnType)]<CR>
        +pub enum TwoMood {<CR>
        +    A,<CR>
        +    B,<CR>
        +}<CR>
         <CR>
         pub mod inner {<CR>
             use super::Model;<CR>
        @@ -10,6 +32,22 @@
             #[model(table = "threes")]<CR>
             pub struct Three {<CR>
                 #[model(primary_key)]<CR>
        -        pub id: i64 // the key, {<CR>
        +        pub id: i64, // the key, {<CR>
        +        pub mood: Option<ThreeMood>,<CR>
        +        #[model(references = crate::tabs::Other)]<CR>
        +        pub other: Option<i64>,<CR>
             }<CR>
        -}
        \ No newline at end of file
        +<CR>
        +    #[derive(dbmigrate_runtime::ColumnType)]<CR>
        +    pub enum ThreeMood {<CR>
        +        A,<CR>
        +        B,<CR>
        +    }<CR>
        +}<CR>
        +<CR>
        +#[derive(Model)]<CR>
        +#[model(table = "fours")]<CR>
        +pub struct Four {<CR>
        +    #[model(primary_key)]<CR>
        +    pub id: i64,<CR>
        +}<CR>
        diff --git a/src/tabs.rs b/src/tabs.rs
        --- a/src/tabs.rs
        +++ b/src/tabs.rs
        @@ -5,4 +5,13 @@
         pub struct Other {
         <TAB>#[model(primary_key)]
         <TAB>pub id: i64,
        +<TAB>pub mood: Option<OtherMood>,
        +<TAB>#[model(references = crate::tabs::Other)]
        +<TAB>pub other: Option<i64>,
        +}
        +
        +#[derive(dbmigrate_runtime::ColumnType)]
        +pub enum OtherMood {
        +    A,
        +    B,
         }
        \ No newline at end of file

    "#]].assert_eq(&shown(&run.stdout));
    host.write("models.patch", &run.stdout);
    // From a directory below the root, git leaves out what is not below it.
    git(&["-C", "src", "apply", "../models.patch"]);
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    assert_eq!(host.ok("inspect --update").stdout, "");
    host.ok("init");
    assert_eq!(host.ok("diff models database").stdout, "No differences.\n");
}

/// Line breaks and tabs, to be seen.
fn shown(patch: &str) -> String {
    let line = |line: &str| line.replace('\r', "<CR>").replace('\t', "<TAB>").trim_end().to_owned();
    patch.split('\n').map(|text| line(text) + "\n").collect()
}
