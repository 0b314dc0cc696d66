//! A person's session with tables in a schema of their own choice, on each PostgreSQL server that was
//! started.

use std::io::Write as _;
use std::process::{Command, Stdio};

use dbmigrate_tests::Host;
use dbmigrate_tests::servers::{self, client};
use expect_test::expect;

const FIRST: &str = r#"
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct Customer {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 100, unique)]
    pub name: String,
}

#[derive(Model)]
#[model(schema = "billing")]
pub struct Invoice {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Customer, on_delete = cascade)]
    pub customer_id: i64,
    #[model(check("amount > 0"))]
    pub amount: i32,
    #[model(length = 20, unique)]
    pub number: String,
    #[model(index)]
    pub note: Option<String>,
}
"#;

/// A column is added, one is renamed, one gets another type and one is dropped.
const SECOND: &str = r#"
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct Customer {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 100, unique)]
    pub name: String,
}

#[derive(Model)]
#[model(schema = "billing")]
pub struct Invoice {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Customer, on_delete = cascade)]
    pub customer_id: i64,
    #[model(check("amount > 0"))]
    pub amount: i64,
    #[model(length = 20, unique, renamed_from = "number")]
    pub code: String,
    #[model(default = false)]
    pub paid: bool,
}
"#;

/// The table moves to another schema.
const THIRD: &str = r#"
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct Customer {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 100, unique)]
    pub name: String,
}

#[derive(Model)]
#[model(schema = "crm", table = "bill", renamed_from = "billing.invoice")]
pub struct Invoice {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Customer, on_delete = cascade)]
    pub customer_id: i64,
    #[model(check("amount > 0"))]
    pub amount: i64,
    #[model(length = 20, unique)]
    pub code: String,
    #[model(default = false)]
    pub paid: bool,
}
"#;

/// The columns, constraints, indexes and rows of all schemas.
fn dump(url: &str) -> String {
    let sql = "
        SELECT n.nspname || '.' || relname || '.' || attname || ' '
            || format_type(atttypid, atttypmod) || ' ' || attnotnull
        FROM pg_class c JOIN pg_attribute ON attrelid = c.oid
            JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'S') AND attnum > 0 AND NOT attisdropped
            AND nspname IN ('public', 'billing', 'crm') AND relname <> 'dbmigrate_version'
        UNION ALL
        SELECT conname || ' ON ' || conrelid::regclass || ': ' || pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace
        WHERE nspname IN ('public', 'billing', 'crm') AND contype <> 'n'
        UNION ALL
        SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'billing', 'crm')
        ORDER BY 1";
    let rows = client(url).query(sql, &[]).expect("the catalog");
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

fn psql(url: &str, script: &str) {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", url]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut psql = psql.spawn().expect("psql is installed with the server");
    let mut stdin = psql.stdin.take().expect("it is a pipe");
    stdin.write_all(script.as_bytes()).expect("psql reads the script");
    drop(stdin);
    assert!(psql.wait().expect("it ends").success(), "{script}");
}

#[test]
fn a_table_lives_in_its_schema_from_creation_to_drop() {
    for server in servers::postgres_in_turn("a_table_lives_in_its_schema_from_creation_to_drop") {
        let mut host = Host::library("schemas", FIRST);
        host.ok("init --dialect postgres");
        let (url, other) = (server.database(), server.database());
        host.env("DATABASE_URL", &url);
        // Others have tables in the same schema.
        client(&url)
            .batch_execute("CREATE SCHEMA billing; CREATE TABLE billing.theirs (id int)")
            .expect("their table");
        let run = host.ok("migrate -m first");
        expect![[r#"
            Detected added table `customer`
            Detected added table `billing.invoice`
            Detected added index `ix_invoice_note` on `billing.invoice`
            Generating migrations/versions/m$DAY_$TIME_$ID1_first.rs ... done
        "#]]
        .assert_eq(&host.plain(&run.stdout));
        let script = host.ok("upgrade --sql").stdout;
        assert!(script.contains("CREATE SCHEMA IF NOT EXISTS \"billing\";"), "{script}");
        host.ok("upgrade");
        host.ok("check");
        host.ok("stamp --verify head");
        psql(&other, &script);
        client(&other).batch_execute("CREATE TABLE billing.theirs (id int)").expect("their table");
        let first = dump(&url);
        assert_eq!(dump(&other), first, "{script}");
        assert_eq!(host.ok("migrate").stdout, "No changes in schema detected.\n");
        let against = host.ok("migrate --against database").stdout;
        assert_eq!(against, "No changes in schema detected.\n");

        let rows = "INSERT INTO customer (name) VALUES ('Ann');
                    INSERT INTO billing.invoice (customer_id, amount, number) VALUES (1, 10, 'a')";
        client(&url).batch_execute(rows).expect("rows");
        client(&other).batch_execute(rows).expect("rows");
        host.write("src/lib.rs", SECOND);
        let run = host.ok("migrate -m second --allow-destructive");
        expect![[r#"
            Detected column `billing.invoice.number` renamed to `billing.invoice.code`
            Detected removed index `ix_invoice_note` on `billing.invoice`
            Detected added column `billing.invoice.paid`
            Detected changed column `billing.invoice.amount`: type to big integer
            Detected removed column `billing.invoice.note`
            Generating migrations/versions/m$DAY_$TIME_$ID1_second.rs ... done
        "#]]
        .assert_eq(&host.plain(&run.stdout));
        let script = host.ok("upgrade --sql head-1:head").stdout;
        host.ok("upgrade");
        host.ok("check");
        psql(&other, &script);
        let second = dump(&url);
        assert_eq!(dump(&other), second, "{script}");
        let run = host.fails("downgrade");
        expect![[r#"
            error: the downgrade would discard:
              column `billing.invoice.paid` (1 row)
              hint: --allow-destructive discards them
        "#]]
        .assert_eq(&host.plain(&run.stderr));
        host.ok("downgrade --allow-destructive");
        assert_eq!(dump(&url), first);
        host.ok("upgrade");
        assert_eq!(dump(&url), second);

        host.write("src/lib.rs", THIRD);
        let run = host.ok("migrate -m third");
        expect![[r#"
            Detected table `billing.invoice` renamed to `crm.bill`
            Generating migrations/versions/m$DAY_$TIME_$ID1_third.rs ... done
        "#]]
        .assert_eq(&host.plain(&run.stdout));
        let script = host.ok("upgrade --sql head-1:head").stdout;
        host.ok("upgrade");
        host.ok("check");
        psql(&other, &script);
        let third = dump(&url);
        assert_eq!(dump(&other), third, "{script}");
        host.ok("downgrade");
        host.ok("check --no-database");
        assert_eq!(dump(&url), second);
        host.ok("upgrade");
        assert_eq!(dump(&url), third);

        let drift = "ALTER TABLE crm.bill ALTER COLUMN code TYPE varchar(9), DROP CONSTRAINT \
                     fk_invoice_customer_id_customer; CREATE INDEX by_hand ON crm.bill (amount)";
        client(&url).batch_execute(drift).expect("a change by hand");
        let run = host.dbmigrate("check");
        assert_eq!(run.code, 1, "{run:?}");
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database differs from the migrations:
              foreign key `fk_invoice_customer_id_customer` of table `crm.bill` is missing from the database
              column `crm.bill.code` has the type `varchar(9)`, but `varchar(20)` in the migrations
        "#]].assert_eq(&host.plain(&run.stdout));
        let run = host.ok("reset --yes");
        let shown = host.plain(&run.stdout).replace(&url, "$URL");
        expect![[r#"
            Emptying $URL ... done
            Running upgrade <base> -> $ID1, first
            Running upgrade $ID1 -> $ID2, second
            Running upgrade $ID2 -> $ID3, third
        "#]]
        .assert_eq(&shown);
        assert_eq!(dump(&url), third);
        client(&url).batch_execute("SELECT id FROM billing.theirs").expect("it stays");
        host.ok("downgrade base --allow-destructive");
        let left = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('billing', 'crm')";
        assert_eq!(client(&url).query_one(left, &[]).unwrap().get::<_, i64>(0), 2);
    }
}

#[test]
fn what_cannot_be_done_with_a_schema_is_refused_by_name() {
    let name = "what_cannot_be_done_with_a_schema_is_refused_by_name";
    for server in servers::postgres_in_turn(name) {
        let mut host = Host::library("schemas-refused", FIRST);
        host.ok("init --dialect postgres --dialect sqlite");
        let url = server.database();
        host.env("DATABASE_URL", &url);
        // A database that the history is also for can't have it.
        let run = host.fails("migrate -m first");
        expect![[r#"
            error: the new revision can't run on SQLite
              caused by: revision `$ID1`: cannot create table `billing.invoice` on SQLite: the table is in the schema `billing`, and SQLite has no schemas
              hint: remove `schema` from the model, or leave SQLite out of `dialects` in dbmigrate.toml
        "#]].assert_eq(&host.plain(&run.stderr));
        let settings = host.read("migrations/dbmigrate.toml");
        let settings = settings.replace("[\"postgres\", \"sqlite\"]", "[\"postgres\"]");
        host.write("migrations/dbmigrate.toml", &settings);
        host.ok("migrate -m first");
        let run = host.fails("upgrade --schemas \"tenant_*\"");
        expect![[r#"
            error: the revisions can't be run once in each schema: table `billing.invoice` names its schema, and so exists only once
              hint: remove `schema` from its model, or keep such tables in a history of their own, as a further database in dbmigrate.toml
        "#]].assert_eq(&host.plain(&run.stderr));

        // Only an owner of the database may create a schema.
        let role = format!("schemas_{}", std::process::id());
        let database = url.rsplit_once('/').unwrap().1.to_owned();
        client(&url)
            .batch_execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}"
            ))
            .expect("a role");
        host.env("DATABASE_URL", &url.replacen("postgres@", &format!("{role}@"), 1));
        let run = host.fails("upgrade");
        let shown = host.plain(&run.stderr).replace(&role, "$ROLE").replace(&database, "$DATABASE");
        expect![[r#"
            error: revision `$ID1`: cannot create table `billing.invoice` on PostgreSQL: the schema `billing` does not exist, and the role `$ROLE` may not create schemas in the database `$DATABASE`
              hint: have the owner of the database run `CREATE SCHEMA "billing" AUTHORIZATION "$ROLE"`
        "#]].assert_eq(&shown);
        // What the hint says is enough.
        client(&url)
            .batch_execute(&format!("CREATE SCHEMA billing AUTHORIZATION {role}"))
            .expect("a schema");
        host.ok("upgrade");
        host.ok("check");
        client(&url)
            .batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .expect("the role goes");
    }
}

#[test]
fn a_model_may_name_the_schema_that_the_connection_uses_anyway() {
    let name = "a_model_may_name_the_schema_that_the_connection_uses_anyway";
    for server in servers::postgres_in_turn(name) {
        let mut host = Host::library("schemas-own", &FIRST.replace("billing", "public"));
        host.ok("init --dialect postgres");
        let url = server.database();
        host.env("DATABASE_URL", &url);
        host.ok("migrate -m first");
        host.ok("upgrade");
        host.ok("check");
        assert_eq!(host.ok("migrate").stdout, "No changes in schema detected.\n");
        let first = dump(&url);
        // Each table counts once.
        let run = host.fails("reset");
        expect![[r#"
            error: `$URL` with 3 table(s) and all their rows would be emptied
              hint: --yes empties it without asking
        "#]]
        .assert_eq(&host.plain(&run.stderr).replace(&url, "$URL"));
        host.ok("reset --yes");
        assert_eq!(dump(&url), first);
        host.ok("downgrade base --allow-destructive");
        host.ok("upgrade");
        assert_eq!(dump(&url), first);
    }
}
