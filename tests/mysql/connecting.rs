//! Each way in which a connection fails has its words.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use dbmigrate_runtime::engine::open_server;
use dbmigrate_runtime::engine::url::{Location, Url};
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server, mysql_client};
use expect_test::{Expect, expect};

use crate::imitation::behind;

/// A password that must not be in any message.
pub(super) const PASSWORD: &str = "s3cr%40t%2F";

/// Connects with an environment that has only these variables, and says who is connected to what,
/// or why there is no connection.
pub(super) fn connect(url: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args(["--exact", "connecting::in_a_process_of_its_own", "--nocapture"]).env_clear();
    command.envs(variables.iter().copied()).env("CONNECTING_URL", url);
    let out = command.output().expect("it runs");
    let text =
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    for password in [PASSWORD, "s3cr@t/", "s3cr"] {
        assert!(!text.contains(password), "{text}");
    }
    let answer = text.split_once("<<<").and_then(|(_, rest)| rest.split_once(">>>"));
    answer.unwrap_or_else(|| panic!("{text}")).0.to_owned()
}

#[test]
fn in_a_process_of_its_own() {
    if let Ok(url) = std::env::var("CONNECTING_URL") {
        let _ = writeln!(std::io::stdout(), "<<<{}>>>", answer(&url));
    }
}

fn answer(url: &str) -> String {
    let url = match Url::parse(url) {
        Ok(url) => url,
        Err(err) => return err.report(),
    };
    let Location::Server(server) = &url.location else { panic!("{url:?}") };
    let mut driver = match open_server(url.backend, server) {
        Ok(driver) => driver,
        Err(err) => return err.report(),
    };
    let sql = "SELECT CONCAT(SUBSTRING_INDEX(USER(), '@', 1), ' in ', DATABASE())";
    let who = driver.query(sql, &[]).expect("it answers").texts().next().unwrap_or_default();
    let cipher = driver.query("SHOW STATUS LIKE 'Ssl_cipher'", &[]).expect("it answers");
    let is_encrypted = cipher.texts().nth(1).is_some_and(|cipher| !cipher.is_empty());
    format!("{who}{}", if is_encrypted { ", encrypted" } else { "" })
}

/// Compares an answer in which the server's own port, name and number are replaced.
#[track_caller]
fn check(server: &Server, url: &str, variables: &[(&str, &str)], expected: Expect) {
    let port = server.url.rsplit(':').next().and_then(|rest| rest.split('/').next());
    let answer = connect(url, variables).replace(port.expect("a port"), "3306");
    expected.assert_eq(&(answer + "\n"));
}

/// An account with a password, which may use one database.
fn account(server: &Server, user: &str) -> (String, String) {
    let url = server.database();
    let (_, database) = url.rsplit_once('/').expect("a database");
    let mut conn = mysql_client(&server.url);
    for sql in [
        format!("DROP USER IF EXISTS '{user}'@'%', '{user}'@'localhost'"),
        format!("CREATE USER '{user}'@'localhost' IDENTIFIED BY 's3cr@t/'"),
        format!("GRANT ALL ON {database}.* TO '{user}'@'localhost'"),
    ] {
        conn.query_drop(sql).expect("the account");
    }
    (url.replace("root@", &format!("{user}:{PASSWORD}@")), database.to_owned())
}

#[test]
fn sockets_and_variables_lead_to_the_server() {
    for server in servers::mysql("sockets_and_variables_lead_to_the_server") {
        let (url, database) = account(&server, "bea");
        let mut conn = mysql_client(&server.url);
        let socket: String = conn.query_first("SELECT @@socket").expect("it answers").expect("one");
        let port: u16 = conn.query_first("SELECT @@port").expect("it answers").expect("one");
        let port = port.to_string();
        let home = std::env::temp_dir().join(format!("dbmigrate-home-{port}"));
        std::fs::create_dir_all(&home).expect("a directory");
        std::fs::write(home.join(".my.cnf"), "[client]\nuser = eve\nhost = nowhere.invalid\n")
            .expect("an option file");
        let home = home.to_str().expect("a path");
        let account = format!("mysql://bea:{PASSWORD}@");
        let written = socket.replace('/', "%2F");
        let over_socket = [
            (format!("{account}localhost/{database}?socket={socket}"), vec![]),
            (format!("mariadb://bea:{PASSWORD}@/{database}?socket={socket}"), vec![]),
            (format!("{account}{written}/{database}"), vec![]),
            (format!("{account}/{database}"), vec![("MYSQL_UNIX_PORT", socket.as_str())]),
            (
                format!("mysql://bea@/{database}"),
                vec![
                    ("MYSQL_UNIX_PORT", socket.as_str()),
                    ("MYSQL_PWD", "s3cr@t/"),
                    // Its option file is not read.
                    ("HOME", home),
                ],
            ),
        ];
        for (url, variables) in over_socket {
            let connected = connect(&url, &variables);
            assert!(connected.starts_with(&format!("bea in {database}")), "{url}: {connected}");
        }
        let over_tcp = vec![("MYSQL_HOST", "127.0.0.1"), ("MYSQL_TCP_PORT", &*port)];
        let connected = connect(&format!("{account}/{database}"), &over_tcp);
        assert!(connected.starts_with(&format!("bea in {database}")), "{connected}");
        // What the URL says takes precedence over the environment.
        let elsewhere =
            [("MYSQL_HOST", "nowhere.invalid"), ("MYSQL_TCP_PORT", "1"), ("HOME", home)];
        let connected = connect(&url, &elsewhere);
        assert!(connected.starts_with(&format!("bea in {database}")), "{connected}");
    }
}

#[test]
fn every_failure_has_its_words() {
    for server in servers::mysql("every_failure_has_its_words") {
        let (url, database) = account(&server, "ada");
        let (at, _) = url.rsplit_once('/').expect("a database");
        let is_encrypted =
            if connect(&url, &[]).contains("encrypted") { ", encrypted" } else { "" };
        assert_eq!(connect(&url, &[]), format!("ada in {database}{is_encrypted}"));
        let without = url.replace(&format!(":{PASSWORD}"), "");
        assert_eq!(
            connect(&without, &[("MYSQL_PWD", "s3cr@t/")]),
            format!("ada in {database}{is_encrypted}")
        );
        let mariadb = url.replace("mysql:", "mariadb:");
        assert!(connect(&mariadb, &[]).starts_with("ada in"));
        let plain = format!("{url}?ssl-mode=disabled");
        assert_eq!(connect(&plain, &[]), format!("ada in {database}"));

        let wrong = url.replace(PASSWORD, "wrong");
        check(
            &server,
            &wrong.replace(&database, "app"),
            &[],
            expect![[r#"
            failed to connect to `mysql://ada@127.0.0.1:3306/app`: the password of the user `ada` is wrong, or there is no such user
              caused by: Access denied for user 'ada'@'localhost' (using password: YES)
              hint: correct the password in the database URL, where characters such as `@`, `/` and `%` are percent-encoded
        "#]],
        );
        check(
            &server,
            &without.replace(&database, "app"),
            &[("MYSQL_PWD", "wrong")],
            expect![[r#"
            failed to connect to `mysql://ada@127.0.0.1:3306/app`: the password of the user `ada` is wrong, or there is no such user
              caused by: Access denied for user 'ada'@'localhost' (using password: YES)
              hint: correct the password in the environment variable MYSQL_PWD
        "#]],
        );
        check(
            &server,
            &without.replace(&database, "app"),
            &[],
            expect![[r#"
            failed to connect to `mysql://ada@127.0.0.1:3306/app`: the server asks for the password of the user `ada`, and none is given
              caused by: Access denied for user 'ada'@'localhost' (using password: NO)
              hint: give it in the environment variable MYSQL_PWD or in the URL
        "#]],
        );
        check(
            &server,
            &format!("{at}/no%60such"),
            &[],
            expect![[r#"
            failed to connect to `mysql://ada@127.0.0.1:3306/no%60such`: the user `ada` may not use the database `no`such`, if there is one
              caused by: Access denied for user 'ada'@'localhost' to database 'no`such'
              hint: let an administrator run `GRANT ALL PRIVILEGES ON `no``such`.* TO 'ada'`, with the account's own host
        "#]],
        );
        let root = server.url.replace("/mysql", "/no-such");
        check(
            &server,
            &root,
            &[],
            expect![[r#"
            failed to connect to `mysql://root@127.0.0.1:3306/no-such`: the database `no-such` does not exist
              caused by: Unknown database 'no-such'
              hint: create it: `mysql -h 127.0.0.1 -P 3306 -u root -e 'CREATE DATABASE `no-such`'`, or in SQL: `CREATE DATABASE `no-such``
        "#]],
        );
        check(
            &server,
            &server.url.replace("/mysql", "/"),
            &[],
            expect![[r#"
            failed to connect to `mysql://root@127.0.0.1:3306/`: the database URL names no database
              hint: name one, as in `mysql://user@host/database`
        "#]],
        );
    }
    // These need no server.
    let Some(server) = servers::mysql("every_failure_has_its_words").into_iter().next() else {
        return;
    };
    check(
        &server,
        "mysql://ada@127.0.0.1:1/app",
        &[],
        expect![[r#"
            failed to connect to `mysql://ada@127.0.0.1:1/app`: nothing listens on `127.0.0.1:1`
              caused by: Could not connect to address `127.0.0.1:1': Connection refused (os error 111)
              hint: start the server, or correct the host and the port
        "#]],
    );
    check(
        &server,
        "mysql://ada@nosuch.invalid/app",
        &[],
        expect![[r#"
            failed to connect to `mysql://ada@nosuch.invalid/app`: the host `nosuch.invalid` can't be found
              caused by: Could not connect to address `nosuch.invalid:3306': failed to lookup address information: Name or service not known
              hint: check its name, and that the network has a name server that knows it
        "#]],
    );
    check(
        &server,
        "mysql://ada@localhost/app?socket=/tmp/no/such.sock",
        &[],
        expect![[r#"
            failed to connect to `mysql://ada@localhost/app?socket=/tmp/no/such.sock`: there is no server at the socket `/tmp/no/such.sock`
              caused by: Could not connect to address `/tmp/no/such.sock': No such file or directory (os error 2)
              hint: start the server; if it listens on TCP alone, as in a container, name its address: `mysql://127.0.0.1:3306/...`
        "#]],
    );
    check(
        &server,
        "mysql://ada@h/app?ssl-mode=perhaps",
        &[],
        expect![[r#"
        failed to connect to `mysql://ada@h/app?ssl-mode=perhaps`: `ssl-mode` in the database URL has an unknown value
          hint: use `disabled`, `preferred`, `required`, `verify_ca` or `verify_identity`
    "#]],
    );
}

#[test]
fn accounts_that_can_not_connect_have_their_words() {
    for server in servers::mysql("accounts_that_can_not_connect_have_their_words") {
        let (url, database) = account(&server, "zoe");
        let port = server.url.rsplit(':').next().and_then(|rest| rest.split('/').next());
        let alter = |what: &str| {
            let mut conn = mysql_client(&server.url);
            conn.query_drop(format!("ALTER USER 'zoe'@'localhost' {what}")).expect("the account");
        };
        let mut seen = String::new();
        let mut see = || {
            let answer = connect(&url, &[]).replace(port.expect("a port"), "3306");
            // The servers' own words differ.
            let own = |line: &&str| !line.starts_with("  caused by: ");
            answer.lines().filter(own).for_each(|line| seen += &format!("{line}\n"));
        };
        alter("ACCOUNT LOCK");
        see();
        alter("ACCOUNT UNLOCK");
        alter("WITH MAX_USER_CONNECTIONS 1");
        let first = mysql_client(&url);
        see();
        drop(first);
        alter("WITH MAX_USER_CONNECTIONS 0");
        alter("PASSWORD EXPIRE");
        see();
        expect![[r#"
            failed to connect to `mysql://zoe@127.0.0.1:3306/app`: the account of the user `zoe` is locked
              hint: let an administrator run `ALTER USER ... ACCOUNT UNLOCK`
            failed to connect to `mysql://zoe@127.0.0.1:3306/app`: the server has as many connections as it may have
              hint: close other connections, such as idle ones of a pool, and run the command again; the limit is `max_connections`, or the one set for the user or the database
            failed to connect to `mysql://zoe@127.0.0.1:3306/app`: the password of the user `zoe` has expired
              hint: set another one with the server's own client: `ALTER USER USER() IDENTIFIED BY ...`
        "#]].assert_eq(&seen.replace(&database, "app"));
    }
}

#[test]
fn what_is_no_server_has_its_words() {
    let Some(server) = servers::mysql("what_is_no_server_has_its_words").into_iter().next() else {
        return;
    };
    let listener = || TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let of = |listener: &TcpListener| listener.local_addr().expect("its port").port();
    let (web, silent) = (listener(), listener());
    let ports = (of(&web), of(&silent));
    thread::spawn(move || {
        for client in web.incoming() {
            let _ = client.map(|mut client| client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    let answer = connect(&format!("mysql://ada@127.0.0.1:{}/app", ports.0), &[]);
    expect![[r#"
        failed to connect to `mysql://ada@127.0.0.1:3306/app`: what listens on `127.0.0.1:3306` does not answer as MySQL or MariaDB does
          caused by: Packet is larger than max_allowed_packet
          hint: check the port: another program may be listening on it"#]].assert_eq(&answer.replace(&ports.0.to_string(), "3306"));
    let answer = connect(&format!("mysql://ada@127.0.0.1:{}/app?connect-timeout=1", ports.1), &[]);
    expect![[r#"
        failed to connect to `mysql://ada@127.0.0.1:3306/app`: `127.0.0.1:3306` did not answer within 1 s
          caused by: Could not connect: connection timeout
          hint: check the host, the port and the firewalls in between; `connect_timeout` in the URL is the time limit in seconds"#]].assert_eq(&answer.replace(&ports.1.to_string(), "3306"));
    // A server that is older than any that is supported.
    let old = behind(&server.database(), |_, sql| sql.replace("VERSION()", "'5.7.44-log'"));
    let answer = connect(&old, &[]);
    let (_, why) = answer.split_once("`: ").expect("why there is no connection");
    expect![[r#"
        the server is MySQL 5.7.44, but dbmigrate needs MySQL 8.0.23, MariaDB 10.6 or TiDB 8.5, or later
          hint: upgrade the server, or use another one"#]].assert_eq(why);
}

#[test]
fn tls_is_as_the_mode_says() {
    for server in servers::mysql("tls_is_as_the_mode_says") {
        let answer = |mode: &str| connect(&format!("{}?ssl-mode={mode}", server.url), &[]);
        // MariaDB 10.11 has no certificate of its own.
        if server.name == "mariadb1011" {
            check(
                &server,
                &format!("{}?ssl-mode=required", server.url),
                &[],
                expect![[r#"
                    failed to connect to `mysql://root@127.0.0.1:3306/mysql?ssl-mode=required`: `ssl-mode=required` asks for TLS, which the server does not offer
                      caused by: Client requires secure connection but server does not have this capability
                      hint: give the server a certificate (`ssl_cert` and `ssl_key`); where the network is trusted, `ssl-mode=preferred` connects without encryption
                "#]],
            );
            assert_eq!(answer("preferred"), "root in mysql");
            continue;
        }
        assert_eq!(answer("preferred"), "root in mysql, encrypted");
        assert_eq!(answer("required"), "root in mysql, encrypted");
        let refused = answer("verify_identity");
        assert!(refused.contains("no root certificate that browsers trust"), "{refused}");
    }
}
