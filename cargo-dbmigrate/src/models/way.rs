//! The ways in which cargo compiles the package.

use std::path::PathBuf;

use super::wrapper;
use crate::error::Result;
use crate::hex::short_hash;
use crate::project::{Cargo, Project};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As a person does, with the same artifacts. They may come from another checkout.
    Plain,
    /// With the wrapper, so that binaries leave metadata. For the workspace's own packages, no
    /// other checkout has these artifacts.
    Wrapped,
    /// The same in a target directory that no other checkout uses, including dependencies.
    Apart,
}

impl Way {
    pub fn set_up(self, cargo: &Cargo, project: &Project) -> Result<()> {
        if self == Way::Plain {
            return Ok(());
        }
        let dir = checkout_dir(project);
        wrapper::set_up(cargo, &dir)?;
        if self == Way::Apart {
            // One setting for both of cargo's directories, since `build.build-dir` may be
            // configured.
            cargo.set_var("CARGO_TARGET_DIR", dir.join("target"));
            cargo.set_var("CARGO_BUILD_BUILD_DIR", dir.join("target"));
        }
        Ok(())
    }

    /// Whether another checkout may have produced a package's artifacts in this way.
    pub fn is_shared(self, is_member: bool) -> bool {
        match self {
            Way::Plain => true,
            Way::Wrapped => !is_member,
            Way::Apart => false,
        }
    }
}

/// A directory inside the target directory that only this checkout uses.
fn checkout_dir(project: &Project) -> PathBuf {
    let hash = short_hash(project.workspace_root.as_os_str().as_encoded_bytes());
    project.target_dir.join("dbmigrate").join(format!("checkout-{hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_that_other_checkouts_may_have_left() {
        for (way, of_member, of_other) in
            [(Way::Plain, true, true), (Way::Wrapped, false, true), (Way::Apart, false, false)]
        {
            assert_eq!((way.is_shared(true), way.is_shared(false)), (of_member, of_other));
        }
    }
}
