//! Two people write a revision each: what is done with the two heads that come of it.

use std::fs;
use std::path::Path;

use expect_test::expect;

use crate::branches::play;
use crate::rebase;

#[test]
fn several_heads_and_commands_that_need_one() {
    let host = rebase::host("heads");
    let files_of = |path: &Path| fs::read_dir(path).unwrap().count();
    play(
        &host,
        &[
            "migrate -m nothing",
            "merge --dry-run --rev-id d00d",
            "undo",
            "undo a1",
            "undo base",
            "undo a2",
        ],
        expect![[r#"
            $ cargo dbmigrate migrate -m nothing
            error: a new revision follows one revision, and the history has 2 heads:
              a2  adds a2, in migrations/versions/m_a2.rs
              b1  adds b1, in migrations/versions/m_b1.rs
              hint: say with --head which one, `base` for none of them, or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one behind the other
            [3]
            $ cargo dbmigrate merge --dry-run --rev-id d00d
            //! merge a2, b1
            //!
            //! Revision ID: d00d
            //! Revises: a2, b1
            //! Create Date: $CREATED

            use dbmigrate_runtime::prelude::*;

            // revision identifiers, used by dbmigrate.
            pub const REVISION: &str = "d00d";
            pub const DOWN_REVISION: &[&str] = &["a2", "b1"];
            pub const BRANCH_LABELS: &[&str] = &[];
            pub const DEPENDS_ON: &[&str] = &[];

            pub fn upgrade(op: &mut Operations) {}

            pub fn downgrade(op: &mut Operations) {}
            $ cargo dbmigrate undo
            error: several revisions could be undone:
              a2, in migrations/versions/m_a2.rs
              b1, in migrations/versions/m_b1.rs
              hint: say which one:
                cargo dbmigrate undo a2
                cargo dbmigrate undo b1
            [3]
            $ cargo dbmigrate undo a1
            error: revision `a1` is not a head, since others follow it:
              a2, in migrations/versions/m_a2.rs
              hint: undo these first, the newest one at the beginning
            [3]
            $ cargo dbmigrate undo base
            error: `base` is before the first revision
              hint: `cargo dbmigrate history` lists the revisions
            [3]
            $ cargo dbmigrate undo a2
            Deleting migrations/versions/m_a2.rs ... done
        "#]],
    );
    assert_eq!(files_of(&host.dir.join("migrations/versions")), 3);
    host.ok("upgrade a1");
    play(
        &host,
        &["undo a1", "undo", "undo"],
        expect![[r#"
        $ cargo dbmigrate undo a1
        error: revision `a1` is applied, so it stays
          hint: `cargo dbmigrate downgrade` undoes it first
        [3]
        $ cargo dbmigrate undo
        Deleting migrations/versions/m_b1.rs ... done
        $ cargo dbmigrate undo
        error: revision `a1` is applied, so it stays
          hint: `cargo dbmigrate downgrade` undoes it first
        [3]
    "#]],
    );
    assert_eq!(files_of(&host.dir.join("migrations/versions")), 2);
}
