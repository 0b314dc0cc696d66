//! Migrations in programs that are asynchronous: nothing panics, and nothing else has to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use dbmigrate_runtime::{Migrator, Module, Options};
use dbmigrate_tests::servers::{self, mysql_client};
use tokio::runtime::{Builder, Runtime};

use crate::lent::{items, module};

const SLOW: &[Module] = &[module("m1", &[], |op| {
    items(op);
    op.execute("DO SLEEP(0.3)");
})];

fn runtimes() -> [(&'static str, Runtime); 2] {
    let current = Builder::new_current_thread().enable_all().build().unwrap();
    let several = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    [("a thread", current), ("several threads", several)]
}

#[test]
fn migrations_run_inside_an_async_main() {
    for server in servers::mysql("migrations_run_inside_an_async_main") {
        let url = server.database();
        let migrator = Migrator::new(SLOW);
        let (at, _) = url.rsplit_once('/').expect("a URL names a database");
        let bad = format!("{}/nowhere", at.replace("root@", "root:s3cret@"));
        for (name, runtime) in runtimes() {
            runtime.block_on(async {
                // The calls that block.
                assert_eq!(migrator.upgrade(&url).unwrap(), ["m1"], "{name}");
                assert!(migrator.is_up_to_date(&url).unwrap());
                assert_eq!(migrator.downgrade(&url, "base").unwrap(), ["m1"]);
                let mut conn = mysql_client(&url);
                assert_eq!(migrator.upgrade(&mut conn).unwrap(), ["m1"], "{name}");
                assert_eq!(migrator.downgrade(&mut conn, "base").unwrap(), ["m1"]);

                // The call that is awaited: other tasks run in the meantime.
                let n_ticks = Arc::new(AtomicUsize::new(0));
                let counted = Arc::clone(&n_ticks);
                let other = tokio::spawn(async move {
                    loop {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        counted.fetch_add(1, Relaxed);
                    }
                });
                assert_eq!(migrator.upgrade_async(&url).await.unwrap(), ["m1"]);
                other.abort();
                assert!(n_ticks.load(Relaxed) > 5, "{name}: {n_ticks:?}");
                let err = migrator.upgrade_async(&bad).await.unwrap_err();
                assert!(!format!("{err:?}{err}").contains("s3cret"), "{err:?}");
                let options = Options::default();
                let url = url.clone();
                let undone = migrator
                    .spawn(move |migrator| migrator.downgrade_with(url, "base", &options))
                    .await;
                assert_eq!(undone.unwrap(), ["m1"]);
            });
        }
        // Several tasks at once.
        let (_, runtime) = runtimes().into_iter().nth(1).unwrap();
        runtime.block_on(async {
            let run = |url: String| tokio::spawn(async move { migrator.upgrade_async(&url).await });
            let mut applied = 0;
            for task in [run(url.clone()), run(url.clone()), run(url.clone())] {
                applied += task.await.unwrap().unwrap().len();
            }
            assert_eq!(applied, 1, "{}", server.name);
        });
    }
}
