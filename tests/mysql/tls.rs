//! Encrypted connections, with certificates made by openssl.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, mysql_client};
use dbmigrate_tests::starting::mysql::Installed;
use dbmigrate_tests::starting::place::Place;
use expect_test::expect;

use crate::connecting::{PASSWORD, connect};

fn openssl(dir: &Path, command: &str) {
    let args: Vec<&str> = command.split(' ').collect();
    let out = Command::new("openssl").current_dir(dir).args(&args).output().unwrap();
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A root certificate, one of the server for `localhost`, and one of the client `ada`; and another
/// root that has signed nothing.
fn certificates(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    let key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30";
    for (name, subject) in [("ca", "/CN=root"), ("other", "/CN=other")] {
        openssl(dir, &format!("{key} -subj {subject} -keyout {name}.key -out {name}.crt"));
    }
    let own = "-subj /CN=localhost -addext subjectAltName=DNS:localhost";
    let signed = "-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE";
    openssl(dir, &format!("{key} {own} {signed} -keyout server.key -out server.crt"));
    openssl(dir, &format!("{key} -subj /CN=ada {signed} -keyout ada.key -out ada.crt"));
    openssl(dir, "pkey -in ada.key -aes256 -passout pass:s3cret -out encrypted.key");
    for entry in fs::read_dir(dir).unwrap() {
        // The server is run by another user.
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o644)).unwrap();
    }
}

#[test]
fn connections_are_encrypted_and_verified_as_ssl_mode_says() {
    for server in servers::mysql("connections_are_encrypted_and_verified_as_ssl_mode_says") {
        // Other tests use the one that was started, without certificates of ours.
        let place = Place::new().expect("a directory");
        let own = Installed::new(&place, &server.name).expect("a name").expect("it is initialized");
        let dir = own.dir().join("tls");
        certificates(&dir);
        let setting = |(name, file): (&str, &str)| format!("--{name}={}", dir.join(file).display());
        let settings =
            [("ssl-ca", "ca.crt"), ("ssl-cert", "server.crt"), ("ssl-key", "server.key")];
        let running = own.run_with(&settings.map(setting)).expect("it runs");
        let mut conn = mysql_client(&running.url);
        for sql in [
            "CREATE DATABASE app",
            "CREATE USER ada IDENTIFIED BY 's3cr@t/'",
            "CREATE USER only_tls IDENTIFIED BY 's3cr@t/' REQUIRE SSL",
            "CREATE USER certified IDENTIFIED BY 's3cr@t/' REQUIRE SUBJECT '/CN=ada'",
            "GRANT ALL ON app.* TO ada",
            "GRANT ALL ON app.* TO only_tls",
            "GRANT ALL ON app.* TO certified",
        ] {
            conn.query_drop(sql).expect(sql);
        }
        let (shown, port) = (dir.display().to_string(), running.port.to_string());
        let tried = |place: &str| {
            let (user, rest) = place.split_once('@').unwrap();
            let (host, rest) = rest.split_once('/').unwrap();
            let url = format!("mysql://{user}:{PASSWORD}@{host}:{port}/{rest}");
            let answer = connect(&url.replace("DIR", &shown), &[]);
            format!("{place}\n  {}\n", answer.replace(&shown, "DIR").replace(&port, "PORT"))
        };
        let mut text = String::new();
        for place in [
            "ada@127.0.0.1/app",
            "ada@127.0.0.1/app?ssl-mode=DISABLED",
            "ada@127.0.0.1/app?sslmode=require",
            "ada@localhost/app?ssl-mode=VERIFY_CA&ssl-ca=DIR/ca.crt",
            "ada@localhost/app?ssl-mode=VERIFY_CA&ssl-ca=DIR/other.crt",
            "ada@localhost/app?ssl-ca=DIR/other.crt",
            "ada@127.0.0.1/app?ssl-mode=VERIFY_CA&ssl-ca=DIR/ca.crt",
            "ada@127.0.0.1/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/ca.crt",
            "ada@localhost/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/ca.crt",
            "ada@localhost/app?sslmode=verify-full&sslrootcert=DIR/ca.crt",
            "ada@localhost/app?ssl-mode=VERIFY_IDENTITY",
            "ada@localhost/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/none.crt",
            "ada@localhost/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/ca.key",
            "only_tls@127.0.0.1/app",
            "only_tls@127.0.0.1/app?ssl-mode=disabled",
            "certified@127.0.0.1/app?ssl-mode=required",
            "certified@127.0.0.1/app?ssl-mode=required&ssl-cert=DIR/ada.crt&ssl-key=DIR/ada.key",
            "certified@127.0.0.1/app?ssl-mode=required&ssl-cert=DIR/ada.crt",
            "certified@127.0.0.1/app?ssl-cert=DIR/ada.crt&ssl-key=DIR/none.key",
            "certified@127.0.0.1/app?ssl-cert=DIR/ada.crt&ssl-key=DIR/encrypted.key",
            "certified@127.0.0.1/app?ssl-mode=required&ssl-cert=DIR/ada.crt&ssl-key=DIR/ca.key",
        ] {
            text += &tried(place);
        }
        expect![[r#"
            ada@127.0.0.1/app
              ada in app, encrypted
            ada@127.0.0.1/app?ssl-mode=DISABLED
              ada in app
            ada@127.0.0.1/app?sslmode=require
              ada in app, encrypted
            ada@localhost/app?ssl-mode=VERIFY_CA&ssl-ca=DIR/ca.crt
              ada in app, encrypted
            ada@localhost/app?ssl-mode=VERIFY_CA&ssl-ca=DIR/other.crt
              failed to connect to `mysql://ada@localhost:PORT/app?ssl-mode=VERIFY_CA`: no root certificate in `DIR/other.crt` has signed the server's certificate
              caused by: invalid peer certificate: UnknownIssuer
              hint: name the file with the root certificate of the server's provider with `ssl-ca`
            ada@localhost/app?ssl-ca=DIR/other.crt
              failed to connect to `mysql://ada@localhost:PORT/app`: no root certificate in `DIR/other.crt` has signed the server's certificate
              caused by: invalid peer certificate: UnknownIssuer
              hint: name the file with the root certificate of the server's provider with `ssl-ca`
            ada@127.0.0.1/app?ssl-mode=VERIFY_CA&ssl-ca=DIR/ca.crt
              failed to connect to `mysql://ada@127.0.0.1:PORT/app?ssl-mode=VERIFY_CA`: the server's certificate is not for the host `127.0.0.1`
              caused by: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("localhost")
              hint: connect to a host that it is for, by its subject alternative names
            ada@127.0.0.1/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/ca.crt
              failed to connect to `mysql://ada@127.0.0.1:PORT/app?ssl-mode=VERIFY_IDENTITY`: the server's certificate is not for the host `127.0.0.1`
              caused by: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("localhost")
              hint: connect to a host that it is for, by its subject alternative names
            ada@localhost/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/ca.crt
              ada in app, encrypted
            ada@localhost/app?sslmode=verify-full&sslrootcert=DIR/ca.crt
              ada in app, encrypted
            ada@localhost/app?ssl-mode=VERIFY_IDENTITY
              failed to connect to `mysql://ada@localhost:PORT/app?ssl-mode=VERIFY_IDENTITY`: no root certificate that browsers trust has signed the server's certificate
              caused by: invalid peer certificate: UnknownIssuer
              hint: name the file with the root certificate of the server's provider with `ssl-ca`
            ada@localhost/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/none.crt
              failed to connect to `mysql://ada@localhost:PORT/app?ssl-mode=VERIFY_IDENTITY`: the file `DIR/none.crt` can't be read: No such file or directory (os error 2)
              hint: check its path and its permissions
            ada@localhost/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=DIR/ca.key
              failed to connect to `mysql://ada@localhost:PORT/app?ssl-mode=VERIFY_IDENTITY`: the file `DIR/ca.key` is not in PEM, or has not what it is named for
              hint: it begins with a line such as `-----BEGIN CERTIFICATE-----`
            only_tls@127.0.0.1/app
              only_tls in app, encrypted
            only_tls@127.0.0.1/app?ssl-mode=disabled
              failed to connect to `mysql://only_tls@127.0.0.1:PORT/app?ssl-mode=disabled`: the password of the user `only_tls` is wrong, or there is no such user
              caused by: Access denied for user 'only_tls'@'localhost' (using password: YES)
              hint: correct the password in the database URL, where characters such as `@`, `/` and `%` are percent-encoded; an account may also require TLS: `ssl-mode=required`
            certified@127.0.0.1/app?ssl-mode=required
              failed to connect to `mysql://certified@127.0.0.1:PORT/app?ssl-mode=required`: the password of the user `certified` is wrong, or there is no such user
              caused by: Access denied for user 'certified'@'localhost' (using password: YES)
              hint: correct the password in the database URL, where characters such as `@`, `/` and `%` are percent-encoded; an account may also require a client certificate: `ssl-cert` and `ssl-key`
            certified@127.0.0.1/app?ssl-mode=required&ssl-cert=DIR/ada.crt&ssl-key=DIR/ada.key
              certified in app, encrypted
            certified@127.0.0.1/app?ssl-mode=required&ssl-cert=DIR/ada.crt
              failed to connect to `mysql://certified@127.0.0.1:PORT/app?ssl-mode=required`: the database URL has only one of `ssl-cert` and `ssl-key`
              hint: name both files: the client's certificate and its key
            certified@127.0.0.1/app?ssl-cert=DIR/ada.crt&ssl-key=DIR/none.key
              failed to connect to `mysql://certified@127.0.0.1:PORT/app`: the file `DIR/none.key` can't be read: No such file or directory (os error 2)
              hint: check its path and its permissions
            certified@127.0.0.1/app?ssl-cert=DIR/ada.crt&ssl-key=DIR/encrypted.key
              failed to connect to `mysql://certified@127.0.0.1:PORT/app`: the key `DIR/encrypted.key` is encrypted
              hint: decrypt it into another file, such as by `openssl pkey`, and name that with `ssl-key`
            certified@127.0.0.1/app?ssl-mode=required&ssl-cert=DIR/ada.crt&ssl-key=DIR/ca.key
              failed to connect to `mysql://certified@127.0.0.1:PORT/app?ssl-mode=required`: the TLS handshake with `127.0.0.1:PORT` failed: keys may not be consistent: KeyMismatch
              caused by: keys may not be consistent: KeyMismatch
              hint: with `ssl-mode=required`, name the file with the server's root certificate with `ssl-ca`, and connect to a host that its certificate is for; if the server asks for a client certificate, name its files with `ssl-cert` and `ssl-key`
        "#]].assert_eq(&text);
    }
}
