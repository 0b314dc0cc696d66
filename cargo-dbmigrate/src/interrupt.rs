//! A person who interrupts a command.

use std::process::exit;
use std::sync::{Mutex, Once, PoisonError};

use dialoguer::console::Term;

/// The exit code of a command that a person interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

type Last = Box<dyn FnOnce() + Send>;

/// What is done before the process ends.
static LAST: Mutex<Option<Last>> = Mutex::new(None);

/// Has this done before the process ends by an interrupt that is [watched](watch) for.
pub fn before_end(last: impl FnOnce() + Send + 'static) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(last));
}

/// From now on an interrupt doesn't end the process by itself. Where there can be no handler it
/// does so all the same.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(ctrlc::set_handler(|| interrupted())));
}

/// Ends the process. A prompt hides the cursor, which would stay hidden in the person's shell.
pub fn interrupted() -> ! {
    let term = Term::stderr();
    if term.is_term() {
        let _ = term.show_cursor();
    }
    // Whoever comes second waits for the end.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(last) = last.take() {
        last();
    }
    exit(INTERRUPTED)
}
