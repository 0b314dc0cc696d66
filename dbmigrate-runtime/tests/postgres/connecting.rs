//! The parameters of a URL at work, and the message for each way in which connecting fails.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use dbmigrate_runtime::postgres::{Client, NoTls};
use expect_test::{Expect, expect};

use super::server::{Server, shared};
use super::{PASSWORD, connect};

/// A home directory for one test.
fn home(server: &Server, name: &str) -> PathBuf {
    let home = server.dir.join(name);
    std::fs::create_dir_all(&home).unwrap();
    server.own(&home);
    home
}

/// The directories of the server and of the test, and the port, are written as `DIR`, `HOME` and
/// `PORT`.
fn check(server: &Server, home: &Path, cases: &[(&str, &[(&str, &str)])], expect: &Expect) {
    let (dir, port) = (server.dir.to_str().unwrap(), server.port.to_string());
    let home = home.to_str().unwrap();
    let mut text = String::new();
    for (url, variables) in cases {
        let filled =
            |text: &str| text.replace("HOME", home).replace("DIR", dir).replace("PORT", &port);
        let variables: Vec<(&str, String)> =
            variables.iter().map(|(name, value)| (*name, filled(value))).collect();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = filled(&url.replace("PASSWORD", PASSWORD));
        let answer = connect(home.as_ref(), &url, &variables);
        text += &format!(
            "{}\n\n",
            answer.replace(home, "HOME").replace(dir, "DIR").replace(&port, "PORT")
        );
    }
    expect.assert_eq(&text);
}

#[test]
fn urls_files_and_variables_lead_to_the_database() {
    let Some(server) = shared() else { return };
    let home = home(&server, "urls");
    server.write("urls/.pgpass", "127.0.0.1:*:app:ada:s3cr@t/\n");
    server.write("urls/other", "*:*:*:*:s3cr@t/\n");
    server.write(
        "urls/.pg_service.conf",
        &format!("[app]\nhost=127.0.0.1\nport={}\nuser=ada\ndbname=app\n", server.port),
    );
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("postgres://ada:PASSWORD@127.0.0.1:PORT/app?application_name=mine", &[]),
        ("postgres://ada@127.0.0.1:PORT/app", &[]),
        ("postgres://ada@localhost:PORT/app?hostaddr=127.0.0.1&passfile=HOME/other", &[]),
        ("postgres:///app?host=DIR&port=PORT&user=ada", &[("PGPASSWORD", "s3cr@t/")]),
        ("postgres:///?service=app", &[]),
        ("postgres://", &[("PGSERVICE", "app")]),
        (
            "postgres://",
            &[
                ("PGHOST", "DIR"),
                ("PGPORT", "PORT"),
                ("PGUSER", "trusty"),
                ("PGDATABASE", "postgres"),
                ("PGAPPNAME", "yours"),
            ],
        ),
        ("postgres://trusty@127.0.0.1:1,127.0.0.1:PORT/postgres?connect_timeout=5", &[]),
        ("postgres://trusty@127.0.0.1:PORT/postgres?target_session_attrs=primary", &[]),
        ("postgres://trusty@127.0.0.1:PORT/postgres?target_session_attrs=prefer-standby", &[]),
        ("postgres://trusty@127.0.0.1:PORT/postgres?load_balance_hosts=random&keepalives=0", &[]),
    ];
    check(
        &server,
        &home,
        cases,
        &expect![[r#"
            ada in app as mine

            ada in app as dbmigrate

            ada in app as dbmigrate

            ada in app as dbmigrate on a socket

            ada in app as dbmigrate

            ada in app as dbmigrate

            trusty in postgres as yours on a socket

            trusty in postgres as dbmigrate

            trusty in postgres as dbmigrate

            trusty in postgres as dbmigrate

            trusty in postgres as dbmigrate

        "#]],
    );
}

#[test]
fn each_refusal_has_a_message_and_a_hint() {
    let Some(server) = shared() else { return };
    let home = home(&server, "refusals");
    server.write("refusals/open", "*:*:*:*:s3cr@t/\n");
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(home.join("open"), permissions).unwrap();
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("postgres://ada:wrong@127.0.0.1:PORT/app", &[]),
        ("postgres://ada@127.0.0.1:PORT/app", &[("PGPASSWORD", "wrong")]),
        ("postgres://ada@127.0.0.1:PORT/app", &[]),
        ("postgres://ada@127.0.0.1:PORT/app?passfile=HOME/open", &[]),
        ("postgres://trusty@127.0.0.1:PORT/my%20shop", &[]),
        ("postgres:///nowhere?host=DIR&port=PORT&user=trusty", &[]),
        ("postgres:///app?host=DIR&port=PORT&user=ghost", &[]),
        ("postgres:///app?host=DIR&port=PORT&user=nologin", &[]),
        ("postgres:///app?host=DIR&port=PORT&user=peer", &[]),
        ("postgres:///app?host=DIR&port=PORT&user=outside", &[]),
        ("postgres:///shut?host=DIR&port=PORT&user=trusty", &[]),
        ("postgres:///postgres?host=DIR&port=PORT&user=busy", &[]),
        ("postgres://ada:PASSWORD@127.0.0.1:1/app", &[]),
        ("postgres:///app?host=DIR&port=1&user=ada", &[]),
        ("postgres://ada:PASSWORD@no-such-host.invalid/app", &[]),
        ("postgres://ada:PASSWORD@127.0.0.1:1,127.0.0.1:2/app", &[]),
        ("postgres://trusty@127.0.0.1:PORT/postgres?target_session_attrs=standby", &[]),
        ("postgres://ada:PASSWORD@127.0.0.1:PORT/app?sslmode=nonsense", &[]),
        ("postgres://ada:PASSWORD@127.0.0.1:PORT/app?schema=x", &[]),
        ("postgres://ada:x/PASSWORD@127.0.0.1/app", &[]),
        ("postgres://ada:PASSWORD@127.0.0.1:PORT/app?options=-c%20nonsense", &[]),
    ];
    check(
        &server,
        &home,
        cases,
        &expect![[r#"
            failed to connect to `postgres://ada@127.0.0.1:PORT/app`: the password of the role `ada` is wrong, or there is no such role
              caused by: password authentication failed for user "ada"
              hint: correct the password in the database URL, where characters such as `@`, `/` and `%` are percent-encoded; in psql, `\password ada` sets another one

            failed to connect to `postgres://ada@127.0.0.1:PORT/app`: the password of the role `ada` is wrong, or there is no such role
              caused by: password authentication failed for user "ada"
              hint: correct the password in the environment variable PGPASSWORD; in psql, `\password ada` sets another one

            failed to connect to `postgres://ada@127.0.0.1:PORT/app`: the server asks for the password of the role `ada`, and none is given
              hint: give it in the environment variable PGPASSWORD, in a file `~/.pgpass` or in the URL

            failed to connect to `postgres://ada@127.0.0.1:PORT/app`: the server asks for the password of the role `ada`, and none is given
              hint: give it in the environment variable PGPASSWORD, in a file `~/.pgpass` or in the URL; the password file `HOME/open` was ignored, since other users may read it: `chmod 600 HOME/open`

            failed to connect to `postgres://trusty@127.0.0.1:PORT/my%20shop`: the database `my shop` does not exist
              caused by: database "my shop" does not exist
              hint: create it: `createdb -h 127.0.0.1 -p PORT -U trusty 'my shop'`, or in SQL: `CREATE DATABASE "my shop"`

            failed to connect to `postgres:///nowhere?host=DIR&port=PORT&user=trusty`: the database `nowhere` does not exist
              caused by: database "nowhere" does not exist
              hint: create it: `createdb -h DIR -p PORT -U trusty nowhere`, or in SQL: `CREATE DATABASE "nowhere"`

            failed to connect to `postgres:///app?host=DIR&port=PORT&user=ghost`: the role `ghost` does not exist
              caused by: role "ghost" does not exist
              hint: name another one in the URL, as in `postgres://role@host/database`, or let an administrator run `CREATE ROLE "ghost" LOGIN`

            failed to connect to `postgres:///app?host=DIR&port=PORT&user=nologin`: the role `nologin` may not log in
              caused by: role "nologin" is not permitted to log in
              hint: connect with another role, or let an administrator run `ALTER ROLE "nologin" LOGIN`

            failed to connect to `postgres:///app?host=DIR&port=PORT&user=peer`: the server does not accept you as the role `peer` on this connection
              caused by: Peer authentication failed for user "peer"
              hint: on a socket, a server often accepts only the role with the name of the operating system's user: connect as that one, or to `localhost` with a password, or change the server's pg_hba.conf

            failed to connect to `postgres:///app?host=DIR&port=PORT&user=outside`: the role `outside` may not connect to the database `app`
              caused by: permission denied for database "app" (User does not have CONNECT privilege)
              hint: let the owner of the database run `GRANT CONNECT ON DATABASE "app" TO "outside"`

            failed to connect to `postgres:///shut?host=DIR&port=PORT&user=trusty`: the database `shut` does not accept connections
              caused by: database "shut" is not currently accepting connections
              hint: use another database: this one is a template, or an administrator has closed it

            failed to connect to `postgres:///postgres?host=DIR&port=PORT&user=busy`: the server has as many connections as it may have
              caused by: too many connections for role "busy"
              hint: close other connections, such as idle ones of a pool, and run the command again; the limit is `max_connections`, or the one set for the user or the database

            failed to connect to `postgres://ada@127.0.0.1:1/app`: nothing listens on `127.0.0.1:1`
              caused by: Connection refused (os error 111)
              hint: start the server, or correct the host and the port

            failed to connect to `postgres:///app?host=DIR&port=1&user=ada`: there is no socket `DIR/.s.PGSQL.1`
              caused by: No such file or directory (os error 2)
              hint: start the server; if it listens on TCP alone, as in a container, name its host: `postgres://localhost:1/...`

            failed to connect to `postgres://ada@no-such-host.invalid/app`: the host `no-such-host.invalid` can't be found
              caused by: failed to lookup address information: Name or service not known
              hint: check its name, and that the network has a name server that knows it

            failed to connect to `postgres://ada@127.0.0.1:1,127.0.0.1:2/app`: none of the servers accepted the connection:
              127.0.0.1:1: nothing listens on `127.0.0.1:1`
              127.0.0.1:2: nothing listens on `127.0.0.1:2`
              hint: check the hosts and the ports in the URL

            failed to connect to `postgres://trusty@127.0.0.1:PORT/postgres?target_session_attrs=standby`: no server is as `target_session_attrs=standby` asks
              hint: name further hosts in the URL, or change `target_session_attrs`

            failed to connect to `postgres://ada@127.0.0.1:PORT/app?sslmode=nonsense`: `sslmode` in the database URL is not one of `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`
              hint: correct `sslmode` in the database URL

            the database URL has an unknown parameter `schema`
              hint: remove it; the parameters are those of libpq, such as `sslmode` and `options`, and a parameter of another library needs a URL of its own

            the database URL has an `@` or a `/` that is not percent-encoded
              hint: write it as `postgres://user:password@host:5432/database`; in a user name and in a password, percent-encode `@` as `%40`, `/` as `%2F`, `:` as `%3A`, `?` as `%3F`, `#` as `%23` and `%` as `%25`

            failed to connect to `postgres://ada@127.0.0.1:PORT/app`: the server refused the connection
              caused by: -c nonsense requires a value
              hint: the server's log may say more

        "#]],
    );
}

/// `sslmode` where the server doesn't encrypt, or this program can't.
#[test]
fn tls_that_the_server_does_not_offer_is_named() {
    let Some(server) = shared() else { return };
    let home = home(&server, "no-tls");
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("postgres://trusty@127.0.0.1:PORT/postgres?sslmode=prefer", &[]),
        ("postgres://trusty@127.0.0.1:PORT/postgres?sslmode=allow", &[]),
        ("postgres://trusty@127.0.0.1:PORT/postgres?sslmode=require", &[]),
        ("postgres://outside@127.0.0.1:PORT/app?sslmode=disable", &[]),
        // A socket isn't encrypted, whatever the mode.
        ("postgres:///postgres?host=DIR&port=PORT&user=trusty&sslmode=verify-full", &[]),
    ];
    if cfg!(feature = "postgres-tls") {
        check(
            &server,
            &home,
            cases,
            &expect![[r#"
                trusty in postgres as dbmigrate

                trusty in postgres as dbmigrate

                failed to connect to `postgres://trusty@127.0.0.1:PORT/postgres?sslmode=require`: `sslmode=require` asks for TLS, which the server does not offer
                  caused by: server does not support TLS
                  hint: set `ssl = on` in the server's postgresql.conf; where the network is trusted, `sslmode=prefer` connects without encryption

                failed to connect to `postgres://outside@127.0.0.1:PORT/app?sslmode=disable`: the server has no rule that lets the role `outside` connect to the database `app` from here without encryption
                  caused by: no pg_hba.conf entry for host "127.0.0.1", user "outside", database "app", no encryption
                  hint: add or change a line for it in the server's pg_hba.conf, or encrypt the connection: `sslmode=require`

                trusty in postgres as dbmigrate on a socket

            "#]],
        );
    } else {
        check(
            &server,
            &home,
            cases,
            &expect![[r#"
            trusty in postgres as dbmigrate

            trusty in postgres as dbmigrate

            failed to connect to `postgres://trusty@127.0.0.1:PORT/postgres?sslmode=require`: `sslmode=require` asks for TLS, but this program was built without it
              hint: enable the feature `postgres-tls` of `dbmigrate-runtime` in Cargo.toml

            failed to connect to `postgres://outside@127.0.0.1:PORT/app?sslmode=disable`: the server has no rule that lets the role `outside` connect to the database `app` from here without encryption
              caused by: no pg_hba.conf entry for host "127.0.0.1", user "outside", database "app", no encryption
              hint: add or change a line for it in the server's pg_hba.conf, or encrypt the connection: enable the feature `postgres-tls` of `dbmigrate-runtime` in Cargo.toml

            trusty in postgres as dbmigrate on a socket

        "#]],
        );
    }
}

/// Waits until the server answers with these words.
fn wait_until(server: &Server, home: &Path, words: &str) {
    let (dir, port) = (server.dir.display(), server.port);
    let url = format!("postgres:///postgres?host={dir}&port={port}&user=admin");
    let start = Instant::now();
    while !connect(home, &url, &[]).contains(words) {
        assert!(start.elapsed() < Duration::from_secs(30), "{words}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_that_is_stopping_or_not_ready_says_so() {
    let Some(server) = Server::start("states", "local all all trust", "") else { return };
    let home = home(&server, "states");
    let url = "postgres:///postgres?host=DIR&port=PORT&user=admin";
    // It waits for a session to end, and accepts no other.
    let parameters =
        format!("host={} port={} user=admin dbname=postgres", server.dir.display(), server.port);
    let client = Client::connect(&parameters, NoTls).unwrap();
    server.control("stop", &["-m", "smart", "-W"]);
    wait_until(&server, &home, "shutting down");
    check(
        &server,
        &home,
        &[(url, &[])],
        &expect![[r#"
        failed to connect to `postgres:///postgres?host=DIR&port=PORT&user=admin`: the server is shutting down
          caused by: the database system is shutting down
          hint: start it, and run the command again

    "#]],
    );
    drop(client);
    server.control("stop", &["-m", "fast"]);
    check(
        &server,
        &home,
        &[(url, &[])],
        &expect![[r#"
            failed to connect to `postgres:///postgres?host=DIR&port=PORT&user=admin`: there is no socket `DIR/.s.PGSQL.PORT`
              caused by: No such file or directory (os error 2)
              hint: start the server; if it listens on TCP alone, as in a container, name its host: `postgres://localhost:PORT/...`

        "#]],
    );
    // A standby that answers no queries.
    server.write("data/standby.signal", "");
    let flags = ["-W", "-o", "-c hot_standby=off -c restore_command=false"];
    server.control("start", &flags);
    wait_until(&server, &home, "recovering");
    check(
        &server,
        &home,
        &[(url, &[])],
        &expect![[r#"
            failed to connect to `postgres:///postgres?host=DIR&port=PORT&user=admin`: the server is recovering, and does not accept connections yet
              caused by: the database system is not accepting connections (Hot standby mode is disabled)
              hint: run the command again when it has recovered; the server's log has its progress

        "#]],
    );
}

#[test]
fn a_server_that_never_answers_is_left_in_time() {
    // It accepts connections, since the operating system does.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://ada:{PASSWORD}@127.0.0.1:{port}/app?connect_timeout=1");
    let answer = connect(Path::new("/nonexistent"), &url, &[]);
    expect![[r#"
        failed to connect to `postgres://ada@127.0.0.1:PORT/app`: `127.0.0.1:PORT` did not answer within 1 s
          hint: check the host, the port and the firewalls in between; `connect_timeout` in the URL is the time limit in seconds"#]].assert_eq(&answer.replace(&port.to_string(), "PORT"));

    // Another program answers in a language of its own.
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in other.incoming() {
            let mut stream = stream.unwrap();
            // A connection that is closed with bytes unread is reset, and what was sent may be lost.
            let _ = stream.read(&mut [0; 1024]).unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        }
    });
    let url = format!("postgres://ada:{PASSWORD}@127.0.0.1:{port}/app?sslmode=disable");
    let answer = connect(Path::new("/nonexistent"), &url, &[]);
    expect![[r#"
        failed to connect to `postgres://ada@127.0.0.1:PORT/app?sslmode=disable`: what listens on `127.0.0.1:PORT` does not answer as a PostgreSQL server does
          caused by: error communicating with the server: bytes remaining on stream
          hint: check the port: another program may be listening on it"#]].assert_eq(&answer.replace(&port.to_string(), "PORT"));
}
