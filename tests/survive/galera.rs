//! Upgrades on all nodes of a Galera cluster at once. The nodes don't know each other's named locks,
//! and each change of a definition stops them all.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use dbmigrate_runtime::engine::driver::mysql::{Cluster, MysqlDriver};
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _};
use dbmigrate_runtime::engine::url::{Location, Url};
use dbmigrate_runtime::mysql::Conn;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Direction, Migrator, Module};
use dbmigrate_tests::modules::module;
use dbmigrate_tests::servers::{self, Server, dump_mysql, mysql_client};
use expect_test::expect;

use crate::bench::{is_long, said, say, survivor};
use crate::mysql::{UPGRADE, check_each_once};

const N_PROCESSES: usize = 4;

/// A database on all nodes, by its URL on each.
fn database(nodes: &[Server]) -> Vec<String> {
    let url = nodes[0].database();
    let (_, name) = url.rsplit_once('/').expect("a URL names a database");
    let on_node = |node: &Server| {
        let (server, _) = node.url.rsplit_once('/').expect("a URL names a database");
        format!("{server}/{name}")
    };
    nodes.iter().map(on_node).collect()
}

fn spawn(url: &str, args: &[&str]) -> Child {
    let mut command = survivor(url.as_ref());
    command.args(["up", "r7"]).args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// What a node has once it has applied what others committed.
fn dump_of(url: &str) -> String {
    let mut conn = mysql_client(url);
    conn.query_drop("SET SESSION wsrep_sync_wait = 1").expect("it is set");
    // `SHOW` doesn't wait, as a query does.
    conn.query_drop("SELECT COUNT(*) FROM dbmigrate_version").expect("it is asked");
    dump_mysql(&mut conn)
}

/// All nodes are there, and have the same.
#[track_caller]
fn check_nodes(urls: &[String]) {
    for url in urls {
        let mut conn = mysql_client(url);
        for (name, wanted) in [("wsrep_cluster_size", "3"), ("wsrep_local_state_comment", "Synced")]
        {
            let status = format!("SHOW GLOBAL STATUS LIKE '{name}'");
            let found: Option<(String, String)> = conn.query_first(status).expect("the status");
            assert_eq!(found.expect("a row").1, wanted, "{url}");
        }
        assert_eq!(dump_of(url), dump_of(&urls[0]));
    }
}

#[test]
fn upgrades_on_all_nodes_apply_each_revision_once() {
    let nodes = servers::galera("upgrades_on_all_nodes_apply_each_revision_once");
    if nodes.is_empty() {
        return;
    }
    let n_rounds = if is_long() { 50 } else { 2 };
    for round in 0..n_rounds {
        let urls = database(&nodes);
        let places = urls.iter().cycle().take(urls.len() * N_PROCESSES);
        let children: Vec<Child> = places.map(|url| spawn(url, &[])).collect();
        for child in children {
            let output = child.wait_with_output().expect("it ends");
            assert!(output.status.success(), "round {round}: {}", said(&output));
        }
        check_nodes(&urls);
        check_each_once(&mut mysql_client(&urls[0]));
    }
    say(&format!("galera: {n_rounds} rounds of {N_PROCESSES} processes on each of 3 nodes"));
}

#[test]
fn another_node_takes_over_from_a_process_that_is_gone_or_paused() {
    let test = "another_node_takes_over_from_a_process_that_is_gone_or_paused";
    let nodes = servers::galera(test);
    if nodes.is_empty() {
        return;
    }
    let urls = database(&nodes);
    let mut conn = mysql_client(&urls[0]);
    let undisturbed = UPGRADE.undisturbed(&mut conn, &urls[0], &["--lease", "2"]);
    let n_calls = undisturbed.n_calls;
    let stride = if is_long() { 1 } else { n_calls / 2 };
    let (mut n_killed, mut n_stopped, mut n_nothing) = (0, 0, 0);
    for at in (stride.min(n_calls / 3)..=n_calls).step_by(stride as usize) {
        for signal in ["KILL", "STOP"] {
            UPGRADE.begin(&mut conn, &urls[0]);
            let (at, shell) = (at.to_string(), format!("kill -{signal} $PPID"));
            let args = ["--lease", "2", "--kill-at", &at, "--shell", &shell];
            let first = spawn(&urls[0], &args);
            await_the_end_or_pause(&first);
            let next = spawn(&urls[1], &["--lease", "2"]).wait_with_output().expect("it ends");
            let place = format!("{signal} at call {at} of {n_calls}");
            assert!(next.status.success(), "{place}: {}", said(&next));
            assert_eq!(dump_of(&urls[1]), undisturbed.after, "{place}: the next run");
            let _ = Command::new("kill").args(["-CONT", &first.id().to_string()]).status();
            let output = first.wait_with_output().expect("it ends");
            match output.status.code() {
                None => n_killed += 1,
                Some(3) => n_stopped += 1,
                // Before it had the lease, or after everything.
                Some(0) => n_nothing += 1,
                _ => panic!("{place}: {}", said(&output)),
            }
            assert_eq!(dump_of(&urls[2]), undisturbed.after, "{place}: {}", said(&output));
        }
    }
    check_nodes(&urls);
    say(&format!(
        "galera: taken over from {n_killed} dead and {} paused processes, of which {n_stopped} \
         stopped then and {n_nothing} had nothing to do",
        n_stopped + n_nothing
    ));
}

fn await_the_end_or_pause(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    let is_there = |text: &str| !text.contains("State:\tT") && !text.contains("State:\tZ");
    while fs::read_to_string(&status).is_ok_and(|text| is_there(&text)) {
        thread::sleep(Duration::from_millis(5));
    }
}

/// An application writes to the same rows on another node, so that one of the two is rolled back
/// when it commits.
#[test]
fn what_conflicts_with_another_node_is_repeated() {
    let nodes = servers::galera("what_conflicts_with_another_node_is_repeated");
    if nodes.is_empty() {
        return;
    }
    let urls = database(&nodes);
    let mut conn = mysql_client(&urls[0]);
    let undisturbed = UPGRADE.undisturbed(&mut conn, &urls[0], &[]);
    let n_rounds = if is_long() { 50 } else { 3 };
    let (mut n_written, mut n_conflicts) = (0, 0);
    for round in 0..n_rounds {
        UPGRADE.begin(&mut conn, &urls[0]);
        let is_over = AtomicBool::new(false);
        let conflicts = "SHOW GLOBAL STATUS LIKE 'wsrep_local_bf_aborts'";
        let n_aborts = |conn: &mut Conn| {
            let found: Option<(String, u64)> = conn.query_first(conflicts).expect("the status");
            found.map_or(0, |(_, number)| number)
        };
        let before = n_aborts(&mut conn);
        thread::scope(|scope| {
            let writer = scope.spawn(|| write(&urls[1], &is_over));
            let output = spawn(&urls[0], &[]).wait_with_output().expect("it ends");
            is_over.store(true, Ordering::Relaxed);
            n_written += writer.join().expect("it writes");
            assert!(output.status.success(), "round {round}: {}", said(&output));
        });
        n_conflicts += n_aborts(&mut conn) - before;
        assert_eq!(dump_of(&urls[2]), undisturbed.after, "round {round}");
    }
    check_nodes(&urls);
    say(&format!(
        "galera: {n_rounds} upgrades beside {n_written} writes on another node, which rolled \
         {n_conflicts} transactions back"
    ));
}

/// Writes to a row until the end, and leaves it as it was. Returns how often.
fn write(url: &str, is_over: &AtomicBool) -> usize {
    let mut conn = mysql_client(url);
    let mut n_written = 0;
    while !is_over.load(Ordering::Relaxed) {
        // It may be in the way of a change of the table, and is rolled back then.
        let author = 1 + n_written % 3;
        let sql = format!("UPDATE post SET author_id = {author} WHERE id > 90 AND id % 10 <> 0");
        n_written += usize::from(conn.query_drop(sql).is_ok());
        thread::sleep(Duration::from_millis(10));
    }
    let restored = "UPDATE post SET author_id = 1 + CAST(substring_index(body, ' ', -1) AS INT) % 3 \
                    WHERE id > 90 AND id % 10 <> 0";
    let start = Instant::now();
    while let Err(err) = conn.query_drop(restored) {
        assert!(start.elapsed() < Duration::from_secs(10), "{err}");
    }
    n_written
}

/// A revision that is only planned.
const fn planned(
    revision: &'static str,
    down_revision: &'static [&'static str],
    upgrade: fn(&mut Operations),
) -> Module {
    module(revision, down_revision, upgrade, |op| op.irreversible("it is only planned"))
}

static HISTORY: &[Module] = &[
    planned("a1", &[], |op| {
        op.create_table(Table::new("log").column(Column::new("id", Type::Integer).not_null()));
    }),
    planned("b2", &["a1"], |op| {
        op.add_column("log", Column::new("size", Type::Integer));
        op.execute("UPDATE log SET size = 7");
        op.execute("ALTER TABLE log ADD COLUMN note TEXT");
    }),
];

#[test]
fn a_plan_says_that_the_whole_cluster_waits() {
    let test = "a_plan_says_that_the_whole_cluster_waits";
    let Some(node) = servers::galera(test).into_iter().next() else { return };
    let url = Url::parse(&node.url).expect("a URL");
    let Location::Server(server) = &url.location else { panic!("{url:?}") };
    let mut driver = MysqlDriver::connect(server).expect("the node is there");
    assert_eq!(driver.profile().cluster, Some(Cluster::Galera));
    let facts = driver.as_connection().facts().expect("they are asked");
    let migrations = Migrator::new(HISTORY).migrations().expect("a history");
    let (mut schema, mut shown) = (Schema::default(), String::new());
    for migration in migrations.iter() {
        let operations = &migration.recording(Direction::Upgrade).operations;
        let plan = driver.dialect().plan(operations, &mut schema, &facts);
        for task in plan.unwrap_or_else(|refusal| panic!("{}", refusal.message)).tasks {
            let Some(statement) = task.statement() else { continue };
            let cost = statement.cost.as_ref().map(ToString::to_string).unwrap_or_default();
            shown += &format!("{}: {cost}\n", statement.reason);
        }
    }
    expect![[r#"
        create table `log`: blocks all writes on all nodes of the cluster
        add column `size` to table `log`: locks `log` against other changes of its definition (ALGORITHM=INSTANT), blocks all writes on all nodes of the cluster
        execute SQL: 
        execute SQL: blocks all writes on all nodes of the cluster
    "#]].assert_eq(&shown);
}
