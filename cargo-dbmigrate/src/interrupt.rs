//! What happens when a person interrupts a command.

use std::process::exit;
use std::sync::{Mutex, Once, PoisonError};

use dialoguer::console::Term;

/// The exit code of an interrupted command, following the convention of shells.
const INTERRUPTED: i32 = 130;

type Last = Box<dyn FnOnce() + Send>;

/// The action before the process ends.
static LAST: Mutex<Option<Last>> = Mutex::new(None);

/// Registers an action for an interrupt that is [watched](watch) for, before the process ends.
pub fn before_end(last: impl FnOnce() + Send + 'static) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(last));
}

/// From now on, an interrupt doesn't end the process by itself, unless no handler can be installed.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(ctrlc::set_handler(|| interrupted())));
}

/// Ends the process. A prompt hides the cursor, which would remain hidden in the shell.
pub fn interrupted() -> ! {
    let term = Term::stderr();
    if term.is_term() {
        let _ = term.show_cursor();
    }
    // A second thread waits here until the process ends.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(last) = last.take() {
        last();
    }
    exit(INTERRUPTED)
}
