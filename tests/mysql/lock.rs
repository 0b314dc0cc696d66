//! The lock that excludes other migrations.

use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::driver::{Connection as _, Driver as _, Scope, Wait, Waiting};
use dbmigrate_tests::servers;

fn begin(
    driver: &mut dyn dbmigrate_runtime::engine::driver::Driver,
    at_most: Duration,
) -> (bool, Option<String>) {
    let mut holder = None;
    let mut on_wait = |waiting: &Waiting| holder.clone_from(&waiting.holder);
    let res = driver.begin(Scope::Alone, &mut Wait { at_most, on_wait: &mut on_wait });
    let is_taken = match res {
        Ok(()) => true,
        Err(err) => {
            assert!(err.is_busy(), "{err}");
            false
        }
    };
    (is_taken, holder)
}

#[test]
fn one_connection_at_a_time_has_the_lock() {
    for server in servers::mysql("one_connection_at_a_time_has_the_lock") {
        let url = server.database();
        let (mut one, mut two) = (crate::driver(&url), crate::driver(&url));
        one.prepare(".dbmigrate_version").expect("it is prepared");
        two.prepare(".dbmigrate_version").expect("it is prepared");
        assert!(begin(&mut one, Duration::ZERO).0);
        let start = Instant::now();
        let (is_taken, holder) = begin(&mut two, Duration::from_millis(400));
        assert!(!is_taken && start.elapsed() >= Duration::from_millis(400));
        let holder = holder.expect("the server says who has it");
        assert!(holder.contains("(`root`) of the server holds a lock"), "{holder}");
        // Another history of the same database has another lock.
        two.prepare(".other_version").expect("it is prepared");
        assert!(begin(&mut two, Duration::ZERO).0);
        two.release();
        two.prepare(".dbmigrate_version").expect("it is prepared");
        // A change of a definition commits, and keeps the lock.
        one.batch("CREATE TABLE t (id INT)").expect("a table");
        assert!(!begin(&mut two, Duration::ZERO).0);
        one.release();
        assert!(begin(&mut two, Duration::ZERO).0);
        // The end of the connection releases it.
        drop(two);
        assert!(begin(&mut one, Duration::from_secs(5)).0);
        // The same name in another database is another history.
        let mut three = crate::driver(&server.database());
        three.prepare(".dbmigrate_version").expect("it is prepared");
        assert!(begin(&mut three, Duration::ZERO).0);
    }
}

#[test]
fn who_blocks_a_statement_is_named() {
    for server in servers::mysql("who_blocks_a_statement_is_named") {
        let url = server.database();
        let (mut one, mut two) = (crate::driver(&url), crate::driver(&url));
        one.batch("CREATE TABLE t (id INT)").expect("a table");
        one.batch("INSERT INTO t VALUES (1)").expect("a row");
        let mut on_wait = |_: &Waiting| {};
        let mut wait = Wait { at_most: Duration::ZERO, on_wait: &mut on_wait };
        one.begin(Scope::Group, &mut wait).expect("a transaction");
        assert!(one.in_transaction());
        one.execute("UPDATE t SET id = 2", &[]).expect("a row");
        let err = two.batch("ALTER TABLE t ADD COLUMN b INT").expect_err("it waits");
        assert!(err.is_busy(), "{err}");
        let blocker = two.blocker().expect("the server says who is in the way");
        assert!(blocker.contains("of the server holds a lock"), "{blocker}");
        one.commit().expect("it is committed");
        assert!(!one.in_transaction());
        two.batch("ALTER TABLE t ADD COLUMN b INT").expect("nobody is in the way");
        one.begin(Scope::Group, &mut Wait { at_most: Duration::ZERO, on_wait: &mut |_| {} })
            .expect("a transaction");
        one.batch("CREATE TABLE u (id INT)").expect("a table");
        assert!(!one.in_transaction(), "a change of a definition commits");
    }
}
