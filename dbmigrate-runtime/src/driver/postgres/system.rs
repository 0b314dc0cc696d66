//! The errors of the operating system.

use std::io;

/// The error of the operating system in an error of the crate.
pub(super) fn of_system(err: &postgres::Error) -> Option<&io::Error> {
    std::error::Error::source(err)?.downcast_ref::<io::Error>()
}
