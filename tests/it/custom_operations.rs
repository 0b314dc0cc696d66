//! A project's own additions: custom operations, and a function that rewrites what `migrate` found.

use dbmigrate_tests::{Host, dump, revision, sql};
use expect_test::expect;

const VIEWS: &str = r#"//! Views as operations.

use dbmigrate_runtime::prelude::*;

pub struct CreateView {
    pub name: &'static str,
    pub select: &'static str,
}

impl CustomOperation for CreateView {
    fn name(&self) -> String {
        format!("create view `{}`", self.name)
    }

    fn sql(&self) -> Sql {
        format!("CREATE VIEW {} AS {}", self.name, self.select).into()
    }

    fn reverse(&self) -> Option<Sql> {
        Some(format!("DROP VIEW {}", self.name).into())
    }
}

pub const ADULT: CreateView = CreateView { name: "adult", select: "SELECT * FROM person WHERE age > 17" };
"#;

#[test]
fn an_operation_of_ones_own_goes_up_and_down() {
    let host = Host::library(
        "custom",
        "#![deny(warnings)]\n#[path = \"../migrations/mod.rs\"]\npub mod migrations;\n",
    );
    host.ok("init");
    let list = host.read("migrations/mod.rs");
    host.write("migrations/mod.rs", &format!("{list}\npub mod views;\n"));
    host.write("migrations/views.rs", VIEWS);
    let table =
        "op.create_table(Table::new(\"person\").column(Column::new(\"age\", Type::Integer)));";
    let first = revision("a1", &[], "people", table, "op.drop_table(\"person\");");
    host.write("migrations/versions/m1.rs", &first);
    let second = revision("b2", &["a1"], "views", "op.invoke(&ADULT);", "op.revert(&ADULT);");
    let used = "prelude::*;\n\nuse super::super::views::ADULT;";
    host.write("migrations/versions/m2.rs", &second.replace("prelude::*;", used));
    host.ok("upgrade a1");
    let db = host.dir.join("app.db");
    sql(&db, "INSERT INTO person VALUES (3), (30)");
    let before = dump(&db);

    expect![[r#"
        Rev: b2 (head)
        Parent: a1
        Path: migrations/versions/m2.rs

            views

        upgrade:
            create view `adult`
        downgrade:
            undo create view `adult`
    "#]]
    .assert_eq(&host.ok("show b2").stdout);
    let script = host.ok("upgrade --sql").stdout;
    let named =
        "-- create view `adult`\nCREATE VIEW adult AS SELECT * FROM person WHERE age > 17;\n";
    assert!(script.contains(named), "{script}");
    let run = host.ok("upgrade -v");
    assert!(run.stderr.contains(named), "{run}");
    assert!(dump(&db).contains("CREATE VIEW adult"), "{}", dump(&db));
    // The name is for people; everything else is as it was applied.
    host.replace("migrations/views.rs", "create view `{}`", "show `{}`");
    assert_eq!(host.ok("upgrade").stdout, "");
    host.ok("downgrade");
    assert_eq!(dump(&db), before);
    // The same for the program that includes it.
    host.ok("upgrade");
    host.replace("migrations/views.rs", "> 17", "> 20");
    let run = host.fails("upgrade");
    assert!(run.stderr.contains("revision `b2` was edited after it was applied"), "{run}");
    // The reverse is known from what was applied.
    host.ok("redo");
    assert!(dump(&db).contains("age > 20"), "{}", dump(&db));
    let run = host.cargo("check");
    assert_eq!(run.code, 0, "{run}");
}

const MODELS: &str = "
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct Post { #[model(primary_key)] pub id: i64, pub title: Option<String> }
";

/// Never drops anything that contains rows, and adds an index to each new table.
const REWRITE: &str = r#"//! What we want of every revision.

use dbmigrate_runtime::prelude::*;

pub fn rewrite(found: Vec<Operation>) -> Vec<Operation> {
    println!("asked about {}", found.len());
    indexed(found.into_iter().filter(is_wanted).collect())
}

fn is_wanted(operation: &Operation) -> bool {
    match operation {
        Operation::DropTable { .. } => false,
        Operation::DropIndex { name, .. } => !name.starts_with("ix_own_"),
        _ => true,
    }
}

fn indexed(found: Vec<Operation>) -> Vec<Operation> {
    let mut op = Operations::new();
    for operation in found {
        let created = match &operation {
            Operation::CreateTable(table) => Some(table.name.clone()),
            _ => None,
        };
        op.push(operation);
        if let Some(table) = created {
            let first = format!("ix_own_{table}");
            op.create_index(&table, Index::new(&first, ["id"]));
            op.execute(format!("INSERT INTO {table} (id) VALUES (0)"))
                .named(&format!("begin `{table}`"))
                .reversed_by(Sql::new());
        }
    }
    op.into_operations()
}
"#;

#[test]
fn what_is_found_is_rewritten() {
    let mut host = Host::library("rewrite", MODELS);
    host.ok("init");
    let old = revision(
        "a1",
        &[],
        "old",
        "op.create_table(Table::new(\"old\").column(Column::new(\"id\", Type::Integer)));",
        "op.drop_table(\"old\");",
    );
    host.write("migrations/versions/m1.rs", &old);
    host.replace("migrations/dbmigrate.toml", "rewrite = \"\"", "rewrite = \"rewrite::rewrite\"");
    let list = host.read("migrations/mod.rs");
    host.write("migrations/mod.rs", &format!("{list}\n#[allow(dead_code)]\nmod rewrite;\n"));
    host.write("migrations/rewrite.rs", REWRITE);

    // Nothing is lost, so nothing is asked.
    let run = host.ok("migrate -m posts");
    expect![[r#"
        Detected added table `post`
        Detected removed table `old`
        Rewritten by `rewrite::rewrite` to:
          create table `post`
          create index `ix_own_post` on table `post`
          begin `post`
        Generating migrations/versions/m$DAY_$TIME_$ID1_posts.rs ... done
    "#]]
    .assert_eq(&host.plain(&run.stdout));
    assert!(run.stderr.contains("asked about 2\n"), "{run}");
    let text = host.read(&host.revision("posts"));
    let body = text.split("pub fn upgrade").nth(1).unwrap();
    expect![[r#"
        (op: &mut Operations) {
            // ### commands auto generated by dbmigrate - please adjust! ###
            op.create_table(
                Table::new("post")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .column(Column::new("title", Type::Text))
                    .primary_key("pk_post", ["id"]),
            );
            op.create_index("post", Index::new("ix_own_post", ["id"]));
            op.execute("INSERT INTO post (id) VALUES (0)")
                .named("begin `post`")
                .reversed_by(Sql::new());
            // ### end dbmigrate commands ###
        }

        pub fn downgrade(op: &mut Operations) {
            // ### commands auto generated by dbmigrate - please adjust! ###
            op.drop_index("post", "ix_own_post");
            op.drop_table("post");
            // ### end dbmigrate commands ###
        }
    "#]]
    .assert_eq(body);
    host.ok("upgrade");
    assert!(dump(&host.dir.join("app.db")).contains("post: 0, "), "rows");

    // What the function omits doesn't count as a difference, neither for `check` nor for `migrate`.
    let run = host.ok("check");
    expect![[r#"
        Models and migrations agree.
        The database is at the head.
        The database agrees with the migrations.
    "#]]
    .assert_eq(&run.stdout);
    assert!(run.errors().contains("`rewrite::rewrite` leaves out all 2 differences"), "{run}");
    // The program exists by now, so nothing is compiled: that would be refused.
    host.env("DBMIGRATE_COMPILING", "1");
    let run = host.ok("migrate -m again");
    assert_eq!(run.stdout, "No changes in schema detected.\n");
    // The function doesn't change what models and migrations are.
    let run = host.ok("diff migrations models");
    expect![[r#"
        removed index `ix_own_post` on `post`
        removed table `old`
    "#]]
    .assert_eq(&run.stdout);

    // If the function lets something be discarded after all, that needs confirmation.
    host.replace("migrations/rewrite.rs", "=> false", "=> true");
    assert!(host.fails("migrate -m drop").stderr.contains("build script"), "it is compiled again");
    host.env_remove("DBMIGRATE_COMPILING");
    assert_eq!(host.dbmigrate("check").code, 1);
    let run = host.fails("migrate -m drop");
    assert!(run.stderr.contains("it discards the data in table `old`"), "{run}");
    host.replace(
        "migrations/rewrite.rs",
        "=> true,\n        Operation::DropIndex",
        "=> panic!(\"never {operation}\"),\n        Operation::DropIndex",
    );
    let revisions = host.revisions();
    let panicked = |command: &str| host.plain(&host.fails(command).errors());
    let said = panicked("migrate -m drop");
    expect![[r#"
        asked about 2
        error: the rewriting function `rewrite::rewrite` failed: it panicked at $HOST/migrations/rewrite.rs:12:40: never drop table `old`
    "#]].assert_eq(&said);
    assert_eq!(panicked("check"), said);
    assert_eq!(host.revisions(), revisions);
}

#[test]
fn a_rewriting_function_that_can_not_be_used() {
    let host = Host::library("misused", MODELS);
    host.ok("init");
    let list = host.read("migrations/mod.rs");
    host.write("migrations/mod.rs", &format!("{list}\n#[allow(dead_code)]\nmod own;\n"));
    let with = |path: &str, body: &str| {
        let config = host.read("migrations/dbmigrate.toml");
        let kept: String = config
            .lines()
            .filter(|line| !line.starts_with("rewrite = "))
            .map(|line| format!("{line}\n"))
            .collect();
        let kept = kept.replace("[dependencies]", &format!("rewrite = {path:?}\n\n[dependencies]"));
        host.write("migrations/dbmigrate.toml", &kept);
        host.write("migrations/own.rs", &format!("use dbmigrate_runtime::prelude::*;\n{body}\n"));
        let run = host.fails("migrate -m posts");
        assert_eq!(host.revisions(), [""; 0]);
        host.plain(&run.errors())
    };
    let function = |body: &str| {
        format!("pub fn it(mut found: Vec<Operation>) -> Vec<Operation> {{ {body} found }}")
    };
    expect![[r#"
        error: `rewrite` in `migrations/dbmigrate.toml` is not the path of a function: `own::it; fn main() {}`
          hint: it is the path from `mod.rs` in the migrations directory to a function of the type `fn(Vec<Operation>) -> Vec<Operation>`, such as `rewrite::rewrite` for one in `rewrite.rs`, where `mod.rs` has `mod rewrite;`; like revisions it is compiled without the package
    "#]].assert_eq(&with("own::it; fn main() {}", ""));
    expect![[r#"
        error: the operations that the rewriting function `own::it` returned do not fit the schema
          caused by: cannot drop table `gone`: table `gone` does not exist
          hint: an operation has to come after those that it depends on, and if one is left out, so must be those that depend on it
    "#]].assert_eq(&with(
        "own::it",
        &function("found.push(Operation::DropTable { table: \"gone\".into() });"),
    ));
    expect![[r#"
        error: the rewriting function `own::it` adds the step `fill`, but a function can't be written into a revision
          hint: express it in SQL with `op.execute`, or write the step into the revision by hand
    "#]].assert_eq(&with(
        "own::it",
        &function("found.extend(Operations::record(|op| op.run(\"fill\", |_| Ok(()))));"),
    ));
    expect![[r#"
        error: the rewriting function `own::it` failed: its program ended before it finished
    "#]]
    .assert_eq(&with("own::it", &function("if found.len() == 1 { std::process::exit(3) }")));
    let said = with("own::it", "pub fn it(found: Vec<Operation>) -> usize { found.len() }");
    assert!(said.contains("found fn item `fn(Vec<_>) -> usize {it}`"), "{said}");
    assert!(
        said.contains("error: the rewriting function `own::it` does not compile\n  hint: "),
        "{said}"
    );
    let said =
        with("own::it", "pub fn it(found: Vec<Operation>) -> Vec<Operation> { found.drop_all() }");
    assert!(said.contains("--> $HOST/migrations/own.rs:2:"), "{said}");
    let declared = host.read("migrations/mod.rs");
    host.write("migrations/mod.rs", "<<<<<<< ours\n");
    let run = host.fails("check");
    assert!(run.stderr.contains("function `own::it`: `migrations/mod.rs:1:1`: "), "{run}");
    host.write("migrations/mod.rs", &declared);
    let said = with("own::that", "");
    assert!(said.contains("cannot find") && said.contains("`that`"), "{said}");

    // SQL without a reverse makes the revision irreversible.
    let body = function("found.extend(Operations::record(|op| { op.execute(\"ANALYZE\"); }));");
    host.write("migrations/own.rs", &format!("use dbmigrate_runtime::prelude::*;\n{body}\n"));
    host.replace("migrations/dbmigrate.toml", "own::that", "own::it");
    let run = host.ok("migrate -m posts");
    assert!(run.stderr.contains("can't be undone: `execute SQL` can't be reversed"), "{run}");
    host.ok("upgrade");
    let run = host.fails("downgrade");
    assert!(run.stderr.contains("can't be undone: `execute SQL` can't be reversed"), "{run}");
}
