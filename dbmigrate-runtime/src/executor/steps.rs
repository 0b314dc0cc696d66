//! Who runs the steps of revisions.

use crate::direction::Direction;
use crate::migration::Migration;
use crate::operations::Operation;
use crate::{BatchRange, Db, StepResult};

/// Runs the steps of migrations.
pub trait Steps {
    /// Prepares to run the steps of these migrations, before the database is locked.
    ///
    /// # Errors
    ///
    /// When the steps can't be run.
    fn prepare(&mut self, migrations: &[&Migration]) -> StepResult {
        let _ = migrations;
        Ok(())
    }

    /// Runs the step at this position among the recording's operations.
    ///
    /// # Errors
    ///
    /// The step's error.
    fn run(
        &mut self,
        migration: &Migration,
        direction: Direction,
        operation: usize,
        db: &mut Db<'_>,
    ) -> StepResult;

    /// Runs a piece of the batched step at this position.
    ///
    /// # Errors
    ///
    /// The step's error.
    fn run_piece(
        &mut self,
        recorded: (&Migration, Direction),
        operation: usize,
        range: &BatchRange,
        db: &mut Db<'_>,
    ) -> StepResult;
}

/// Steps that are functions of this program.
#[derive(Debug)]
pub struct OwnSteps;

impl Steps for OwnSteps {
    fn run(
        &mut self,
        migration: &Migration,
        direction: Direction,
        operation: usize,
        db: &mut Db<'_>,
    ) -> StepResult {
        match migration.recording(direction).operations.get(operation) {
            Some(Operation::Run(step)) => match step.action {
                Some(action) => action(db),
                None => Err("its function is in another program".into()),
            },
            _ => Err("no step is recorded at its place".into()),
        }
    }

    fn run_piece(
        &mut self,
        (migration, direction): (&Migration, Direction),
        operation: usize,
        range: &BatchRange,
        db: &mut Db<'_>,
    ) -> StepResult {
        let step = migration.recording(direction).operations.get(operation);
        let action = match step {
            Some(Operation::Run(step)) => step.batch.as_ref().and_then(|batch| batch.action),
            _ => None,
        };
        match action {
            Some(action) => action(db, range),
            None => Err("its function is in another program".into()),
        }
    }
}
