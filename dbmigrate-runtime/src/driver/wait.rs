//! Waiting for a lock that another connection holds.

use std::time::{Duration, Instant};

use super::{DatabaseError, Wait, Waiting};

/// Shorter waits are not reported.
const UNSAID: Duration = Duration::from_millis(200);

/// Retries until it succeeds, fails for another reason than a lock, or the time is up. `holder`
/// tells who holds the lock.
pub(super) fn patiently<T>(
    wait: &mut Wait<'_>,
    mut holder: impl FnMut() -> Option<String>,
    mut attempt: impl FnMut() -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut is_reported = false;
    loop {
        match attempt() {
            Err(err) if err.is_busy() && start.elapsed() < wait.at_most => {
                if !is_reported && start.elapsed() > UNSAID {
                    (wait.on_wait)(&Waiting { at_most: wait.at_most, holder: holder() });
                    is_reported = true;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            res => return res,
        }
    }
}
