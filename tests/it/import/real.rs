//! The tools themselves, where they are installed.

use dbmigrate_tests::Host;

use super::{remove_revisions, write_history};

/// Runs another program, which has to succeed.
#[track_caller]
fn works(host: &Host, dir: &str, line: &str) {
    let mut words = line.split(' ');
    let mut command = host.command(words.next().unwrap());
    command.current_dir(host.dir.join(dir)).args(words);
    // A path is what diesel takes for SQLite.
    let scheme = if line.starts_with("diesel") { "" } else { "sqlite:" };
    command.env("DATABASE_URL", format!("{scheme}{}", host.dir.join("app.db").display()));
    let run = dbmigrate_tests::Run::of(&mut command);
    assert_eq!(run.code, 0, "{line}\n{run}");
}

/// The tools themselves migrate a database, and their history is taken over with it.
#[test]
fn what_the_real_tools_did_is_taken_over() {
    let host = Host::library("import-real", "");
    host.ok("init --dialect sqlite");
    let app = host.dir.join("app.db");
    let tools = [
        "diesel",
        "sqlx",
        "refinery",
        "dbmate",
        "migrate",
        "goose",
        "flyway",
        "alembic",
        "django-admin",
    ];
    for program in tools {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).exists()));
        if !found {
            dbmigrate_tests::left_out("what_the_real_tools_did_is_taken_over", program);
            continue;
        }
        remove_revisions(&host);
        let _ = std::fs::remove_file(&app);
        let _ = std::fs::remove_dir_all(host.dir.join("sql"));
        let (tool, dir) = match program {
            "alembic" => ("alembic", "sql"),
            "django-admin" => ("django", "sql/shop"),
            "migrate" => ("golang-migrate", "sql"),
            program => (program, "sql"),
        };
        match program {
            "alembic" => {
                std::fs::create_dir(host.dir.join("sql")).unwrap();
                works(&host, "sql", "alembic init .");
                let ini = host.read("sql/alembic.ini");
                let url = format!("sqlalchemy.url = sqlite:///{}", app.display());
                let lines = ini.lines().map(|line| {
                    if line.starts_with("sqlalchemy.url") { url.as_str() } else { line }
                });
                host.write(
                    "sql/alembic.ini",
                    &lines.map(|line| format!("{line}\n")).collect::<String>(),
                );
                host.write(
                    "sql/versions/a1_users.py",
                    "\"\"\"create users\n\nCreate Date: 2024-01-01 12:00:00\n\"\"\"\n\
                     from alembic import op\nimport sqlalchemy as sa\nrevision = 'a1'\n\
                     down_revision = None\n\ndef upgrade():\n    op.create_table('users', \
                     sa.Column('id', sa.Integer, primary_key=True), sa.Column('email', \
                     sa.String(50), nullable=False, unique=True))\n\ndef downgrade():\n    \
                     op.drop_table('users')\n",
                );
                host.write(
                    "sql/versions/b2_bio.py",
                    "\"\"\"add bio\n\nCreate Date: 2024-01-02 12:00:00\n\"\"\"\n\
                     from alembic import op\nimport sqlalchemy as sa\nrevision = 'b2'\n\
                     down_revision = 'a1'\n\ndef upgrade():\n    op.add_column('users', \
                     sa.Column('bio', sa.Text))\n\ndef downgrade():\n    op.drop_column('users', \
                     'bio')\n",
                );
                works(&host, "sql", "alembic upgrade head");
            }
            "django-admin" => {
                std::fs::create_dir(host.dir.join("sql")).unwrap();
                works(&host, "sql", "django-admin startproject shop");
                works(&host, "sql/shop", "python3 manage.py migrate");
                std::fs::rename(host.dir.join("sql/shop/db.sqlite3"), &app).unwrap();
            }
            program => {
                write_history(&host, tool);
                if tool == "flyway" {
                    // It runs the file without its byte order mark.
                    let path = "sql/V3__add_somebody.sql";
                    host.write(path, &format!("\u{feff}{}", host.read(path)).replace('\n', "\r\n"));
                }
                let text = format!("[main]\ndb_type = \"Sqlite\"\ndb_path = {:?}\n", app);
                host.write("refinery.toml", &text);
                std::fs::write(&app, "").unwrap();
                let config = host.dir.join("refinery.toml");
                works(
                    &host,
                    "",
                    &match program {
                        "diesel" => "diesel migration run --migration-dir sql".to_owned(),
                        "sqlx" => "sqlx migrate run --source sql".to_owned(),
                        "refinery" => format!("refinery migrate -c {} -p sql", config.display()),
                        // The files have transactions of their own.
                        "migrate" => format!(
                            "migrate -path sql -database sqlite3://{}?x-no-tx-wrap=true up",
                            app.display()
                        ),
                        "flyway" => format!(
                            "flyway -url=jdbc:sqlite:{} -locations=filesystem:{} migrate",
                            app.display(),
                            host.dir.join("sql").display()
                        ),
                        "goose" => format!("goose -dir sql sqlite3 {} up", app.display()),
                        _ => "dbmate -d sql --no-dump-schema up".to_owned(),
                    },
                );
            }
        }
        host.ok(&format!("import {tool} {dir}"));
        let n = host.revisions().len();
        let run = host.ok(&format!("stamp --from {tool} --drop"));
        assert!(run.stdout.contains(&format!("marking {n} revision(s)")), "{program}: {run}");
        let run = host.dbmigrate("check");
        assert!(
            run.stdout.ends_with(
                "The database is at the head.\nThe database agrees with the migrations.\n"
            ),
            "{program}: {run}"
        );
        let run = host.ok("upgrade --url sqlite:new.db");
        assert!(run.stdout.lines().count() >= n, "{program}: {run}");
        std::fs::remove_file(host.dir.join("new.db")).unwrap();
    }
}

/// Alembic with its files in several directories, a table of another name, and a way back that it
/// can't print.
#[test]
fn a_history_of_alembic_in_several_directories_is_taken_over() {
    let name = "a_history_of_alembic_in_several_directories_is_taken_over";
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join("alembic").exists()));
    if !found {
        dbmigrate_tests::left_out(name, "alembic");
        return;
    }
    let host = Host::library("import-alembic-places", "");
    host.ok("init --dialect sqlite");
    std::fs::create_dir(host.dir.join("py")).unwrap();
    works(&host, "py", "alembic init db/scripts");
    let url = format!("sqlalchemy.url = sqlite:///{}", host.dir.join("app.db").display());
    let places = "%(here)s/db/scripts/versions:%(here)s/more";
    host.write(
        "py/alembic.ini",
        &format!(
            "[alembic]\nscript_location = %(here)s/db/scripts\nversion_locations = \
             {places}\npath_separator = :\n{url}\n"
        ),
    );
    let env = host.read("py/db/scripts/env.py");
    let configured = "target_metadata=target_metadata";
    let env = env.replace(configured, &format!("{configured}, version_table=\"our_versions\""));
    // Its settings of logging are not there.
    host.write("py/db/scripts/env.py", &env.replace("fileConfig(config.config_file_name)", "pass"));
    let table = "op.create_table('users', sa.Column('id', sa.Integer, primary_key=True))";
    let column = "op.add_column('users', sa.Column('bio', sa.Text))";
    let batch = "with op.batch_alter_table('users') as batch: batch.drop_column('more')";
    for (path, id, down_revision, up, down) in [
        ("db/scripts/versions", "a1", "None", table, "op.drop_table('users')"),
        ("more", "b2", "'a1'", column, "op.drop_column('users', 'bio')"),
        ("more", "c3", "'b2'", &column.replace("bio", "more"), batch),
    ] {
        host.write(
            &format!("py/{path}/{id}_x.py"),
            &format!(
                "\"\"\"change {id}\n\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n\
                 revision = '{id}'\ndown_revision = {down_revision}\n\ndef upgrade():\n    \
                 {up}\n\ndef downgrade():\n    {down}\n"
            ),
        );
    }
    works(&host, "py", "alembic upgrade head");
    let run = host.ok("import alembic py");
    assert!(run.stderr.contains("warning: revision `vc3` can't be undone, since Alembic"), "{run}");
    let revisions = host.revisions();
    assert_eq!(revisions.len(), 3);
    let text = |id: &str| {
        let named = format!("REVISION: &str = \"{id}\"");
        let texts = revisions.iter().map(|path| host.read(path));
        texts.into_iter().find(|text| text.contains(&named)).unwrap()
    };
    // The ways back of the others are there all the same.
    assert!(text("vb2").contains("DROP COLUMN bio"), "{}", text("vb2"));
    let why = "op.irreversible(\"Alembic could not print its way back as SQL\")";
    assert!(text("vc3").contains(why), "{}", text("vc3"));
    assert!(!text("vc3").contains("our_versions"), "{}", text("vc3"));
    let run = host.ok("stamp --from alembic --table our_versions --drop");
    assert!(run.stdout.contains("marking 3 revision(s) as applied, up to vc3"), "{run}");
    let run = host.dbmigrate("check");
    assert!(run.stdout.ends_with("The database agrees with the migrations.\n"), "{run}");
}
