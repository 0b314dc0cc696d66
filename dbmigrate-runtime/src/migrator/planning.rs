//! What a run would do, without running it.

use super::Migrator;
use crate::connect::ConnectToRead;
use crate::direction::Direction;
use crate::executor::{self, Options};
use crate::plan::{self, Route};
use crate::planned::Plan;
use crate::revision::View;
use crate::standing::Standing;
use crate::version_table;
use crate::{Error, barriers};

impl Migrator {
    /// What [`Migrator::upgrade`] would do, as `cargo dbmigrate plan` tells it: which statements in
    /// which order, their locks, how large the tables are, and what would stop it. Nothing is
    /// changed or locked. A missing file counts as a database without revisions.
    ///
    /// # Errors
    ///
    /// When the upgrade would be refused before anything runs.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::Migrator;
    ///
    /// // In a program: `migrations::migrator()`.
    /// let migrator = Migrator::new(&[]);
    ///
    /// let conn = rusqlite::Connection::open_in_memory().unwrap();
    /// let plan = migrator.plan(&conn).unwrap();
    /// assert_eq!(plan.to_string(), "Nothing to do.");
    /// # }
    /// ```
    pub fn plan(&self, database: impl ConnectToRead) -> Result<Plan, Error> {
        self.plan_with(database, (Direction::Upgrade, "head"), &Options::default())
    }

    /// What [`Migrator::upgrade_with`] or [`Migrator::downgrade_with`] would do. Identifiers are the
    /// same as on the command line.
    ///
    /// # Errors
    ///
    /// When the run would be refused before anything runs.
    pub fn plan_with(
        &self,
        database: impl ConnectToRead,
        (direction, identifier): (Direction, &str),
        options: &Options,
    ) -> Result<Plan, Error> {
        let migrations = &self.migrations()?;
        database.with_reader(|driver| {
            let table = options.version_table();
            let conn = driver.as_connection();
            let standing = Standing::read(conn, migrations, table, options.allow_ahead)?;
            let target = standing.target(direction, identifier)?;
            let mut ids = standing.route(direction, &target);
            let mut stops_before = Vec::new();
            if direction == Direction::Upgrade {
                plan::check_order(standing.graph(), standing.applied(), &ids, &target)?;
                let reach = barriers::reach(conn, &standing, &target, options.passing())?;
                reach.refuse(identifier)?;
                (ids, stops_before) = (reach.ids, reach.barriers);
            }
            let View { of: migrations, applied, .. } = standing.view;
            let dialect = driver.dialect();
            plan::refuse_mistakes(&migrations, direction, &ids, dialect)?;
            executor::refuse_unfinished(driver, options, &applied)?;
            let route = Route { migrations: &migrations, direction, ids: &ids, applied: &applied };
            executor::refuse_mismatch(driver.as_connection(), &route)?;
            let failed = |err| Error::database("read the stored definitions of the tables", err);
            let facts = driver.as_connection().facts_with_objects().map_err(failed)?;
            let recorded = ids.iter().filter_map(|id| migrations.get(id));
            let operations =
                recorded.flat_map(|found| found.recording(direction).operations.clone());
            let operations: Vec<_> = operations.collect();
            let found = dialect.facts_for(driver.as_connection(), &operations, &facts);
            let found = found.map_err(failed)?;
            let mut facts = facts;
            facts.large = found.large;
            if dialect.backend().is_mysql_like() {
                facts.existing = found.existing;
            }
            let planned = plan::plan(&route, dialect, &facts)?;
            let earlier = version_table::entries(driver.as_connection(), table)?;
            let schema = migrations.replay(Some(&applied))?;
            let how = (direction, options.transaction_each);
            let plan = Plan::of((driver, &earlier), &planned, how, schema);
            Ok(Plan { stops_before, ..plan })
        })
    }
}
