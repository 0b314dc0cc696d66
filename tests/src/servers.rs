//! Databases on the servers that the program `servers` has started.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::mysql::{Conn, Opts};
use postgres::{Client, NoTls};

/// A server.
#[derive(Debug, Clone)]
pub struct Server {
    /// `postgres15`
    pub name: String,
    /// The URL of its administrator's database.
    pub url: String,
}

/// The PostgreSQL servers; empty if there is none, which is then reported.
///
/// # Panics
///
/// Without a server, if `DBMIGRATE_TEST_SERVERS` demands one.
pub fn postgres(test: &str) -> Vec<Server> {
    let servers = started("postgres");
    if servers.is_empty() {
        let demanded = std::env::var_os("DBMIGRATE_TEST_SERVERS").is_some();
        assert!(!demanded, "{test}: no PostgreSQL server was started");
        crate::left_out(test, "a PostgreSQL server");
    }
    servers
}

/// The servers of MySQL and MariaDB; empty if there is none, which is then reported.
///
/// # Panics
///
/// Without a server, if `DBMIGRATE_TEST_SERVERS` demands one.
pub fn mysql(test: &str) -> Vec<Server> {
    let servers: Vec<Server> = ["mariadb", "mysql"].into_iter().flat_map(started).collect();
    if servers.is_empty() {
        let demanded = std::env::var_os("DBMIGRATE_TEST_SERVERS").is_some();
        assert!(!demanded, "{test}: no server of MySQL or MariaDB was started");
        crate::left_out(test, "a server of MySQL or MariaDB");
    }
    servers
}

/// The PostgreSQL server that the name of a test chooses; all of them in the long mode. For tests
/// whose subject doesn't depend on the version.
///
/// # Panics
///
/// As for [`postgres()`].
pub fn postgres_in_turn(test: &str) -> Vec<Server> {
    chosen(test, postgres(test))
}

/// The server of MySQL and the one of MariaDB that the name of a test chooses; all of them in the
/// long mode. For tests whose subject doesn't depend on the version.
///
/// # Panics
///
/// As for [`mysql()`].
pub fn mysql_in_turn(test: &str) -> Vec<Server> {
    chosen(test, mysql(test))
}

/// The server of each dialect that the name of a test chooses; all of them in the long mode.
///
/// # Panics
///
/// As for [`postgres()`] and [`mysql()`].
pub fn in_turn(test: &str) -> Vec<Server> {
    [postgres_in_turn(test), mysql_in_turn(test)].concat()
}

fn chosen(test: &str, servers: Vec<Server>) -> Vec<Server> {
    if crate::is_long() {
        return servers;
    }
    let mut of_dialects: BTreeMap<&str, Vec<Server>> = BTreeMap::new();
    for server in servers {
        of_dialects.entry(server.dialect()).or_default().push(server);
    }
    let turn: usize = test.bytes().map(usize::from).sum();
    let of_dialect = |mut same: Vec<Server>| same.swap_remove(turn % same.len());
    of_dialects.into_values().map(of_dialect).collect()
}

/// The nodes of a Galera cluster; empty if there is none, which is then reported.
pub fn galera(test: &str) -> Vec<Server> {
    let nodes = started("galera");
    if nodes.is_empty() {
        crate::left_out(test, "a Galera cluster");
    }
    nodes
}

/// The servers of this kind that were started, by name.
pub fn started(kind: &str) -> Vec<Server> {
    let named = std::env::vars().filter_map(|(variable, url)| {
        let name = variable.strip_prefix("DBMIGRATE_TEST_")?.to_lowercase();
        name.starts_with(kind).then_some(Server { name, url })
    });
    let mut servers: Vec<Server> = named.collect();
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    servers
}

/// The pooler in front of a PostgreSQL server; `None` if there is none, which is then reported.
///
/// # Panics
///
/// Without a pooler, if `DBMIGRATE_TEST_SERVERS` demands one.
pub fn pgbouncer(test: &str) -> Option<Server> {
    let url = std::env::var("DBMIGRATE_TEST_PGBOUNCER").ok();
    if url.is_none() {
        let demanded = std::env::var_os("DBMIGRATE_TEST_SERVERS").is_some();
        assert!(!demanded, "{test}: PgBouncer was not started");
        crate::left_out(test, "PgBouncer");
    }
    url.map(|url| Server { name: "pgbouncer".to_owned(), url })
}

impl Server {
    /// The name of its dialect.
    pub fn dialect(&self) -> &'static str {
        match self.name.trim_end_matches(|digit: char| digit.is_ascii_digit()) {
            "postgres" => "postgres",
            "mariadb" => "mariadb",
            _ => "mysql",
        }
    }

    /// Creates an empty database, and returns its URL.
    pub fn database(&self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{nth}", std::process::id());
        if self.url.starts_with("mysql") {
            let create = format!("CREATE DATABASE {name}");
            mysql_client(&self.url).query_drop(create).expect("a database can be created");
        } else {
            let create = format!("CREATE DATABASE {name} TEMPLATE template0");
            client(&self.url).batch_execute(&create).expect("a database can be created");
        }
        let (server, _) = self.url.rsplit_once('/').expect("a URL names a database");
        format!("{server}/{name}")
    }

    /// The same with the scheme of its own, if it is MariaDB.
    pub fn own_database(&self) -> String {
        let url = self.database();
        if self.name.starts_with("mariadb") { url.replacen("mysql:", "mariadb:", 1) } else { url }
    }
}

/// What a client said, and whether it succeeded.
#[derive(Debug)]
pub struct Played {
    pub is_ok: bool,
    /// Its errors.
    pub text: String,
}

impl Server {
    /// The own client of MySQL or MariaDB, connected to a database.
    pub fn shell(&self, url: &str) -> Command {
        let client = std::env::var(format!("DBMIGRATE_TEST_CLIENT_{}", self.name.to_uppercase()));
        let mut client = Command::new(client.expect("the client is unpacked with the server"));
        let (server, database) = url.rsplit_once('/').expect("a URL names a database");
        let (user, place) =
            server.split_once("://").expect("a URL").1.split_once('@').expect("a user");
        let (host, port) = place.split_once(':').expect("a port");
        client.args(["--no-defaults", "-u", user, "-h", host, "-P", port, database]);
        client
    }

    /// Runs a script in that client, as a person does.
    pub fn play(&self, url: &str, script: &str) -> Played {
        let mut client = self.shell(url);
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut client = client.spawn().expect("the client starts");
        let mut stdin = client.stdin.take().expect("it is a pipe");
        // It ends at the first failure, and then reads no more.
        let _ = stdin.write_all(script.as_bytes());
        drop(stdin);
        let out = client.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        Played { is_ok: out.status.success(), text }
    }
}

/// Connects to a database.
pub fn client(url: &str) -> Client {
    Client::connect(url, NoTls).expect("the server is there")
}

/// Connects to a database of MySQL or MariaDB.
pub fn mysql_client(url: &str) -> Conn {
    let opts = Opts::from_url(&url.replacen("mariadb:", "mysql:", 1)).expect("a URL");
    let opts = dbmigrate_runtime::mysql::OptsBuilder::from_opts(opts).prefer_socket(false);
    Conn::new(opts).expect("the server is there")
}

/// What a database of MySQL or MariaDB contains, as text: the definitions of its tables, and their
/// rows. Of the version table only the ids are shown, in order, as of the leases, and no generated key
/// of `log`, since what is rolled back uses some up.
pub fn dump_mysql(conn: &mut Conn) -> String {
    let mut text = String::new();
    let tables: Vec<String> = conn.query("SHOW TABLES").expect("the tables");
    for table in tables {
        let (_, create): (String, String) = conn
            .query_first(format!("SHOW CREATE TABLE `{table}`"))
            .expect("the table")
            .expect("a definition");
        let is_counter = |word: &&str| !word.starts_with("AUTO_INCREMENT=");
        let create: Vec<&str> = create.split(' ').filter(is_counter).collect();
        let _ = writeln!(text, "{}", create.join(" "));
        let shown = match table.as_str() {
            "dbmigrate_version" | "dbmigrate_lock" => "id",
            "log" => "what",
            _ => "*",
        };
        let sql = format!("SELECT {shown} FROM `{table}` ORDER BY 1");
        let rows: Vec<dbmigrate_runtime::mysql::Row> = conn.query(sql).expect("rows");
        for row in rows {
            let values: Vec<String> =
                row.unwrap().iter().map(|value| value.as_sql(false)).collect();
            let _ = writeln!(text, "{table}: {}", values.join(", "));
        }
    }
    text
}

/// What a database's schema `public` contains, as text: tables with their columns, constraints,
/// indexes and rows. Of the version table only the ids are shown, in order.
pub fn dump(client: &mut Client) -> String {
    const CATALOG: &str = "
        SELECT relname || '.' || attname || ' ' || format_type(atttypid, atttypmod)
            || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
            || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') || ' ' || attidentity::text
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0
            AND NOT attisdropped
        UNION ALL
        SELECT conname || ' ON ' || conrelid::regclass || ': ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
        UNION ALL
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT 'INVALID ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid
        ORDER BY 1";
    let mut text = String::new();
    for row in client.query(CATALOG, &[]).expect("the catalog") {
        let _ = writeln!(text, "{}", row.get::<_, String>(0));
    }
    let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' \
                  AND relnamespace = 'public'::regnamespace ORDER BY 1";
    for row in client.query(tables, &[]).expect("the catalog") {
        let table: String = row.get(0);
        let shown = match table.as_str() {
            "dbmigrate_version" => "id".to_owned(),
            _ => "row_to_json(t)::text".to_owned(),
        };
        let sql = format!("SELECT {shown} FROM \"{table}\" AS t ORDER BY 1");
        for row in client.query(&sql, &[]).expect("rows") {
            let _ = writeln!(text, "{table}: {}", row.get::<_, String>(0));
        }
    }
    text
}
