//! `man`: the manual pages.

use std::fs;
use std::path::Path;

use super::Answer;
use crate::cli;
use crate::error::{Doing as _, Result};
use crate::output::Output;

pub fn run(out: Output, args: &cli::Man) -> Result<Answer> {
    match &args.out {
        Some(dir) => write_all(out, dir)?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(root())
                .render(&mut page)
                .doing(|| "write the page".to_owned())?;
            let page = String::from_utf8_lossy(&page);
            out.text(&page);
            out.json("man", serde_json::json!({ "page": page }));
        }
    }
    Ok(Answer::Done)
}

/// The command line without `help`, which gets no page, and with the global options in every
/// command.
fn root() -> clap::Command {
    let mut root = cli::command().disable_help_subcommand(true);
    root.build();
    root
}

fn write_all(out: Output, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).doing(|| format!("create the directory `{}`", dir.display()))?;
    let root = root();
    let mut paths = Vec::new();
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    for command in std::iter::once(root.clone()).chain(commands) {
        let page = clap_mangen::Man::new(command);
        let path = dir.join(page.get_filename());
        let mut text = Vec::new();
        let doing = || format!("write `{}`", path.display());
        page.render(&mut text).doing(doing)?;
        fs::write(&path, text).doing(doing)?;
        out.done(format!("Generating {} ... done", path.display()));
        paths.push(path.display().to_string());
    }
    out.json("man", serde_json::json!({ "paths": paths }));
    Ok(())
}
