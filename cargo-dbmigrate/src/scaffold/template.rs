//! The templates of `init`: a built-in one, or a directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{CONFIG, MOD_RS, README};
use dbmigrate_runtime::engine::Backend;

use crate::config::{self, Config};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};

/// A built-in template.
#[derive(Debug)]
pub struct BuiltIn {
    pub name: &'static str,
    pub description: &'static str,
    /// The files' names and contents.
    files: &'static [(&'static str, &'static str)],
}

/// The files in every template.
const FILES: &[(&str, &str)] = &[(config::FILE, CONFIG), ("mod.rs", MOD_RS), ("README.md", README)];

/// The template with a separate directory for each database of the models.
pub const MULTIDB: &str = "multidb";

/// All built-in templates; the first one is the default.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn { name: "default", description: "One database", files: FILES },
    BuiltIn {
        name: MULTIDB,
        description: "Several databases, each with a history of its own",
        files: FILES,
    },
];

/// The template for revisions, which a directory may contain.
pub const MODULE: &str = "revision.rs.tmpl";

/// The files of a new migrations directory.
#[derive(Debug)]
pub struct Template {
    /// Starts with the files that every template has.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// Whether it has a template for revisions that its settings don't use.
    pub has_unused_module: bool,
}

impl Template {
    /// Finds the template with this name, or reads the directory at this path; the default is the
    /// first built-in template.
    ///
    /// # Errors
    ///
    /// When there is no such template, when it can't be read completely, or when its settings are
    /// invalid.
    pub fn find(cx: &Context, name: Option<&str>) -> Result<Template> {
        let built_in = |name: &str| BUILT_IN.iter().find(|built_in| built_in.name == name);
        let (files, found) = match name {
            None => (BTreeMap::new(), BUILT_IN.first()),
            Some(name) => match built_in(name) {
                Some(built_in) => (BTreeMap::new(), Some(built_in)),
                None => (read(cx, name)?, BUILT_IN.first()),
            },
        };
        Template::new(files, found.map_or(&[], |built_in| built_in.files), name)
    }

    /// A directory's files, completed by the built-in ones.
    fn new(
        mut own: BTreeMap<PathBuf, Vec<u8>>,
        built_in: &[(&str, &str)],
        dir: Option<&str>,
    ) -> Result<Template> {
        let common = built_in.iter().map(|(name, text)| {
            let bytes = own.remove(Path::new(name)).unwrap_or_else(|| text.as_bytes().to_vec());
            (PathBuf::from(name), bytes)
        });
        let mut files: Vec<_> = common.collect();
        files.extend(own);
        let bytes =
            |name: &str| files.iter().find(|file| file.0 == Path::new(name)).map(|file| &file.1);
        let mut module = String::new();
        if let Some(bytes) = bytes(config::FILE) {
            let path = Path::new(dir.unwrap_or_default()).join(config::FILE);
            let text = std::str::from_utf8(bytes);
            let text = text.doing(|| format!("read `{}`", path.display()))?;
            module = Config::parse(text, &path)?.module_template;
        }
        let has_unused_module = module.is_empty() && bytes(MODULE).is_some();
        Ok(Template { files, has_unused_module })
    }

    /// The template for a history of these kinds of databases; the first is that of the URL. The
    /// settings of a directory are left as they are.
    pub fn with_dialects(mut self, backends: &[Backend], package: &str) -> Template {
        let Some(first) = backends.first() else { return self };
        let names: Vec<_> = backends
            .iter()
            .map(|backend| format!("\"{backend}\"", backend = backend.name()))
            .collect();
        let mut text =
            CONFIG.replace("dialects = []", &format!("dialects = [{}]", names.join(", ")));
        if *first != Backend::default() {
            let url = format!("{}://localhost/{package}", first.name());
            text = text.replace("\"sqlite:app.db\"", &format!("\"{url}\""));
        }
        let settings = self.files.iter_mut().find(|(path, _)| path == Path::new(config::FILE));
        if let Some((_, bytes)) = settings.filter(|(_, bytes)| bytes == CONFIG.as_bytes()) {
            *bytes = text.into_bytes();
        }
        self
    }

    /// The files, with paths relative to the directory.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_path(), bytes.as_slice()))
    }
}

/// The files in a project's own template directory.
fn read(cx: &Context, name: &str) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let is_path = name.contains(std::path::is_separator) || Path::new(name).is_dir();
    if !is_path {
        let names: Vec<_> =
            BUILT_IN.iter().map(|built_in| format!("`{}`", built_in.name)).collect();
        return Err(Error::new(format!("there is no template `{name}`")).hint(format!(
            "the templates are {}; give the path of a directory to use your own",
            names.join(", ")
        )));
    }
    let root = Path::new(name);
    if !root.is_dir() {
        return Err(Error::new(format!("the template `{name}` is not a directory"))
            .hint("`--template` takes the path of a directory, or a name of `list-templates`"));
    }
    let root = root.canonicalize().doing(|| format!("read the template `{name}`"))?;
    if cx.project.migrations_dir.starts_with(&root) {
        let message = format!("the migrations directory would be inside the template `{name}`");
        return Err(Error::new(message).hint("keep the template in a directory of its own"));
    }
    let mut files = BTreeMap::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(dir) = dirs.pop() {
        let doing = || format!("read the template `{}`", Path::new(name).join(&dir).display());
        for entry in fs::read_dir(root.join(&dir)).doing(doing)? {
            let entry = entry.doing(doing)?;
            let path = dir.join(entry.file_name());
            let kind = entry.file_type().doing(doing)?;
            // A clone's history isn't part of the template. A file with this name contains the path
            // of a history.
            if entry.file_name() == ".git" {
                continue;
            }
            if kind.is_dir() {
                dirs.push(path);
                continue;
            }
            let shown = Path::new(name).join(&path);
            let target = entry.path().canonicalize();
            let target = target.doing(|| format!("read `{}`", shown.display()))?;
            if !target.starts_with(&root) || !target.is_file() {
                let what = if kind.is_symlink() {
                    "is a link to something other than a file of the template"
                } else {
                    "is neither a file nor a directory"
                };
                return Err(Error::new(format!("`{}` {what}", shown.display()))
                    .hint("a template consists of files and directories: replace it with a copy"));
            }
            let bytes = fs::read(&target).doing(|| format!("read `{}`", shown.display()))?;
            files.insert(path, bytes);
        }
    }
    Ok(files)
}
