//! Migrations in programs that are asynchronous: nothing panics, and nothing else has to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use dbmigrate_runtime::postgres::{Client, NoTls};
use dbmigrate_runtime::{Migrator, Module, Options};
use tokio::runtime::{Builder, Runtime};

use super::modules::module;
use super::server::shared;

static MODULES: &[Module] = &[module(
    "a1",
    &[],
    |op| {
        op.execute("CREATE TABLE one (id bigint)");
        op.execute("SELECT pg_sleep(0.3)");
    },
    |op| {
        op.execute("DROP TABLE one");
    },
)];

fn runtimes() -> [(&'static str, Runtime); 2] {
    let current = Builder::new_current_thread().enable_all().build().unwrap();
    let several = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    [("a thread", current), ("several threads", several)]
}

#[test]
fn migrations_run_inside_an_async_main() {
    let Some(server) = shared() else { return };
    server.sql("CREATE DATABASE tasks");
    let migrator = Migrator::new(MODULES);
    let place = format!("host={}&port={}&user=admin", server.dir.display(), server.port);
    let url = format!("postgres:///tasks?{place}");
    let bad = format!("postgres://ada:s3cret@/nowhere?{place}");

    // Outside of a runtime, with a client of the program's own.
    let parameters = format!("{} dbname=tasks", place.replace('&', " "));
    let mut client = Client::connect(&parameters, NoTls).unwrap();
    assert_eq!(migrator.upgrade(&mut client).unwrap(), ["a1"]);
    assert_eq!(migrator.downgrade(&mut client, "base").unwrap(), ["a1"]);

    for (name, runtime) in runtimes() {
        runtime.block_on(async {
            // The call that blocks.
            assert_eq!(migrator.upgrade(&url).unwrap(), ["a1"], "{name}");
            assert!(migrator.is_up_to_date(&url).unwrap());
            assert_eq!(migrator.downgrade(&url, "base").unwrap(), ["a1"]);
            let err = migrator.upgrade(&bad).unwrap_err().to_string();
            assert!(err.ends_with("the database `nowhere` does not exist"), "{err}");

            // The call that is awaited: other tasks run in the meantime.
            let n_ticks = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&n_ticks);
            let other = tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    counted.fetch_add(1, Relaxed);
                }
            });
            assert_eq!(migrator.upgrade_async(&url).await.unwrap(), ["a1"]);
            other.abort();
            assert!(n_ticks.load(Relaxed) > 5, "{name}: {n_ticks:?}");
            let err = migrator.upgrade_async(&bad).await.unwrap_err();
            assert!(!format!("{err:?}{err}").contains("s3cret"), "{err:?}");
            let url = url.clone();
            let options = Options::default();
            let undone = migrator
                .spawn(move |migrator| migrator.downgrade_with(url, "base", &options))
                .await;
            assert_eq!(undone.unwrap(), ["a1"]);
        });
    }

    // A task on another thread, several at once, and one that is left.
    let (_, runtime) = runtimes().into_iter().nth(1).unwrap();
    runtime.block_on(async {
        let run = |url: String| tokio::spawn(async move { migrator.upgrade_async(&url).await });
        let tasks = [run(url.clone()), run(url.clone()), run(url.clone())];
        let mut applied = 0;
        for task in tasks {
            applied += task.await.unwrap().unwrap().len();
        }
        assert_eq!(applied, 1);
        let left = migrator.spawn({
            let url = url.clone();
            move |migrator| migrator.downgrade(url, "base")
        });
        let _ = tokio::time::timeout(Duration::from_millis(10), left).await;
        // It goes on.
        while !migrator.status(&url).unwrap().applied.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}
