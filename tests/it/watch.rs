//! `watch`: a session in which sources are saved, and what it shows.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use dbmigrate_tests::{Host, tool};

const MODELS: &str = "#[derive(dbmigrate_runtime::Model)]\n\
    pub struct User {\n    #[model(primary_key)]\n    pub id: i64,\n}\n";

/// A running session.
struct Session {
    child: Child,
    lines: Receiver<String>,
}

impl Session {
    fn start(host: &Host) -> Session {
        let mut command = host.command(tool());
        command.args(["dbmigrate", "watch"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || {
                BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| {
                    let _ = sender.send(line);
                });
            });
        }
        Session { child, lines }
    }

    /// Waits until a line with this text is printed; returns the lines up to it.
    #[track_caller]
    fn until(&self, text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(900));
            let line = line.unwrap_or_else(|err| panic!("{text}: {err} after {seen:?}"));
            let is_last = line.contains(text);
            seen.push(line);
            if is_last {
                return seen;
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_session_shows_each_save_writes_nothing_and_ends_when_interrupted() {
    let host = Host::library("watch", MODELS);
    host.ok("init");
    host.ok("migrate -m users");
    let revisions = host.revisions();
    let mut session = Session::start(&host);
    session.until("No differences.");

    host.replace("src/lib.rs", "pub id: i64,\n", "pub id: i64,\n    pub name: String,\n");
    let shown = session.until("added column `user.name`");
    assert!(shown.iter().any(|line| line == "Saved `src/lib.rs`"), "{shown:?}");

    // An editor may write a new file and rename it onto the other one.
    let broken = host.read("src/lib.rs").replace("String,", "Strin,");
    host.write("src/lib.rs.new", &broken);
    std::fs::rename(host.dir.join("src/lib.rs.new"), host.dir.join("src/lib.rs")).unwrap();
    let shown = session.until("error: the package `watch` does not compile");
    let place = shown.iter().find(|line| line.starts_with("src/lib.rs:")).unwrap();
    assert!(place.contains("cannot find type `Strin`"), "{shown:?}");

    host.replace("src/lib.rs", "    pub name: Strin,\n", "");
    session.until("No differences.");
    assert_eq!(host.revisions(), revisions);

    // A package beside the workspace, from when the manifest names it.
    let beside = host.dir.parent().unwrap().join("beside");
    let write = |name: &str, text: &str| {
        let path = beside.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[package]\nname = \"beside\"\nversion = \"0.1.0\"\n\n[workspace]\n");
    write("src/lib.rs", "pub type Name = String;\n");
    let dependency = "[dependencies]\nbeside = { path = \"../beside\" }\n";
    host.replace("Cargo.toml", "[dependencies]\n", dependency);
    session.until("No differences.");
    host.replace("src/lib.rs", "pub id: i64,\n", "pub id: i64,\n    pub name: beside::Name,\n");
    session.until("added column `user.name`");
    write("src/lib.rs", "pub type Name = Strin;\n");
    let shown = session.until("cannot find type `Strin`");
    assert!(shown.iter().any(|line| line.ends_with("beside/src/lib.rs`")), "{shown:?}");

    let id = session.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(session.child.wait().unwrap().code(), Some(0));
}
