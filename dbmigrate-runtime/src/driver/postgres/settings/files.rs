//! libpq's files: passwords (`~/.pgpass`) and services (`~/.pg_service.conf`).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Host, Place, Surroundings};
use crate::server::{BadUrl, parameter};

/// Who connects to which database.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) database: &'a str,
}

/// Gives each server its password from a password file. Returns why there is none.
pub(super) fn fill_passwords(
    hosts: &mut [Host],
    given: Option<&str>,
    login: Login<'_>,
    around: &Surroundings<'_>,
) -> Option<String> {
    let path = given.map(PathBuf::from).or_else(|| around.passfile())?;
    let shown = path.display();
    let file = match around.read(&path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound && given.is_none() => return None,
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            return Some(format!("the password file `{shown}` does not exist"));
        }
        Err(err) => return Some(format!("the password file `{shown}` can't be read: {err}")),
    };
    if file.is_open_to_others {
        return Some(format!(
            "the password file `{shown}` was ignored, since other users may read it: \
             `chmod 600 {shown}`"
        ));
    }
    let mut note = None;
    for host in hosts {
        host.password = file.text.lines().find_map(|line| password(line, host, login));
        if host.password.is_none() {
            note = Some(format!("the password file `{shown}` has no line for this login"));
        }
    }
    note
}

/// The password of a line `host:port:database:user:password`, if it is for this login.
fn password(line: &str, host: &Host, login: Login<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut chars = line.trim_end_matches('\r').chars();
    while let Some(c) = chars.next() {
        match c {
            // A password has no end but that of the line.
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(chars.next()),
            c => fields.last_mut()?.push(c),
        }
    }
    let [of_host, port, database, user, password] = fields.try_into().ok()?;
    let is_host = match &host.place {
        Place::Tcp { name, .. } => of_host == *name,
        Place::Socket(dir) => {
            (of_host == "localhost" && Surroundings::is_usual(dir)) || Path::new(&of_host) == dir
        }
    };
    let is_any = |text: &str, wanted: &str| text == "*" || text == wanted;
    let is_for = (of_host == "*" || is_host)
        && is_any(&port, &host.port.to_string())
        && is_any(&database, login.database)
        && is_any(&user, login.user);
    (is_for && !password.is_empty()).then_some(password)
}

/// The parameters of a service, and the file that it was found in.
pub(super) fn service(
    name: &str,
    given: Option<&str>,
    around: &Surroundings<'_>,
) -> Result<(BTreeMap<&'static str, String>, PathBuf), BadUrl> {
    let own = given.map(PathBuf::from).or_else(|| around.service_file());
    let of_system = around.variable("PGSYSCONFDIR").map(PathBuf::from);
    let of_system = of_system.map(|dir| dir.join("pg_service.conf"));
    let paths: Vec<PathBuf> = own.into_iter().chain(of_system).collect();
    for path in &paths {
        let file = match around.read(path) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => continue,
            Err(err) => {
                let message = format!("the service file `{}` can't be read: {err}", path.display());
                return Err(BadUrl::new(message, "check its path and its permissions"));
            }
        };
        if let Some(service) = section(name, &file.text, path)? {
            return Ok((service, path.clone()));
        }
    }
    let shown: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    let place = if shown.is_empty() { "any file".to_owned() } else { shown.join(" or ") };
    let message = format!("there is no service `{name}` in {place}");
    let hint = "add a section `[NAME]` with a line `parameter=value` for each parameter, or name \
                another file with the environment variable PGSERVICEFILE";
    Err(BadUrl::new(message, hint))
}

/// The parameters of a section of a service file.
fn section(
    name: &str,
    text: &str,
    path: &Path,
) -> Result<Option<BTreeMap<&'static str, String>>, BadUrl> {
    let mut found = None;
    for (idx, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if section.strip_suffix(']') == Some(name) {
                found = Some(BTreeMap::new());
            }
            continue;
        }
        let Some(parameters) = &mut found else { continue };
        let place = format!("{}:{}", path.display(), idx + 1);
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        // The line isn't shown, since it may contain a password.
        let hint = "write a line `parameter=value` with a parameter of libpq, such as `host`";
        match parameter(key.trim()) {
            Some("service" | "servicefile") => {
                let message =
                    format!("the service file has a service within a service, in `{place}`");
                return Err(BadUrl::new(message, "remove the line"));
            }
            Some(parameter) if line.contains('=') => {
                // The first line of a parameter counts.
                parameters.entry(parameter).or_insert_with(|| value.trim().to_owned());
            }
            Some(_) | None => {
                let message = format!("the service file has an invalid line, in `{place}`");
                return Err(BadUrl::new(message, hint));
            }
        }
    }
    Ok(found.map(|mut found| {
        found.retain(|_, value| !value.is_empty());
        found
    }))
}
