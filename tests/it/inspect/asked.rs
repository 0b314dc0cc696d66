//! What `--tables`, `--split`, `--keep-names` and `--out` ask for.

use dbmigrate_tests::{Host, sql};
use expect_test::expect;

use super::SQLITE;

#[test]
fn only_what_was_asked_for_is_written() {
    let mut host = Host::library("inspect-asked", "");
    sql(&host.dir.join("app.db"), SQLITE);
    host.env("DATABASE_URL", &format!("sqlite:{}", host.dir.join("app.db").display()));
    let run = host.ok("inspect --tables tags --tables \"*_tags\" --keep-names");
    expect![[r#"
        // These parts of the database are not in the models:
        //   foreign key on `post_id` of table `post_tags`: there is no model of `blog_posts`

        use dbmigrate_runtime::Model;

        #[derive(Model)]
        #[model(primary_key(post_id, tag), strict)]
        pub struct PostTags {
            pub post_id: i64,
            #[model(references = Tags)]
            pub tag: String,
        }

        #[derive(Model)]
        #[model(without_rowid)]
        pub struct Tags {
            #[model(primary_key)]
            pub name: String,
            pub weight: i64,
        }
    "#]]
    .assert_eq(&run.stdout);
    expect![[r#"
        warning: the models leave out:
          foreign key on `post_id` of table `post_tags`: there is no model of `blog_posts`
    "#]]
    .assert_eq(&run.stderr);

    let out = host.dir.join("src/models.rs");
    let run = host.ok(&format!("inspect --split --out {}", out.display()));
    expect![[r#"
        Generating src/models.rs ... done
        Generating src/models/blog_post.rs ... done
        Generating src/models/keyless.rs ... done
        Generating src/models/post_tag.rs ... done
        Generating src/models/tag.rs ... done
        Generating src/models/user.rs ... done
    "#]]
    .assert_eq(&run.stdout.replace(&host.dir.display().to_string(), "$DIR"));
    expect![[r#"
        // These parts of the database are not in the models:
        //   view `everyone`
        //   trigger `late`
        //   virtual table `search`

        mod blog_post;
        mod keyless;
        mod post_tag;
        mod tag;
        mod user;

        pub use blog_post::*;
        pub use keyless::*;
        pub use post_tag::*;
        pub use tag::*;
        pub use user::*;
    "#]]
    .assert_eq(&host.read("src/models.rs"));
    expect![[r#"
        use dbmigrate_runtime::Model;

        use super::{BlogPost, Tag};

        #[derive(Model)]
        #[model(table = "post_tags", primary_key(post_id, tag), strict)]
        pub struct PostTag {
            #[model(references = BlogPost)]
            pub post_id: i64,
            #[model(references = Tag)]
            pub tag: String,
        }
    "#]]
    .assert_eq(&host.read("src/models/post_tag.rs"));
    host.write("src/lib.rs", "pub mod models;\n");
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");

    // A file of a person stays as it is.
    let run = host.fails(&format!("inspect --out {}", out.display()));
    expect![[r#"
        error: `src/models.rs` exists already
          hint: give the name of a new file with --out
    "#]]
    .assert_eq(&host.plain(&run.stderr));
    let run = host.fails("inspect --tables \"shop_*\"");
    expect![[r#"
        error: no table of `sqlite:$HOST/app.db` becomes a model
          hint: `shop_*` matches none
    "#]]
    .assert_eq(&host.plain(&run.stderr).replace(&host.dir.display().to_string(), "$DIR"));
    let run = host.fails("inspect --tables \"[\"");
    expect![[r#"
        error: `--tables [` is not a pattern: Pattern syntax error near position 0: invalid range pattern
    "#]].assert_eq(&host.plain(&run.stderr));
    let run = host.fails("inspect --url sqlite:none.db");
    expect![[r#"
        error: the database `$HOST/none.db` does not exist
    "#]]
    .assert_eq(&host.plain(&run.stderr));
    let json = host.ok("inspect --tables tags --format json").json();
    assert_eq!(json["models"][0]["struct"], "Tag");
    assert_eq!(json["models"][0]["table"], "tags");
}
