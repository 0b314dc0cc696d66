//! Faults of migrations that are programs: Alembic and Django themselves, where they are installed.

use std::path::Path;

use dbmigrate_tests::{Host, Run, left_out};
use expect_test::expect;

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).exists())
}

#[track_caller]
fn works(host: &Host, dir: &str, line: &str) {
    let mut words = line.split(' ');
    let mut command = host.command(words.next().unwrap());
    command.current_dir(host.dir.join(dir)).args(words);
    let run = Run::of(&mut command);
    assert_eq!(run.code, 0, "{line}\n{run}");
}

/// Imports a directory, which has to fail, and adds the error to what is shown.
fn tried(host: &Host, shown: &mut String, what: &str, import: &str) {
    let run = host.fails(&format!("import {import}"));
    assert_eq!(host.revisions(), Vec::<String>::new(), "{what}");
    let place = format!("{}/", host.dir.display());
    *shown += &format!("{what}\n{}", run.errors().replace(&place, ""));
}

/// The same without what Python says, which differs between its versions.
fn raised(host: &Host, shown: &mut String, what: &str, import: &str) {
    let mut all = String::new();
    tried(host, &mut all, what, import);
    assert!(all.contains("\n  caused by: ") && all.contains("\n  hint: DIR is the"), "{all}");
    all.lines().take(2).for_each(|line| *shown += &format!("{line}\n"));
}

/// The statements of a migration, both ways, and what it follows.
type Migration<'a> = (&'a str, &'a str, &'a str);

fn write_alembic(host: &Host, file: &str, (follows, up, down): Migration<'_>) {
    let (id, _) = file.split_once('_').unwrap();
    host.write(
        &format!("py/versions/{file}.py"),
        &format!(
            "from alembic import op\nrevision = '{id}'\ndown_revision = {follows}\n\ndef \
             upgrade():\n    op.execute('{up}')\n\ndef downgrade():\n    op.execute('{down}')\n"
        ),
    );
}

#[test]
fn every_fault_of_a_directory_of_alembic_names_the_file() {
    if !is_installed("alembic") {
        left_out("every_fault_of_a_directory_of_alembic_names_the_file", "alembic");
        return;
    }
    let host = Host::library("import-alembic-faults", "");
    host.ok("init --dialect sqlite");
    std::fs::create_dir(host.dir.join("py")).unwrap();
    works(&host, "py", "alembic init .");
    let ini = host.read("py/alembic.ini");
    let url = |line: &str| {
        let is_url = line.starts_with("sqlalchemy.url");
        format!("{}\n", if is_url { "sqlalchemy.url = sqlite://" } else { line })
    };
    host.write("py/alembic.ini", &ini.lines().map(url).collect::<String>());
    let mut shown = String::new();
    tried(&host, &mut shown, "nothing", "alembic py");
    let (a, b) = ("CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER)");
    write_alembic(&host, "a1_a", ("None", a, "DROP TABLE a"));
    write_alembic(&host, "b2_b", ("\"a1\"", "ALTER TABLE none ADD x", "SELECT 1"));
    tried(&host, &mut shown, "a failing migration", "alembic py");
    write_alembic(&host, "b2_b", ("\"a1\"", b, "DROP TABLE none"));
    tried(&host, &mut shown, "a failing way back", "alembic py");
    write_alembic(&host, "b2_b", ("\"a1\"", b, "DROP TABLE b"));
    host.replace(
        "py/versions/b2_b.py",
        "    op.execute('CREATE",
        "    1 / 0\n    op.execute('CREATE",
    );
    raised(&host, &mut shown, "an upgrade that raises", "alembic py");
    host.write(
        "py/versions/b2_b.py",
        "revision = 'b2'\ndown_revision = 'a1'\nimport nothing_of_it\n",
    );
    raised(&host, &mut shown, "a file that raises", "alembic py");
    write_alembic(&host, "b2_b", ("\"z9\"", b, "DROP TABLE b"));
    tried(&host, &mut shown, "a gap", "alembic py");
    write_alembic(&host, "b2_b", ("\"a1\"", b, "DROP TABLE b"));
    write_alembic(&host, "b2_again", ("\"a1\"", b, "DROP TABLE b"));
    tried(&host, &mut shown, "two of one id", "alembic py");
    std::fs::remove_file(host.dir.join("py/versions/b2_again.py")).unwrap();
    write_alembic(&host, "c3_c", ("\"a1\"", "SELECT 1", "SELECT 1"));
    tried(&host, &mut shown, "two heads", "alembic py");
    tried(&host, &mut shown, "no directory", "alembic nowhere");
    expect![[r#"
        nothing
        error: Alembic has no migrations in `py`
        a failing migration
        error: `py/versions/b2_b.py` fails
          caused by: no such table: none
          hint: the files ran one after the other, beginning with an empty database: correct this one, and import again
        a failing way back
        error: `py/versions/b2_b.py` fails
          caused by: no such table: none
          hint: it ran right after its migration: correct it, or remove it if there is no way back
        an upgrade that raises
        error: `alembic upgrade base:heads` failed in `py/versions/b2_b.py` on line 6
        a file that raises
        error: `alembic history -v` failed in `py/versions/b2_b.py` on line 3
        a gap
        error: there is no revision `z9`, which `py/versions/b2_b.py` follows
          hint: restore its file, or correct `down_revision`, and import again
        two of one id
        error: two migrations of Alembic have the id `b2`: `py/versions/b2_again.py` and `py/versions/b2_b.py`
          hint: give one of them another `revision`, and import again
        two heads
        error: the history of Alembic has 2 heads: `b2` (py/versions/b2_b.py), `c3` (py/versions/c3_c.py)
          hint: merge them with `alembic merge heads`, and import again
        no directory
        error: failed to read the directory `nowhere`: No such file or directory (os error 2)
    "#]].assert_eq(&shown);
}

fn write_django(host: &Host, name: &str, (follows, up, down): Migration<'_>) {
    host.write(
        &format!("shop/stock/migrations/{name}.py"),
        &format!(
            "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    \
             dependencies = [{follows}]\n    operations = [migrations.RunSQL('{up}', '{down}')]\n"
        ),
    );
}

#[test]
fn every_fault_of_a_directory_of_django_names_the_file() {
    if !is_installed("django-admin") {
        left_out("every_fault_of_a_directory_of_django_names_the_file", "django-admin");
        return;
    }
    let host = Host::library("import-django-faults", "");
    host.ok("init --dialect sqlite");
    works(&host, "", "django-admin startproject shop");
    works(&host, "shop", "python3 manage.py startapp stock");
    // Only the application's own migrations.
    let settings = host.read("shop/shop/settings.py");
    let lines = settings.lines().filter(|line| !line.contains("'django.contrib"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let text = text.replace("INSTALLED_APPS = [", "INSTALLED_APPS = [\n    'stock',");
    host.write("shop/shop/settings.py", &text);
    host.write("shop/shop/urls.py", "urlpatterns = []\n");
    assert!(Path::new(&host.dir.join("shop/stock/migrations")).exists());
    let mut shown = String::new();
    tried(&host, &mut shown, "nothing", "django shop");
    let (a, b) = ("CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER)");
    let first = "(\"stock\", \"0001_a\")";
    write_django(&host, "0001_a", ("", a, "DROP TABLE a"));
    write_django(&host, "0002_b", (first, "ALTER TABLE none ADD x", "SELECT 1"));
    tried(&host, &mut shown, "a failing migration", "django shop");
    write_django(&host, "0002_b", (first, b, "DROP TABLE none"));
    tried(&host, &mut shown, "a failing way back", "django shop");
    write_django(&host, "0002_b", (first, b, "DROP TABLE b"));
    write_django(&host, "0002_c", (first, "SELECT 1", "SELECT 1"));
    tried(&host, &mut shown, "two last ones", "django shop");
    tried(&host, &mut shown, "no directory", "django nowhere");
    std::fs::remove_file(host.dir.join("shop/stock/migrations/0002_c.py")).unwrap();
    write_django(&host, "0002_b", ("(\"stock\", \"0009_z\")", b, "DROP TABLE b"));
    raised(&host, &mut shown, "a gap", "django shop");
    write_django(&host, "0002_b", (first, b, "DROP TABLE b"));
    let file = "shop/stock/migrations/0002_b.py";
    let text = host.read(file);
    let field = "[migrations.AddField('nothing', 'x', None)]";
    host.write(file, &text.replace("[migrations.RunSQL(", &format!("{field}\nx = [(")));
    raised(&host, &mut shown, "an operation that raises", "django shop");
    host.write(file, &format!("import nothing_of_it\n{text}"));
    raised(&host, &mut shown, "a file that raises", "django shop");
    // Their times are those of Django, in the order of the history.
    host.write(file, &format!("# Generated by Django 5.2 on 2024-01-31 12:30\n{text}"));
    write_django(&host, "0003_c", ("(\"stock\", \"0002_b\")", "SELECT 1", "SELECT 1"));
    host.ok("import django shop");
    let revisions = host.revisions();
    let found: Vec<&str> = revisions.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(
        found,
        [
            "m20240131_122959_vstock_0001_a_a.rs",
            "m20240131_123000_vstock_0002_b_b.rs",
            "m20240131_123001_vstock_0003_c_c.rs"
        ]
    );
    let created = host.read(&revisions[1]);
    assert!(created.contains("//! Create Date: 2024-01-31 12:30:00 UTC\n"), "{created}");
    expect![[r#"
        nothing
        error: Django has no migrations in `shop`
        a failing migration
        error: `shop/stock/migrations/0002_b.py` fails
          caused by: no such table: none
          hint: the files ran one after the other, beginning with an empty database: correct this one, and import again
        a failing way back
        error: `shop/stock/migrations/0002_b.py` fails
          caused by: no such table: none
          hint: it ran right after its migration: correct it, or remove it if there is no way back
        two last ones
        error: the history of Django has 2 last migrations of one application: `stock.0002_b`, `stock.0002_c`
          hint: merge them with `python3 manage.py makemigrations --merge`, and import again
        no directory
        error: failed to read the directory `nowhere`: No such file or directory (os error 2)
        a gap
        error: `python3 manage.py shell -v` failed in `shop/stock/migrations/0002_b.py`
        an operation that raises
        error: `python3 manage.py shell -v` failed in `shop/stock/migrations/0002_b.py`
        a file that raises
        error: `python3 manage.py shell -v` failed in `shop/stock/migrations/0002_b.py` on line 1
    "#]].assert_eq(&shown);
}
