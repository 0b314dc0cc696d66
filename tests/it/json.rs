//! Compares the description of each command's document in `docs/json.md` with what is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dbmigrate_tests::{Host, repository, sql};
use serde_json::Value;

const MODELS: &str = "#[derive(dbmigrate_runtime::Model)]\n\
    pub struct User {\n    #[model(primary_key)]\n    pub id: i64,\n    pub name: String,\n}\n";

/// The commands to run in sequence, with their exit codes. A new command gets a line here.
/// Everything that its document may contain has to occur once: each member with each type, and no
/// list that is always empty.
const STEPS: &[(&str, i32)] = &[
    ("init", 0),
    ("doctor", 0),
    ("undo", 3),
    ("migrate -m user --rev-id a100", 0),
    ("migrate -m none", 0),
    ("migrate --upgrade", 0),
    ("upgrade", 0),
    ("redo", 0),
    ("verify", 0),
    ("revision -m left --rev-id b200 --branch-label left", 0),
    ("revision -m right --rev-id c300 --head a100 --splice --depends-on b200", 0),
    ("revision -m other --rev-id d400 --head base", 0),
    ("heads", 0),
    ("branches", 0),
    ("current", 0),
    ("check --no-database", 1),
    ("status", 1),
    ("status --url sqlite:none.db --features nonsense", 3),
    ("rebase d400 --onto c300 --dry-run", 0),
    ("rebase c300 --onto b200 --dry-run", 0),
    ("ensure-version --sql", 0),
    ("ensure-version", 0),
    ("upgrade heads --sql", 0),
    ("plan heads", 0),
    ("upgrade heads --dry-run", 0),
    ("upgrade heads", 0),
    ("upgrade heads --all tenants", 3),
    ("current", 0),
    ("history -i", 0),
    ("schema", 0),
    ("erd", 0),
    ("history", 0),
    ("show heads", 0),
    ("show a100", 0),
    ("show a100", 0),
    ("merge c300 b200 --rev-id e500 -m both --branch-label both --splice", 0),
    ("undo", 0),
    ("merge c300 b200 -m both --splice --dry-run", 0),
    ("revision -m more --rev-id d500 --head d400 --depends-on a100", 0),
    ("revision -m last --rev-id d600 --head d500 --branch-label tail", 0),
    ("squash d500:d600 --branch-label whole --dry-run", 0),
    ("squash d500:d600 --rev-id d700", 0),
    ("history", 0),
    ("show d700", 0),
    ("undo d700", 0),
    ("undo d600", 0),
    ("undo d500", 0),
    ("stamp a100", 0),
    ("stamp heads", 0),
    ("stamp a100:heads --sql", 0),
    ("edit a100", 0),
    ("downgrade a100:base --sql", 0),
    ("plan base", 0),
    ("downgrade base --dry-run", 0),
    ("downgrade base --allow-destructive", 0),
    ("upgrade heads --backup", 0),
    ("downgrade base --allow-destructive --backup", 0),
    ("restore", 0),
    ("restore 1 --yes", 0),
    ("revision -m gone --rev-id f700 --head d400", 0),
    ("upgrade f700", 0),
    ("switch --dry-run", 0),
    ("switch --backup", 0),
    ("switch", 0),
    ("reset --yes", 0),
    ("inspect --out found.rs --url sqlite:found.db", 0),
    ("inspect --update", 0),
    ("inspect --update --url sqlite:found.db", 0),
    ("init -d adopted --no-add", 0),
    ("adopt -d adopted --url sqlite:adopted.db", 0),
    ("init -d imported --no-add", 0),
    ("import sqlx sql -d imported", 0),
    ("stamp --from sqlx --all from -d imported", 3),
    ("lint less -d imported", 0),
    ("verify -d imported", 1),
    ("list-templates", 0),
    ("completions bash", 0),
    // What it builds takes minutes, and has a test of its own.
    ("bundle --out Cargo.toml", 3),
    ("watch", 3),
    ("man", 0),
    ("man --out pages", 0),
    // From here on, nothing agrees with anything else.
    ("stamp --purge b200 d400", 0),
    ("check", 1),
    ("diff", 0),
    ("diff database models --sql", 0),
    ("migrate -m less --head a100 --splice --no-renames --allow-destructive --dry-run", 0),
    ("history -v", 0),
    ("show d400", 0),
    ("show d400", 0),
    ("current", 0),
    ("status", 1),
    ("status --all tenants", 3),
    ("current --all tenants", 3),
    ("check --all tenants", 3),
    // Failures of every kind.
    ("upgrade nonsense", 3),
    ("current --url sqlite:garbage.db", 3),
    // From here on, there is a document for each of two databases.
    ("init --database logs", 0),
    ("current", 0),
    ("heads --database logs", 0),
    ("heads --database default", 0),
    ("upgrade nonsense --database logs", 3),
    ("downgrade nonsense --database all", 3),
];

/// What is done by hand before a step.
fn prepare(host: &Host, nth: usize, command: &str) {
    let database = host.dir.join("app.db");
    match command {
        "upgrade heads --all tenants" => {
            host.write("tenants/a.db", "");
            host.write("tenants/garbage.db", "this is no database, whatever its name says\n");
        }
        "check" => {
            host.write("src/lib.rs", &MODELS.replace("    pub name: String,\n", ""));
            let text = "ALTER TABLE user ADD COLUMN extra TEXT; CREATE TABLE theirs (x);";
            sql(&database, text);
        }
        "inspect --out found.rs --url sqlite:found.db" => {
            let text = "CREATE TABLE tags (name TEXT PRIMARY KEY); CREATE VIEW seen AS SELECT 1;";
            sql(&host.dir.join("found.db"), text);
        }
        "adopt -d adopted --url sqlite:adopted.db" => {
            fs::copy(&database, host.dir.join("adopted.db")).unwrap();
            sql(&host.dir.join("adopted.db"), "DROP TABLE dbmigrate_version");
        }
        "import sqlx sql -d imported" => {
            host.write("sql/1_first.sql", "CREATE TABLE one (id INTEGER PRIMARY KEY);");
            host.write("sql/2_last.up.sql", "CREATE TABLE two (id INTEGER PRIMARY KEY);");
            host.write("sql/2_last.down.sql", "DROP TABLE two;");
            let text = "CREATE TABLE one (id INTEGER PRIMARY KEY);
                        CREATE TABLE _sqlx_migrations (version, success, checksum);
                        INSERT INTO _sqlx_migrations VALUES (1, 1, NULL);";
            fs::create_dir(host.dir.join("from")).unwrap();
            sql(&host.dir.join("from/other.db"), text);
            sql(&host.dir.join("from/empty.db"), "CREATE TABLE two (id)");
        }
        "lint less -d imported" => {
            let table =
                "op.create_table(Table::new(\"log\").column(Column::new(\"x\", Type::Text)));";
            let text = dbmigrate_tests::revision("less", &[], "less", table, "");
            host.write("imported/versions/m_less.rs", &text);
        }
        "history -v" => fs::remove_file(host.dir.join(host.revision("other"))).unwrap(),
        // The second time, the revision was edited after it was applied.
        "show a100" if STEPS[nth - 1].0 == command => {
            sql(&database, "UPDATE dbmigrate_version SET checksum = 'x' || checksum");
        }
        "merge c300 b200 --rev-id e500 -m both --branch-label both --splice" => {
            sql(&database, "UPDATE dbmigrate_version SET checksum = substr(checksum, 2)");
        }
        // The first `show` could read what the database stores.
        "show d400" if STEPS[nth - 1].0 == command => {
            sql(&database, "UPDATE dbmigrate_version SET operations = '?' WHERE id = 'd400'");
        }
        "status --all tenants" => {
            let text = "ALTER TABLE user ADD COLUMN extra TEXT";
            sql(&host.dir.join("tenants/a.db"), text);
        }
        "switch --dry-run" => fs::remove_file(host.dir.join(host.revision("gone"))).unwrap(),
        "restore" => {
            host.write("app.db.backup-9", "this is no database, whatever its name says\n");
        }
        "plan base" => sql(&database, "INSERT INTO user VALUES (1, 'Ada')"),
        "current --url sqlite:garbage.db" => {
            fs::copy(host.dir.join("tenants/garbage.db"), host.dir.join("garbage.db")).unwrap();
        }
        _ => {}
    }
}

#[test]
fn the_description_of_the_documents_holds() {
    let text = fs::read_to_string(repository().join("docs/json.md")).unwrap();
    let mut description = Description::parse(&text);
    let mut host = Host::library("json", MODELS);
    host.env("EDITOR", "true");
    let commands: BTreeSet<String> =
        super::help::commands(&host).into_iter().map(|(name, _)| name).collect();
    let mut problems = Vec::new();
    for name in commands.iter().filter(|command| !command.is_empty()) {
        if !description.members.contains_key(name) {
            problems.push(format!("`{name}` is not described"));
        }
        if !STEPS.iter().any(|(text, _)| text.split(' ').next() == Some(name)) {
            problems.push(format!("no step runs `{name}`"));
        }
    }
    for name in
        description.members.keys().filter(|name| *name != EVERY && !commands.contains(*name))
    {
        problems.push(format!("`{name}` is described and no command"));
    }
    let mut is_several = false;
    for (nth, (command, code)) in STEPS.iter().enumerate() {
        prepare(&host, nth, command);
        let run = host.dbmigrate(&format!("{command} --format json"));
        assert_eq!(run.code, *code, "{command}\n{run}");
        let documents: Vec<Value> = serde_json::Deserializer::from_str(&run.stdout)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_else(|err| panic!("{command}: {err}\n{run}"));
        let name = command.split(' ').next().unwrap();
        is_several |= command.contains("init --database");
        let is_of_one = is_several && name != "init";
        assert!(documents.iter().all(|value| value["database"].is_string() == is_of_one), "{run}");
        assert!(documents.len() == 1 || is_several, "{run}");
        for document in &documents {
            description.compare(name, document, command, &mut problems);
        }
    }
    description.examples(&text, &mut problems);
    problems.extend(description.unseen());
    assert!(problems.is_empty(), "docs/json.md and the commands:\n{}", problems.join("\n"));
}

/// The section about members that every document may have.
const EVERY: &str = "";

/// Lists that have entries in another test.
const SEEN_ELSEWHERE: [(&str, &str); 84] = [
    ("redo", "backup"),
    ("reset", "backup"),
    ("show", "revisions[].irreversible"),
    ("bundle", "path"),
    ("bundle", "bytes"),
    ("bundle", "static"),
    ("bundle", "dialects"),
    ("bundle", "revisions"),
    ("bundle", "heads"),
    ("bundle", "target"),
    ("doctor", "looks[].of"),
    // With --fix.
    ("lint", "fixed"),
    ("lint", "fixed[].rule"),
    ("lint", "fixed[].revision"),
    ("lint", "fixed[].path"),
    ("lint", "fixed[].wrote"),
    // With --safe.
    ("migrate", "revisions"),
    ("migrate", "revisions[].revision"),
    ("migrate", "revisions[].part"),
    ("migrate", "revisions[].path"),
    ("migrate", "revisions[].operations"),
    ("migrate", "revisions[].module"),
    // With a barrier.
    ("status", "waiting"),
    ("status", "databases[].n_waiting"),
    // Where an earlier revision took long.
    ("plan", "plan[].time"),
    ("plan", "barriers"),
    ("plan", "barriers[].id"),
    ("plan", "barriers[].message"),
    ("plan", "barriers[].reason"),
    ("upgrade", "barriers"),
    ("upgrade", "barriers[].id"),
    ("upgrade", "barriers[].message"),
    ("upgrade", "barriers[].reason"),
    ("upgrade", "databases[].barriers"),
    ("upgrade", "databases[].barriers[].id"),
    ("upgrade", "databases[].barriers[].message"),
    ("upgrade", "databases[].barriers[].reason"),
    ("show", "revisions[].barrier"),
    ("current", "barriers"),
    ("current", "barriers[].id"),
    ("current", "barriers[].message"),
    ("current", "barriers[].reason"),
    ("check", "barriers"),
    ("check", "barriers[].id"),
    ("check", "barriers[].message"),
    ("check", "barriers[].reason"),
    ("status", "barriers"),
    ("status", "barriers[].id"),
    ("status", "barriers[].message"),
    ("status", "barriers[].reason"),
    ("check", "findings"),
    ("verify", "not_run"),
    ("verify", "revisions[].notes"),
    // With a server.
    ("status", "unfinished"),
    ("status", "unfinished[].id"),
    ("status", "unfinished[].done"),
    ("status", "unfinished[].at"),
    ("status", "unfinished[].error"),
    ("status", "lock_holder"),
    ("status", "databases[].edited"),
    ("status", "databases[].url"),
    ("status", "databases[].unfinished"),
    ("plan", "plan[].stops"),
    ("plan", "plan[].tasks[].cost"),
    ("plan", "plan[].tasks[].sql"),
    ("status", "not_in_list"),
    ("status", "not_in_files"),
    ("current", "unfinished"),
    ("current", "unfinished[].id"),
    ("current", "unfinished[].done"),
    ("current", "unfinished[].at"),
    ("current", "unfinished[].error"),
    ("upgrade", "databases[].url"),
    ("stamp", "databases[].url"),
    ("adopt", "all"),
    ("adopt", "models"),
    ("upgrade", "databases[].schema"),
    ("rebase", "differences"),
    // Only a server has to be asked.
    ("check", "not_compared"),
    ("check", "not_in_list"),
    ("check", "not_in_files"),
    ("check", "not_what_they_replace"),
    ("squash", "operations"),
    ("squash", "left_out"),
];

/// The description: by command, the members by path.
#[derive(Default)]
struct Description {
    members: BTreeMap<String, BTreeMap<String, Member>>,
    /// What has occurred of it: command, path and type.
    seen: BTreeSet<(String, String, String)>,
}

struct Member {
    /// The commands that have it in common.
    commands: Vec<String>,
    /// Types such as `text` and `null`.
    types: Vec<String>,
    /// Whether it is in every document, or in every object of its list.
    is_always: bool,
}

impl Description {
    /// The headings of sections are commands in backticks; the rows of a table have member, type,
    /// when and meaning.
    fn parse(text: &str) -> Description {
        let mut members: BTreeMap<String, BTreeMap<String, Member>> = BTreeMap::new();
        let mut commands: Vec<String> = Vec::new();
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                commands = heading.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                if heading == "Every document" {
                    commands = vec![EVERY.to_owned()];
                }
                for command in &commands {
                    members.entry(command.clone()).or_default();
                }
            }
            let Some((path, rest)) =
                line.strip_prefix("| `").and_then(|rest| rest.split_once("` | "))
            else {
                continue;
            };
            let cells: Vec<&str> = rest.trim_end_matches(" |").split(" | ").collect();
            let [types, when, _meaning] = cells.as_slice() else { panic!("{line}") };
            let types: Vec<String> = types.split(" or ").map(str::to_owned).collect();
            for command in &commands {
                let (types, is_always) = (types.clone(), *when == "always");
                let member = Member { commands: commands.clone(), types, is_always };
                members.entry(command.clone()).or_default().insert(path.to_owned(), member);
            }
        }
        Description { members, ..Description::default() }
    }

    fn compare(&mut self, name: &str, document: &Value, from: &str, problems: &mut Vec<String>) {
        if document["command"] != *name {
            problems.push(format!("`{from}` calls itself {}", document["command"]));
        }
        let mut sections = vec![EVERY];
        if document.get("error").is_none() {
            sections.push(name);
        }
        let mut found = Vec::new();
        self.object(&sections, "", document, &mut found);
        problems.extend(found.into_iter().map(|problem| format!("`{from}`: {problem}")));
    }

    /// Compares an object's members with the description in the sections at this path.
    fn object(
        &mut self,
        sections: &[&str],
        path: &str,
        object: &Value,
        problems: &mut Vec<String>,
    ) {
        let empty = serde_json::Map::new();
        let object = object.as_object().unwrap_or(&empty);
        for section in sections {
            for (text, member) in self.members.get(*section).into_iter().flatten() {
                let name = text.strip_prefix(path).filter(|rest| !rest.contains(['.', '[']));
                if member.is_always && name.is_some_and(|name| !object.contains_key(name)) {
                    problems.push(format!("there is no `{text}`"));
                }
            }
        }
        for (name, value) in object {
            // `a.*` describes any member of `a`.
            let places = [format!("{path}{name}"), format!("{path}*")];
            let described = places.iter().find_map(|place| {
                let has = |text: &&&str| {
                    self.members.get(**text).is_some_and(|member| member.contains_key(place))
                };
                Some((place.clone(), *sections.iter().find(has)?))
            });
            let Some((place, section)) = described else {
                let place = &places[0];
                problems.push(format!("`{place}`, a {}, is not described", word(value)));
                continue;
            };
            let types = &self.members[section][&place].types;
            let found = word(value);
            let fits = match found {
                "empty list" => types.iter().any(|ty| ty.starts_with("list of ")),
                found => types.iter().any(|ty| ty == found),
            };
            if !fits {
                let types = types.join(" or ");
                problems.push(format!("`{place}` is {found}, and not {types}"));
            }
            self.seen.insert((section.to_owned(), place.clone(), found.to_owned()));
            match value {
                Value::Array(items) if found == "list of objects" => {
                    for value in items {
                        self.object(sections, &format!("{place}[]."), value, problems);
                    }
                }
                // An error has the same form everywhere.
                Value::Object(_) if name == "error" => {
                    self.object(&[EVERY], "error.", value, problems);
                }
                Value::Object(_) => {
                    self.object(sections, &format!("{place}."), value, problems);
                }
                _ => {}
            }
        }
    }

    /// The examples are documents as well; each command has one.
    fn examples(&mut self, text: &str, problems: &mut Vec<String>) {
        let mut without: BTreeSet<String> = self.members.keys().cloned().collect();
        for example in text.split("```json\n").skip(1) {
            let example = example.split("```").next().unwrap_or_default();
            match serde_json::from_str::<Value>(example) {
                Ok(document) => {
                    let name = document["command"].as_str().unwrap_or_default().to_owned();
                    // An example contains nothing that isn't printed.
                    let seen = self.seen.clone();
                    self.compare(&name, &document, &format!("the example of {name}"), problems);
                    self.seen = seen;
                    without.remove(&name);
                    if document.get("error").is_some() {
                        without.remove(EVERY);
                    }
                }
                Err(err) => problems.push(format!("{err} in the example\n{example}")),
            }
        }
        // A section about several commands has an example for one of them.
        let shared = |name: &String| text.contains(&format!("` and `{name}`"));
        let missing = without.into_iter().filter(|text| !shared(text));
        problems.extend(missing.map(|missing| format!("`{missing}` has no example")));
    }

    /// What is described but was never printed.
    fn unseen(&self) -> Vec<String> {
        let mut unseen = Vec::new();
        for (section, members) in &self.members {
            for (path, member) in members {
                // If commands have a section in common, one of them has to print it.
                let is_seen = |ty: &String| {
                    let key = |command: &String| (command.clone(), path.clone(), ty.clone());
                    member.commands.iter().any(|command| self.seen.contains(&key(command)))
                };
                let is_elsewhere = |command: &String| SEEN_ELSEWHERE.contains(&(command, path));
                for ty in member.types.iter().filter(|ty| !is_seen(ty)) {
                    if !member.commands.iter().any(is_elsewhere) {
                        unseen.push(format!("no step of `{section}` has `{path}` as {ty}"));
                    }
                }
            }
        }
        unseen
    }
}

/// A value's type, as the description names it.
fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Object(_) => "object",
        Value::Array(items) => match items.first() {
            None => "empty list",
            Some(Value::Object(_)) => "list of objects",
            Some(Value::String(_)) => "list of text",
            Some(_) => "list of something else",
        },
    }
}
