//! Several databases in one call of a program.

use std::num::NonZeroUsize;

use dbmigrate_runtime::{Migrator, Options};
use dbmigrate_tests::servers;
use expect_test::expect;

use crate::lent::MODULES;

#[test]
fn a_program_upgrades_several_databases() {
    for server in servers::mysql("a_program_upgrades_several_databases") {
        let urls = [server.database(), server.database(), format!("{}_missing", server.database())];
        let options = Options { jobs: NonZeroUsize::new(2), ..Options::default() };
        let migrator = Migrator::new(MODULES);
        let mut seen = String::new();
        for round in ["first", "second"] {
            for upgraded in migrator.upgrade_all(&urls, &options).expect("they are reached") {
                let result = upgraded.result.map_err(|err| err.report());
                seen += &format!("{round} {}: {result:?}\n", upgraded.database);
            }
        }
        let is_schema = |_: &str| true;
        let err = migrator.upgrade_schemas(&urls[0], is_schema, &options).expect_err("it has none");
        seen += &err.report();
        for (url, name) in urls.iter().zip(["ada", "bob", "eve"]).rev() {
            let (place, database) = url.rsplit_once('/').expect("a URL names a database");
            seen = seen.replace(database, name).replace(place, "mysql://root@host");
        }
        let (_, port) = server.url.rsplit_once(':').expect("a port");
        seen = seen.replace(port.trim_end_matches("/mysql"), "3306");
        expect![[r#"
            first mysql://root@host/ada: Ok(["m1"])
            first mysql://root@host/bob: Ok(["m1"])
            first mysql://root@host/eve: Err("failed to connect to `mysql://root@host/eve`: the database `eve` does not exist\n  caused by: Unknown database 'eve'\n  hint: create it: `mysql -h 127.0.0.1 -P 3306 -u root -e 'CREATE DATABASE `eve`'`, or in SQL: `CREATE DATABASE `eve``")
            second mysql://root@host/ada: Ok([])
            second mysql://root@host/bob: Ok([])
            second mysql://root@host/eve: Err("failed to connect to `mysql://root@host/eve`: the database `eve` does not exist\n  caused by: Unknown database 'eve'\n  hint: create it: `mysql -h 127.0.0.1 -P 3306 -u root -e 'CREATE DATABASE `eve`'`, or in SQL: `CREATE DATABASE `eve``")
            the database `mysql://root@host/ada` has no schemas
              hint: `upgrade_schemas` is for PostgreSQL; `upgrade_all` upgrades several databases"#]].assert_eq(&seen);
    }
}
