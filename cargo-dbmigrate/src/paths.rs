//! Paths: compared, normalised, and made relative.

use std::path::{Component, Path, PathBuf};

/// The path from a directory to a file, with slashes, as Rust accepts them on every system.
pub fn relative(dir: &Path, path: &Path) -> String {
    let (dir, path) = (clean(dir), clean(path));
    let shared = dir.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = dir.components().skip(shared).map(|_| "..".to_owned());
    let down = path.components().skip(shared);
    let down = down.map(|component| component.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The path without `.` and `..`, except for those that lead out of a relative one.
pub fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match (part, clean.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                clean.pop();
            }
            (Component::ParentDir, Some(Component::RootDir | Component::Prefix(_))) => {}
            (component, _) => clean.push(component),
        }
    }
    clean
}

/// Whether two paths lead to the same file or directory.
pub fn is_same(one: &Path, two: &Path) -> bool {
    one == two || real(one) == real(two)
}

/// The path from the root with links resolved, as far as it exists.
pub fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // A `..` after a link leads out of the directory behind it.
    let real = path.ancestors().find_map(|existing| {
        let rest = path.strip_prefix(existing).ok()?;
        Some(clean(&existing.canonicalize().ok()?.join(rest)))
    });
    real.unwrap_or_else(|| clean(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_a_directory_to_a_file() {
        let way = |path: &str| relative(Path::new("/app/migrations"), Path::new(path));
        assert_eq!(way("/app/migrations/versions/2024/m1.rs"), "versions/2024/m1.rs");
        assert_eq!(way("/app/migrations/../blog/versions/m1.rs"), "../blog/versions/m1.rs");
    }

    #[test]
    fn a_relative_path_may_lead_out_of_its_directory() {
        let cleaned = |path: &str| clean(Path::new(path)).to_string_lossy().into_owned();
        assert_eq!(cleaned("./a/../../b/./c"), "../b/c");
        assert_eq!(cleaned("../../a/.."), "../..");
        assert_eq!(cleaned("/../a/../../b"), "/b");
    }

    #[test]
    fn a_real_path_is_absolute_however_it_is_given() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(real(Path::new("../missing/a")), here.parent().unwrap().join("missing/a"));
        assert_eq!(real(Path::new("src/../Cargo.toml")), here.join("Cargo.toml"));
        assert_eq!(real(Path::new("missing/../../a/b")), here.parent().unwrap().join("a/b"));
        assert!(is_same(Path::new("../none"), &here.parent().unwrap().join("none")));
        assert!(!is_same(Path::new("../none"), Path::new("none")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_before_the_way_up() {
        let name = format!("dbmigrate-paths-{}", std::process::id());
        let dir = std::env::temp_dir().join(name).join("there");
        std::fs::create_dir_all(dir.join("deep/er")).unwrap();
        let dir = dir.canonicalize().unwrap();
        let link = dir.parent().unwrap().join("link");
        std::os::unix::fs::symlink(dir.join("deep/er"), &link).unwrap();
        assert_eq!(real(&link.join("../new.db")), dir.join("deep/new.db"));
        assert_eq!(real(&link.join("new/er.db")), dir.join("deep/er/new/er.db"));
        std::fs::remove_dir_all(dir.parent().unwrap()).unwrap();
    }
}
