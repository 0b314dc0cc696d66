//! Errors about what is to be waited for: programs whose database somebody else migrates, and
//! revisions behind a barrier.

use std::time::Duration;

use super::{Error, Kind};
use crate::driver::{ErrorKind, Unconnected};

/// The command of a program that upgrades to a target and passes barriers.
pub(crate) fn past_barriers(program: &str, identifier: &str) -> String {
    match identifier {
        "head" | "heads" => format!("{program} upgrade --past-barriers"),
        named => format!("{program} upgrade {named} --past-barriers"),
    }
}

impl Error {
    /// Whether the database lacks revisions of the program. The message names them.
    pub fn is_behind(&self) -> bool {
        self.inner.kind == Kind::Behind
    }

    /// `lacking` are the pending revisions in words; `waited` is how long the program has waited for
    /// another one to migrate the database.
    pub(crate) fn behind(lacking: &str, waited: Option<Duration>, holder: Option<&str>) -> Error {
        let behind = match waited {
            None => "is behind".to_owned(),
            Some(waited) => {
                format!("is still behind after waiting for {:.1} s", waited.as_secs_f64())
            }
        };
        let by = holder.map_or(String::new(), |holder| format!("; {holder} is migrating it"));
        let message = format!("the database {behind}: it lacks {lacking}{by}");
        Error::new(Kind::Behind, message).with_hint(match (holder, waited) {
            (Some(_), _) => "wait longer, or look at what the other one does",
            (None, Some(_)) => {
                "nobody is migrating it, as far as the database can tell: run \
                 `cargo dbmigrate upgrade`, or let one instance of the program call `upgrade`"
            }
            (None, None) => {
                "`cargo dbmigrate upgrade` applies them, and so does `upgrade` in a program; \
                 `wait_until_up_to_date` waits for another one that does"
            }
        })
    }

    /// `identifier` asks for a revision that waits; `barrier` is the one before it, in words.
    pub(crate) fn waits(identifier: &str, barrier: &str) -> Error {
        let message =
            format!("cannot upgrade to `{identifier}`: there is a barrier before {barrier}");
        Error::new(Kind::Other, message).with_hint(format!(
            "nothing was applied; once no program of the previous release is running, `cargo \
             dbmigrate upgrade {identifier} --past-barriers` applies it, or \
             `Options::past_barriers` in a program; `cargo dbmigrate upgrade` applies what comes \
             before the barrier"
        ))
    }

    /// `id` has no barrier of its own and needs the revision with `barrier`.
    pub(crate) fn held_back(identifier: &str, id: &str, barrier: &str) -> Error {
        let message = format!(
            "cannot upgrade to `{identifier}`: revision `{id}` follows a barrier, the one before \
             {barrier}"
        );
        let command = past_barriers("cargo dbmigrate", identifier);
        Error::new(Kind::Other, message).with_hint(format!(
            "nothing was applied; once no program of the previous release is running, `{command}` \
             applies both, or `Options::past_barriers` in a program; if `{id}` can wait as well, \
             give it an `op.barrier(...)` of its own"
        ))
    }

    /// Whether the cause may pass without anybody changing a setting.
    pub(crate) fn may_pass(&self) -> bool {
        let Some(source) = &self.inner.source else { return false };
        source.is_busy()
            || match source.kind() {
                ErrorKind::Unconnected(why) => may_pass(why),
                _ => false,
            }
    }
}

fn may_pass(why: &Unconnected) -> bool {
    match why {
        Unconnected::Refused { .. }
        | Unconnected::NoSocket { .. }
        | Unconnected::UnknownHost { .. }
        | Unconnected::TimedOut { .. }
        | Unconnected::Unreachable { .. }
        | Unconnected::NotAServer { .. }
        | Unconnected::NoDatabase { .. }
        | Unconnected::TooMany
        | Unconnected::Unavailable(_)
        | Unconnected::WrongTarget { .. } => true,
        Unconnected::All { servers } => servers.iter().any(|(_, why)| may_pass(why)),
        _ => false,
    }
}
