//! The corpus of `tests/lint`: what the rules find in revisions, and where they stay silent.

mod case;
mod copies;
mod fixes;
mod locks;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cargo_dbmigrate::internals::Config;
use cargo_dbmigrate::internals::lint::{self, Finding, Levels, Target};
use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::dialect;
use dbmigrate_runtime::engine::plan::Route;
use dbmigrate_runtime::engine::{Backend, Migration, Migrations};
use expect_test::expect_file;

use crate::cases::project::Package;
use case::Case;
use fixes::Fixed;

#[test]
fn every_rule_finds_what_it_should_and_nothing_else() {
    let cases = Case::all();
    let modules = cases.iter().flat_map(Case::modules).collect::<Vec<_>>();
    let recorded = Package::new("lint-cases", &[]).recorded(&modules);
    let looked_at = cases.iter().zip(recorded.chunks(2)).map(|(case, migrations)| {
        let findings = findings(case, migrations);
        let fixed = Fixed::of(case, migrations, &findings);
        (case, migrations, findings, fixed)
    });
    let looked_at: Vec<_> = looked_at.collect();
    let modules =
        looked_at.iter().flat_map(|(.., fixed)| fixed.modules.clone()).collect::<Vec<_>>();
    let mut rewritten = Package::new("lint-fixed", &[]).recorded(&modules).into_iter();
    let mut broken = Vec::new();
    let (mut n_locks, mut n_copies) = (0, 0);
    // What was found where a server was asked about it.
    let (mut locked, mut copied) = (BTreeSet::new(), BTreeSet::new());
    let (mut fired, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for (case, migrations, findings, fixed) in &looked_at {
        let found: BTreeSet<&str> = findings.iter().map(Finding::id).collect();
        let lines: String = findings.iter().map(line).collect();
        let parts = rewritten.by_ref().take(fixed.modules.len());
        let parts: Vec<Migration> = migrations[..1].iter().cloned().chain(parts).collect();
        let after = self::findings(case, &parts);
        for finding in after.iter().filter(|finding| finding.fix().is_some()) {
            if fixed.findings.contains(&(finding.id(), finding.operation.clone())) {
                let id = finding.id();
                broken.push(format!("{}: `{id}` asks for its fix again", case.name));
            }
        }
        let after: String = after.iter().map(line).collect();
        let text = case.text(&lines, &fixed.text(), &after);
        let compare = || expect_file![&case.path].assert_eq(&text);
        if catch_unwind(AssertUnwindSafe(compare)).is_err() {
            broken.push(format!("{}: something else is expected", case.name));
        }
        let say = &mut |text| broken.push(format!("{}: {text}", case.name));
        let n = if case.is_for(Backend::Postgres) { locks::check(migrations, say) } else { 0 };
        let found_on = |is_meant: fn(&Backend) -> bool| {
            findings.iter().filter(move |finding| finding.databases.iter().any(is_meant))
        };
        if n > 0 {
            locked.extend(found_on(|one| *one == Backend::Postgres).map(Finding::id));
        }
        n_locks += n;
        let n = copies::check(case, migrations, say);
        if n > 0 {
            copied.extend(found_on(|one| one.is_mysql_like()).map(Finding::id));
        }
        n_copies += n;
        for id in &case.silent {
            if found.contains(id.as_str()) {
                broken.push(format!("{}: `{id}` is not silent", case.name));
            }
        }
        fired.extend(found.into_iter().map(str::to_owned));
        silent.extend(case.silent.iter().cloned());
    }
    assert!(broken.is_empty(), "{} are broken:\n{}", broken.len(), broken.join("\n"));
    if std::env::var_os("DBMIGRATE_CASES").is_none() {
        let all: BTreeSet<String> = lint::ids().map(str::to_owned).collect();
        let is_demanded = std::env::var_os("DBMIGRATE_TEST_SERVERS").is_some();
        assert!(n_locks > 20 || !is_demanded, "only {n_locks} locks were looked at");
        assert!(n_copies > 5 || !is_demanded, "only {n_copies} copies were looked at");
        let is_asked = |asked: &BTreeSet<&str>, rules: &[&str]| {
            rules.iter().all(|rule| asked.contains(rule)) || !is_demanded
        };
        let about_locks = ["index-locks", "exclusion-locks", "scan-locks", "rewrite-locks"];
        assert!(is_asked(&locked, &about_locks), "PostgreSQL was asked only about {locked:?}");
        assert!(
            is_asked(&copied, &["index-locks", "rewrite-locks"]),
            "MySQL was asked only about {copied:?}"
        );
        assert_eq!(fired, all, "each rule finds something in a case");
        assert_eq!(silent, all, "each rule is said to be silent in a case");
    }
}

fn findings(case: &Case, migrations: &[Migration]) -> Vec<Finding> {
    let [before, upgrade @ ..] = migrations else { panic!("{}: no revision", case.name) };
    let applied = BTreeSet::from([before.revision.id.clone()]);
    let ids: Vec<String> = upgrade.iter().map(|migration| migration.revision.id.clone()).collect();
    let migrations = Migrations::new(migrations.to_vec()).unwrap();
    let route = Route {
        migrations: &migrations,
        direction: Direction::Upgrade,
        ids: &ids,
        applied: &applied,
    };
    let backends = Backend::ALL.into_iter().filter(|backend| case.is_for(*backend));
    let target = |backend| {
        let dialect = dialect::of(backend).unwrap();
        let mut facts = dialect.offline_facts();
        facts.blocks_cluster = case.facts.contains("cluster");
        Target { dialect, facts, has_applied: false }
    };
    let targets: Vec<Target> = backends.map(target).collect();
    let path = &case.path;
    let config = Config::parse(&case.config, path).unwrap_or_else(|err| panic!("{err}"));
    let levels = Levels::of_settings(&config.lint, "dbmigrate.toml");
    let levels = levels.unwrap_or_else(|err| panic!("{}: {err}", case.name));
    lint::findings(&route, &targets, (&levels, &config.naming.0)).unwrap()
}

/// A finding in a line, followed by its hint if that isn't what the rule says.
fn line(finding: &Finding) -> String {
    let databases: Vec<&str> = finding.databases.iter().map(|backend| backend.name()).collect();
    let operation = finding.operation.as_ref().map_or(String::new(), |text| format!("{text}: "));
    let level = finding.level.key();
    format!("{level} {}: {operation}{} ({})\n", finding.id(), finding.message, databases.join(", "))
}
