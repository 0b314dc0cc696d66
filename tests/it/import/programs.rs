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
fn every_fault_of_a_directory_of_django_names_the_migration() {
    if !is_installed("django-admin") {
        left_out("every_fault_of_a_directory_of_django_names_the_migration", "django-admin");
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
    let run = host.fails("import django shop");
    let gap = "Migration stock.0002_b dependencies reference nonexistent parent node";
    assert!(run.stderr.contains(gap), "{run}");
    expect![[r#"
        nothing
        error: Django has no migrations in `shop`
        a failing migration
        error: `stock.0002_b` fails
          caused by: no such table: none
          hint: the files ran one after the other, beginning with an empty database: correct this one, and import again
        a failing way back
        error: `stock.0002_b` fails
          caused by: no such table: none
          hint: it ran right after its migration: correct it, or remove it if there is no way back
        two last ones
        error: the history of Django has 2 last migrations of one application: `stock.0002_b`, `stock.0002_c`
          hint: merge them with `python3 manage.py makemigrations --merge`, and import again
        no directory
        error: failed to read the directory `nowhere`: No such file or directory (os error 2)
    "#]].assert_eq(&shown);
}
