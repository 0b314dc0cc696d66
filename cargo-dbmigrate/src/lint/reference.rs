//! The book's page about rules, generated from the rules.

use std::path::Path;

use dbmigrate_runtime::engine::Backend;
use expect_test::expect_file;

use super::rule::{Fix, Rule};
use super::rules::RULES;

#[test]
fn the_reference_lists_every_rule() {
    let mut page = PREFACE.to_owned();
    page += "| rule | level | databases | what it finds |\n|---|---|---|---|\n";
    for rule in RULES {
        let Rule { id, level, finds, .. } = rule;
        let level = level.key();
        page += &format!("| [`{id}`](#{id}) | {level} | {} | {finds} |\n", databases(rule));
    }
    for Rule { id, finds, why, instead, fix, .. } in RULES {
        let (first, rest) = instead.split_at(1);
        let instead = format!("{}{rest}", first.to_uppercase());
        page += &format!("\n## `{id}`\n\n{finds} {why}\n\n*Instead:* {instead}.\n");
        page += match fix {
            None => "",
            Some(Fix::Concurrently) => {
                "\n*With `--fix`:* `.concurrently()` is written into the revision.\n"
            }
            Some(Fix::Barrier { rows: None }) => {
                "\n*With `--fix`:* `op.barrier(...)` is written into the revision, if all of it can \
                 wait; otherwise the revision is divided. Behind a barrier, this is not reported.\n"
            }
            Some(Fix::Barrier { rows: Some(_) }) => {
                "\n*With `--fix`:* `op.barrier(...)` is written into the revision, if all of it \
                 can wait; otherwise the revision is divided. Behind a barrier, only rows that stop \
                 the upgrade are reported.\n"
            }
            Some(Fix::Divide) => {
                "\n*With `--fix`:* the revision is divided, as by `migrate --safe`.\n"
            }
        };
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/lint.md");
    expect_file![file].assert_eq(&page);
}

fn databases(rule: &Rule) -> String {
    let titles: Vec<&str> =
        Backend::ALL.iter().filter(|one| (rule.is_for)(**one)).map(|one| one.title()).collect();
    if titles.len() == Backend::ALL.len() { "all".to_owned() } else { titles.join(", ") }
}

const PREFACE: &str = "# Lint rules

`cargo dbmigrate lint` looks for what is dangerous, slow or a likely mistake in revisions, before
anything runs. It looks at the operations of each revision, and at the statements that an upgrade
would run for them, with their locks, on each database of `dialects`. A table that a revision itself
creates has no rows and no users, so its changes are not reported. All other tables count as large.

The level of a rule is `deny`, `warn` or `allow`. A denied finding makes `lint` exit with 1, a
warning does so with `--deny-warnings`, and what is allowed is not reported. `dbmigrate.toml` changes
levels:

```toml
lint.deny = [\"drop-table\", \"index-locks\"]
lint.allow = [\"no-way-back\"]
```

A revision allows what a rule finds in the next operation, and says why. That is not part of its
checksum, so it can be added after the revision was applied:

```rust,ignore
op.allow(\"drop-table\", \"no program has used it since May\");
op.drop_table(\"visit\");
```

What a rule finds in the whole revision is allowed by a call anywhere in its `upgrade`.

`migrate` looks at the revision that it writes, and prints what is found after the lines about what
was written. It exits with 1 if `lint.deny` names a rule that found something; the file is written all
the same, so that it can be corrected. `check` looks at the revisions that `lint` looks at, and a
denied finding is a difference to it. Both show the first ten warnings; `-v` and `lint` show all.

`lint --fix` edits pending revisions to settle their findings: it writes `.concurrently()` for an
index on PostgreSQL, and `op.barrier(...)` into a revision that can wait as a whole until the
previous release is gone. A revision that also adds what the next release needs is divided into
several, as `migrate --safe` writes them, if no other follows it and its file is as `migrate` wrote
it. A revision of which the database has applied anything is never changed.

`--output sarif` prints the findings for code scanning, `--output github` as annotations of a pull
request, and `--format json` as a [document](../json.md#lint).

";
