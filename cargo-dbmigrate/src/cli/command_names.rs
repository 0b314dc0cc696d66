//! The names of the commands, for messages and documents.

use super::Command;

impl Command {
    /// The command's name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Init(_) => "init",
            Command::ListTemplates => "list-templates",
            Command::Migrate(_) => "migrate",
            Command::Revision(_) => "revision",
            Command::Merge(_) => "merge",
            Command::Rebase(_) => "rebase",
            Command::Plan(_) => "plan",
            Command::Upgrade(_) => "upgrade",
            Command::Downgrade(_) => "downgrade",
            Command::Undo(_) => "undo",
            Command::Redo(_) => "redo",
            Command::Reset(_) => "reset",
            Command::Switch(_) => "switch",
            Command::Restore(_) => "restore",
            Command::Current(_) => "current",
            Command::History(_) => "history",
            Command::Heads(_) => "heads",
            Command::Schema(_) => "schema",
            Command::Erd(_) => "erd",
            Command::Inspect(_) => "inspect",
            Command::Import(_) => "import",
            Command::Adopt(_) => "adopt",
            Command::Branches => "branches",
            Command::Show(_) => "show",
            Command::Squash(_) => "squash",
            Command::Stamp(_) => "stamp",
            Command::Status(_) => "status",
            Command::Check(_) => "check",
            Command::Doctor => "doctor",
            Command::Lint(_) => "lint",
            Command::Verify(_) => "verify",
            Command::Diff(_) => "diff",
            Command::Bundle(_) => "bundle",
            Command::Watch => "watch",
            Command::Edit(_) => "edit",
            Command::Completions(_) => "completions",
            Command::Man(_) => "man",
            Command::EnsureVersion(_) => "ensure-version",
        }
    }
}
