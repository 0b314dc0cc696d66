//! Edits of real files: made, failing halfway, and undone.

use std::collections::BTreeMap;

use super::*;

/// A temporary directory that is removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        let dir = std::env::temp_dir().join(format!("dbmigrate-edits-{}", random().unwrap()));
        fs::create_dir_all(dir.join("versions")).unwrap();
        fs::write(dir.join("mod.rs"), "list").unwrap();
        fs::write(dir.join("versions/m1.rs"), "one").unwrap();
        Dir(dir)
    }

    /// The text of every file, and all directories.
    fn look(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.0.clone()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&self.0).unwrap().display().to_string();
                let text = fs::read_to_string(&path).unwrap_or_else(|_| "directory".to_owned());
                found.insert(name, text);
                if path.is_dir() {
                    open.push(path);
                }
            }
        }
        found
    }

    fn create(&self, name: &str) -> Edit {
        Edit::Create { path: self.0.join(name), bytes: b"new".to_vec() }
    }

    fn replace(&self, name: &str) -> Edit {
        Edit::Replace { path: self.0.join(name), bytes: b"replaced".to_vec() }
    }

    fn remove(&self, name: &str) -> Edit {
        Edit::Remove { path: self.0.join(name) }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn all_files_are_written_and_all_are_taken_back() {
    let dir = Dir::new();
    let before = dir.look();
    let edits = Edits::default();
    let all = [
        dir.create("versions/2024/m2.rs"),
        dir.remove("versions/m1.rs"),
        dir.replace("mod.rs"),
        dir.replace("other.rs"),
    ];
    edits.apply(&all).unwrap();
    edits.apply(&[Edit::Replace { path: dir.0.join("mod.rs"), bytes: b"twice".to_vec() }]).unwrap();
    let restored = edits.restore();
    assert_eq!(dir.look(), before);
    assert_eq!(restored.failures, []);
    let names = restored.paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["2024", "m2.rs", "m1.rs", "other.rs", "mod.rs"]);
    // Kept edits stay, and removed files leave nothing behind.
    edits.apply(&all).unwrap();
    edits.keep();
    assert_eq!(edits.restore(), Restored::default());
    let names: Vec<String> = dir.look().into_keys().collect();
    assert_eq!(names, ["mod.rs", "other.rs", "versions", "versions/2024", "versions/2024/m2.rs"]);
}

#[test]
fn a_new_file_that_someone_edited_stays() {
    let dir = Dir::new();
    let edits = Edits::default();
    edits.apply(&[dir.create("versions/m2.rs"), dir.create("versions/m3.rs")]).unwrap();
    let edited = dir.0.join("versions/m2.rs");
    fs::write(&edited, "new, and edited").unwrap();
    let restored = edits.restore();
    assert_eq!(restored.paths, [dir.0.join("versions/m3.rs")]);
    assert_eq!(restored.failures, [(edited.clone(), "it has changed in the meantime".to_owned())]);
    assert_eq!(fs::read_to_string(&edited).unwrap(), "new, and edited");

    // The work of a program that the command has run is undone with the command.
    fs::remove_file(&edited).unwrap();
    let before = dir.look();
    let edit = || fs::write(&edited, "formatted");
    edits.apply(&[dir.create("versions/m2.rs")]).unwrap();
    edits.around(&[&edited], edit).unwrap();
    assert_eq!(edits.restore(), Restored { paths: vec![edited.clone()], failures: Vec::new() });
    assert_eq!(dir.look(), before);
    edits.apply(&[dir.create("versions/m2.rs")]).unwrap();
    edits.around(&[&edited], || edit().and_then(|()| Err::<(), _>(exists()))).unwrap_err();
    edits.restore();
    assert_eq!(dir.look(), before);
}

/// Each edit fails once, after every other one.
#[test]
fn one_that_can_t_be_written_leaves_the_others_as_they_were() {
    let dir = Dir::new();
    fs::create_dir_all(dir.0.join("taken.rs")).unwrap();
    let before = dir.look();
    let good = || vec![dir.create("versions/m2.rs"), dir.replace("mod.rs")];
    let bad = [
        dir.replace("taken.rs"),
        dir.create("versions/m1.rs"),
        dir.create("taken.rs"),
        dir.create("mod.rs/below.rs"),
        dir.remove("versions/nothing.rs"),
    ];
    for bad in bad {
        let edits = Edits::default();
        let mut all = good();
        all.push(bad.clone());
        let err = edits.apply(&all).unwrap_err().to_string();
        assert!(err.starts_with("failed to "), "{err}");
        assert_eq!(edits.restore().failures, [], "{bad:?}");
        assert_eq!(dir.look(), before, "{bad:?}");
    }
}

#[test]
fn what_another_program_changed_is_taken_back_unless_a_third_one_changed_it_since() {
    let dir = Dir::new();
    let before = dir.look();
    let (list, lock) = (dir.0.join("mod.rs"), dir.0.join("Cargo.lock"));
    let edits = Edits::default();
    let change = || {
        fs::write(&list, "by cargo").unwrap();
        fs::write(&lock, "by cargo").unwrap();
        Ok::<(), ()>(())
    };
    edits.around(&[&list, &lock], change).unwrap();
    assert_eq!(edits.restore().paths, [list.clone(), lock.clone()]);
    assert_eq!(dir.look(), before);

    // If the program fails, its changes are undone at once.
    edits.around(&[&list, &lock], || change().and(Err::<(), ()>(()))).unwrap_err();
    assert_eq!(dir.look(), before);
    assert_eq!(edits.restore(), Restored::default());

    edits.around(&[&list, &lock], change).unwrap();
    fs::write(&list, "by a person").unwrap();
    let restored = edits.restore();
    assert_eq!(restored.failures, [(list.clone(), "it has changed in the meantime".to_owned())]);
    assert_eq!(fs::read_to_string(&list).unwrap(), "by a person");
    assert!(!lock.exists());
}

#[cfg(unix)]
#[test]
fn a_link_stays_one() {
    let dir = Dir::new();
    std::os::unix::fs::symlink("mod.rs", dir.0.join("link.rs")).unwrap();
    let before = dir.look();
    let edits = Edits::default();
    edits.apply(&[dir.replace("link.rs"), dir.remove("versions/m1.rs")]).unwrap();
    assert!(dir.0.join("link.rs").is_symlink());
    assert_eq!(dir.look()["mod.rs"], "replaced");
    edits.apply(&[dir.remove("link.rs")]).unwrap();
    edits.restore();
    assert_eq!(dir.look(), before);
    assert!(dir.0.join("link.rs").is_symlink());
}
