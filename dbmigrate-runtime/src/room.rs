//! Room on the stack for what a revision records.

use std::panic::resume_unwind;
use std::thread::{self, Builder};

/// In a build without optimization, each value of a function has a place of its own on the stack.
/// For a table of ten columns that are eight KiB, so the first revision of an application with a
/// thousand tables needs more than the main thread has, and one with 250 more than other threads.
/// The pages are only reserved until they are used.
const ROOM: usize = if cfg!(target_pointer_width = "64") { 512 << 20 } else { 64 << 20 };

/// Calls a function on a thread with a large stack, and returns its result. A panic of the function
/// is the caller's.
pub fn with_room<T: Send>(function: impl FnOnce() -> T + Send) -> T {
    let mut function = Some(function);
    let mut call = || function.take().map(|function| function());
    let called = thread::scope(|scope| {
        let thread = Builder::new().name("dbmigrate".to_owned()).stack_size(ROOM);
        thread.spawn_scoped(scope, &mut call).map(|thread| thread.join())
    });
    let result = match called {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => resume_unwind(panic),
        // A process may be allowed no more threads or memory; most revisions don't need them.
        Err(_) => call(),
    };
    result.expect("the function is called once")
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::with_room;
    use crate::operations::Operations;
    use crate::{Migrator, Module};

    #[test]
    fn a_revision_of_a_thousand_tables_has_room() {
        fn upgrade(op: &mut Operations) {
            let values = [0_u8; 32 << 20];
            black_box(&values);
            op.execute("SELECT 1");
        }
        fn downgrade(op: &mut Operations) {
            op.execute("SELECT 2");
        }
        static MODULES: [Module; 1] = [Module {
            name: "m1",
            revision: "a1",
            down_revision: &[],
            branch_labels: &[],
            depends_on: &[],
            replaces: &[],
            message: "first",
            upgrade,
            downgrade,
        }];
        let migrations = Migrator::new(&MODULES).migrations().unwrap();
        assert_eq!(migrations.get("a1").unwrap().upgrade.operations.len(), 1);
    }

    #[test]
    fn a_panic_is_the_caller_s() {
        let panic = std::panic::catch_unwind(|| with_room(|| panic!("not ready"))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"not ready"));
    }
}
