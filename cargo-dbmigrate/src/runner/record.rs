//! The recordings of revision files: known ones from the cache, the others by compiling.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::cache::{Cache, Entry, Shared};
use super::compile::{self, Build, Built};
use super::key::key;
use super::lock::Lock;
use super::process::{Mode, Process};
use super::stamp::{Looker, Seen};
use super::{Recording, package};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::hex::hash;
use crate::revision_files::RevisionFile;

/// The recordings of these files, in order. Compiles new and changed files; if there are none, no
/// process is started.
///
/// # Errors
///
/// When a module doesn't compile or panics, and when the package doesn't depend on the runtime.
pub fn recordings(cx: &Context, files: &[RevisionFile]) -> Result<Vec<Recording>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let dir = &cx.project.work_dir;
    let mut look = Look::at(cx, files, Cache::read(dir))?;
    if !look.missing.is_empty() {
        let _lock = Lock::take(dir, cx.out)?;
        // Another process may have recorded it.
        look = Look::at(cx, files, Cache::read(dir))?;
        look.missing.iter().try_for_each(|(file, _)| refuse_other_text(cx, &file.path))?;
        if !look.missing.is_empty() {
            look.cache = compiled(cx, files)?;
        }
    } else if look.has_new_stamps {
        // If the cache can't be written now, the next run writes it.
        let _ = look.cache.write(dir);
    }
    let Look { cache, .. } = look;
    let missing = |file: &&RevisionFile| cache.place(&file.module).is_none();
    if let Some(file) = files.iter().find(missing) {
        return Err(not_recorded(cx, &file.path));
    }
    Ok(in_order(cache, files))
}

/// The recordings of these files, in order, if nothing has to be compiled or written for them.
pub fn unchanged(cx: &Context, files: &[RevisionFile]) -> Option<Vec<Recording>> {
    let look = Look::at(cx, files, Cache::read(&cx.project.work_dir)).ok()?;
    let is_unchanged = look.missing.is_empty() && !look.has_new_stamps;
    is_unchanged.then(|| in_order(look.cache, files))
}

/// The recordings in a cache that has one for each of these files, in the order of the files.
fn in_order(cache: Cache, files: &[RevisionFile]) -> Vec<Recording> {
    let is_sorted = files.is_sorted_by(|one, other| one.module < other.module);
    let mut entries = cache.entries;
    if !is_sorted {
        let place = |entry: &Entry| {
            files.iter().position(|file| file.module == entry.recording.recorded.module)
        };
        entries.sort_by_cached_key(place);
    }
    entries.into_iter().map(|entry| entry.recording).collect()
}

/// The recordings of those modules that needn't be compiled.
///
/// # Errors
///
/// When a file can't be read.
pub fn known(cx: &Context, files: &[RevisionFile]) -> Result<Vec<Recording>> {
    let look = Look::at(cx, files, Cache::read(&cx.project.work_dir))?;
    Ok(look.cache.entries.into_iter().map(|entry| entry.recording).collect())
}

/// The cache, updated to the current files.
struct Look {
    cache: Cache,
    /// The files whose recordings aren't known.
    missing: Vec<(RevisionFile, Seen)>,
    /// Whether the stamps of files differ from those in the cache on disk.
    has_new_stamps: bool,
}

impl Look {
    fn at(cx: &Context, files: &[RevisionFile], mut cache: Cache) -> Result<Look> {
        let mut looker = Looker::default();
        let mut has_new_stamps = update(cx, &mut looker, &mut cache.shared)?;
        let key = key(cx, &cache.shared);
        let fits = key == cache.key;
        cache.key = key;
        let mut is_known = vec![false; cache.entries.len()];
        let mut missing = Vec::new();
        for file in files {
            let place = cache.place(&file.module);
            let before = place.map(|place| &cache.entries[place].seen);
            let seen = looker.look(&file.path, before, hash);
            let seen = seen.doing(|| format!("read `{}`", file.path.display()))?;
            let entry = place.map(|place| (place, &mut cache.entries[place]));
            match (entry, seen) {
                (Some((place, entry)), seen)
                    if fits
                        && seen.as_ref().is_none_or(|seen| seen.hash == entry.seen.hash)
                        && entry.listed == file.listed =>
                {
                    is_known[place] = true;
                    if let Some(seen) = seen.filter(|seen| *seen != entry.seen) {
                        entry.seen = seen;
                        has_new_stamps = true;
                    }
                }
                (_, Some(seen)) => missing.push((file.clone(), seen)),
                (Some((_, entry)), None) => missing.push((file.clone(), entry.seen.clone())),
                (None, None) => unreachable!("a file is as it was only where it was seen before"),
            }
        }
        let mut is_known = is_known.into_iter();
        cache.entries.retain(|_| is_known.next() == Some(true));
        Ok(Look { cache, missing, has_new_stamps })
    }
}

/// The current state of the shared files. The list of revisions in `mod.rs` doesn't count.
pub fn shared(cx: &Context, before: &[Shared]) -> Result<Vec<Shared>> {
    let mut shared = before.to_vec();
    update(cx, &mut Looker::default(), &mut shared)?;
    Ok(shared)
}

/// Looks at the shared files again. Returns whether anything is new.
fn update(cx: &Context, looker: &mut Looker, shared: &mut Vec<Shared>) -> Result<bool> {
    let list = package::list_file(cx);
    let mut is_new = false;
    for file in &mut *shared {
        let seen = look(looker, &file.path, Some(&file.seen), &list)?;
        if let Some(seen) = seen.filter(|seen| *seen != file.seen) {
            file.seen = seen;
            is_new = true;
        }
    }
    if shared.iter().all(|file| file.path != list) {
        shared.push(share(&list, &list)?);
        is_new = true;
    }
    Ok(is_new)
}

/// The current state of a shared file.
pub fn share(path: &Path, list: &Path) -> Result<Shared> {
    let seen = look(&mut Looker::default(), path, None, list)?;
    let Some(seen) = seen else { unreachable!("it was not seen before") };
    Ok(Shared { path: path.to_owned(), seen })
}

fn look(
    looker: &mut Looker,
    path: &Path,
    before: Option<&Seen>,
    list: &Path,
) -> Result<Option<Seen>> {
    let hash = |bytes: &[u8]| {
        if path == list { hash(package::without_list(bytes).as_bytes()) } else { hash(bytes) }
    };
    looker.look(path, before, hash).doing(|| format!("read `{}`", path.display()))
}

/// Whether a file was written after this time.
pub fn is_newer(file: &Shared, started: SystemTime) -> bool {
    let modified = std::fs::metadata(&file.path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified >= started)
}

/// Compiles and records what is missing. The caller holds the lock.
fn compiled(cx: &Context, files: &[RevisionFile]) -> Result<Cache> {
    let dir = &cx.project.work_dir;
    let host = package::host(cx)?;
    // Finding the host may have written its lock file, which the key depends on.
    let Look { mut cache, missing, .. } = Look::at(cx, files, Cache::read(dir))?;
    let needed: Vec<RevisionFile> = missing.iter().map(|(file, _)| file.clone()).collect();
    let started = SystemTime::now();
    let build = compile::build(cx, &host, &needed, files)?;
    let mut recorded = record(cx, &build, files)?;

    if cache.entries.is_empty() {
        // Everything was compiled, so no other files count.
        cache.shared.clear();
    }
    let list = package::list_file(cx);
    for path in build.sources.iter().chain([&list]) {
        let is_revision = files.iter().any(|file| file.path == *path);
        if !is_revision && cache.shared.iter().all(|file| file.path != *path) {
            cache.shared.push(share(path, &list)?);
        }
    }
    cache.key = key(cx, &cache.shared);
    // Shared code is hashed after it was compiled. If it was edited in the meantime, the recordings
    // may be outdated, so none of them is used again.
    if cache.shared.iter().any(|file| is_newer(file, started)) {
        cache.key.clear();
    }
    for (file, seen) in missing {
        let recording =
            recorded.remove(&file.module).ok_or_else(|| not_recorded(cx, &file.path))?;
        if recording.revision.replaces.is_empty() {
            refuse_hidden(cx, &file.path)?;
        }
        cache.entries.push(Entry { seen, listed: file.listed, recording });
    }
    let module = |entry: &Entry| entry.recording.recorded.module.clone();
    cache.entries.sort_by_cached_key(module);
    cache.write(dir)?;
    let hash = |module: &String| Some((module.clone(), cache.find(module)?.seen.hash.clone()));
    let built = Built {
        key: cache.key.clone(),
        executable: build.executable,
        modules: build.modules.iter().filter_map(hash).collect(),
    };
    built.write(dir)?;
    Ok(cache)
}

/// The recordings of the modules in a program, by module.
fn record(
    cx: &Context,
    build: &Build,
    files: &[RevisionFile],
) -> Result<BTreeMap<String, Recording>> {
    let mut process = Process::start(&build.executable, Mode::Record, cx.out)?;
    let mut recorded = BTreeMap::new();
    loop {
        match process.next()? {
            Some(frame) if frame == END => break,
            Some(frame) => {
                let recording = Recording::of_frame(cx, files, frame)?;
                recorded.insert(recording.recorded.module.clone(), recording);
            }
            None => {
                // Modules are recorded in the order in which they were compiled.
                let culprit = build.modules.iter().find(|module| !recorded.contains_key(*module));
                let file = files.iter().find(|file| Some(&file.module) == culprit);
                return Err(match file {
                    Some(file) => ended(cx, &file.path),
                    None => Error::new("the migrations' program ended before it finished"),
                });
            }
        }
    }
    process.finish();
    Ok(recorded)
}

/// The program's last frame.
const END: &str = r#"{"end":true}"#;

fn ended(cx: &Context, path: &Path) -> Error {
    let path = cx.project.shown(path);
    Error::new(format!("the revision `{path}` ended the program that recorded it")).hint(
        "`upgrade` and `downgrade` only list operations; they must not exit, abort or recurse \
         forever",
    )
}

/// Refuses a file that can't be a revision, for which the compiler would report each missing item
/// at a place that a person doesn't know.
fn refuse_other_text(cx: &Context, path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).doing(|| format!("read `{}`", path.display()))?;
    let shown = cx.project.shown(path);
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(Error::new(format!("the revision `{shown}` is not UTF-8 text"))
            .hint("save it as UTF-8, or delete it if it is not a revision"));
    };
    if text.contains("const REVISION") {
        return Ok(());
    }
    // A macro or a module elsewhere may define it, and what can't be parsed is for the compiler.
    let may_define = |item: &syn::Item| {
        matches!(item, syn::Item::Macro(_) | syn::Item::Use(_) | syn::Item::Static(_))
    };
    let Ok(file) = syn::parse_file(&text) else { return Ok(()) };
    if file.items.iter().any(may_define) {
        return Ok(());
    }
    Err(if file.items.is_empty() {
        Error::new(format!("the revision `{shown}` is empty"))
            .hint("delete it; `cargo dbmigrate revision -m TEXT` writes a new one")
    } else {
        Error::new(format!("the revision `{shown}` has no `REVISION`")).hint(
            "if it is not a revision, delete it, or move it to the migrations directory, where \
             `mod.rs` can include it for all revisions",
        )
    })
}

/// Fails if a file has a `REPLACES` that the list of revisions can't see, since the compiler then
/// treats the module as if it had none.
fn refuse_hidden(cx: &Context, path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if !text.contains("REPLACES") {
        return Ok(());
    }
    let is_hidden = |item: &syn::Item| match item {
        syn::Item::Const(item) => {
            item.ident == "REPLACES" && matches!(item.vis, syn::Visibility::Inherited)
        }
        _ => false,
    };
    // A file that can't be parsed has compiled nevertheless.
    if !syn::parse_file(&text).is_ok_and(|file| file.items.iter().any(is_hidden)) {
        return Ok(());
    }
    let path = cx.project.shown(path);
    Err(Error::new(format!("the `REPLACES` of the revision `{path}` is private, so it is ignored"))
        .hint("write `pub const REPLACES`"))
}

fn not_recorded(cx: &Context, path: &Path) -> Error {
    let path = cx.project.shown(path);
    Error::new(format!("the revision `{path}` was not recorded"))
        .hint("run the command again; if it happens again, remove the target directory")
}
