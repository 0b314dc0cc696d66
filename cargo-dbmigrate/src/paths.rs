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

/// The path without `.` and `..`.
pub fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            component => clean.push(component),
        }
    }
    clean
}

/// Whether two paths lead to the same file or directory.
pub fn is_same(one: &Path, two: &Path) -> bool {
    one == two || real(one) == real(two)
}

/// The path with links resolved, as far as it exists.
pub fn real(path: &Path) -> PathBuf {
    let path = clean(path);
    let beside = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.clone())
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
}
