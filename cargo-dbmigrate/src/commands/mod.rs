//! The commands, one file each. A command gathers input, decides, acts and reports.

mod adopt;
mod branches;
mod bundle;
mod check;
pub mod completions;
mod current;
mod diff;
pub mod doctor;
mod downgrade;
mod edit;
mod ensure_version;
mod erd;
mod heads;
mod history;
mod import;
mod init;
mod inspect;
pub mod lint;
pub mod list_templates;
pub mod man;
mod merge;
mod migrate;
pub mod new_revision;
mod plan;
mod rebase;
mod redo;
mod reset;
mod restore;
mod schema;
mod shadow;
mod show;
mod squash;
mod stamp;
mod status;
mod survey;
mod switch;
mod undo;
mod upgrade;
mod upgrade_all;
mod verify;
mod watch;

use crate::cli::Command;
use crate::context::Context;
use crate::error::Result;

/// The result of a command that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is done, or the answer is yes. Exit code 0.
    Done,
    /// The answer is no. Exit code 1.
    No,
    /// Some of it failed, which was already reported. Exit code 3.
    Failed,
}

/// Runs a command on one database of a project.
pub fn run(cx: &Context, command: &Command) -> Result<Answer> {
    match command {
        Command::Init(args) => init::run(cx, args),
        Command::ListTemplates => Ok(list_templates::run(cx.out)),
        Command::Migrate(args) => migrate::run(cx, args),
        Command::Revision(args) => {
            new_revision::run(cx, &args.new, args.autogenerate, command.name())
        }
        Command::Upgrade(args) if args.is_for_several() => upgrade_all::run(cx, args),
        Command::Merge(args) => merge::run(cx, args),
        Command::Rebase(args) => rebase::run(cx, args),
        Command::Plan(args) => plan::run(cx, args),
        Command::Upgrade(args) => upgrade::run(cx, args),
        Command::Downgrade(args) => downgrade::run(cx, args),
        Command::Undo(args) => undo::run(cx, args),
        Command::Redo(args) => redo::run(cx, args),
        Command::Reset(args) => reset::run(cx, args),
        Command::Switch(args) => switch::run(cx, args),
        Command::Restore(args) => restore::run(cx, args),
        Command::Current(args) => current::run(cx, args),
        Command::History(args) => history::run(cx, args),
        Command::Heads(args) => heads::run(cx, args),
        Command::Branches => branches::run(cx),
        Command::Show(args) => show::run(cx, args),
        Command::Squash(args) => squash::run(cx, args),
        Command::Stamp(args) => stamp::run(cx, args),
        Command::Status(args) => status::run(cx, args),
        Command::Check(args) => check::run(cx, args),
        Command::Doctor => doctor::run(&cx.global, cx.out),
        Command::Lint(args) => lint::run(cx, args),
        Command::Verify(args) => verify::run(cx, args),
        Command::Diff(args) => diff::run(cx, args),
        Command::Bundle(args) => bundle::run(cx, args),
        Command::Watch => watch::run(cx),
        Command::Edit(args) => edit::run(cx, args),
        Command::Schema(args) => schema::run(cx, args),
        Command::Erd(args) => erd::run(cx, args),
        Command::Inspect(args) => inspect::run(cx, args),
        Command::Import(args) => import::run(cx, args),
        Command::Adopt(args) => adopt::run(cx, args),
        Command::Completions(args) => Ok(completions::run(cx.out, args)),
        Command::Man(args) => man::run(cx.out, args),
        Command::EnsureVersion(args) => ensure_version::run(cx, args),
    }
}
