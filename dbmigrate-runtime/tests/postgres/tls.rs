//! Encrypted connections, with certificates made by openssl.

use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::expect;

use super::server::Server;
use super::{PASSWORD, connect};

const HBA: &str = "
local     all        all     trust
hostssl   certified  ada     127.0.0.1/32 cert
hostnossl only_tls   all     127.0.0.1/32 reject
hostssl   no_tls     all     127.0.0.1/32 reject
host      all        all     127.0.0.1/32 scram-sha-256
host      all        all     ::1/128      scram-sha-256
";

fn openssl(dir: &Path, command: &str) {
    let args: Vec<&str> = command.split(' ').collect();
    let out = Command::new("openssl").current_dir(dir).args(&args).output().unwrap();
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A root certificate, one of the server for `localhost`, and one of the client `ada`; another root
/// that has signed nothing; and a certificate that is its own root.
fn certificates(server: &Server) {
    let dir = server.dir.join("tls");
    fs::create_dir_all(&dir).unwrap();
    let key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30";
    for (name, subject) in [("ca", "/CN=root"), ("other", "/CN=other")] {
        openssl(&dir, &format!("{key} -subj {subject} -keyout {name}.key -out {name}.crt"));
    }
    let own = "-subj /CN=localhost -addext subjectAltName=DNS:localhost";
    openssl(&dir, &format!("{key} {own} -keyout own.key -out own.crt"));
    let signed = "-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE";
    openssl(&dir, &format!("{key} {own} {signed} -keyout server.key -out server.crt"));
    openssl(&dir, &format!("{key} -subj /CN=ada {signed} -keyout ada.key -out ada.crt"));
    use_certificate(server, "server");
    for entry in fs::read_dir(&dir).unwrap() {
        server.own(&entry.unwrap().path());
    }
    server.own(&dir);
}

/// Has the server present this certificate.
fn use_certificate(server: &Server, name: &str) {
    for end in ["crt", "key"] {
        let text = fs::read_to_string(server.dir.join(format!("tls/{name}.{end}"))).unwrap();
        server.write(&format!("data/server.{end}"), &text);
    }
    let root = fs::read_to_string(server.dir.join("tls/ca.crt")).unwrap();
    server.write("data/root.crt", &root);
}

#[test]
fn connections_are_encrypted_and_verified_as_sslmode_says() {
    let Some(server) = Server::start("tls", HBA, "password_encryption = 'scram-sha-256'") else {
        return;
    };
    certificates(&server);
    server.sql("CREATE ROLE ada LOGIN PASSWORD 's3cr@t/'");
    for database in ["app", "certified", "only_tls", "no_tls"] {
        server.sql(&format!("CREATE DATABASE {database}"));
    }
    let settings = "ssl = on\nssl_ca_file = 'root.crt'\n";
    let conf = server.data().join("postgresql.auto.conf");
    fs::write(&conf, settings).unwrap();
    server.own(&conf);
    server.control("restart", &["-m", "fast"]);
    let (dir, port) = (server.dir.to_str().unwrap(), server.port.to_string());
    let tried = |place: &str| {
        let (host, rest) = place.split_once('/').unwrap();
        let url = format!("postgres://ada:{PASSWORD}@{host}:{port}/{rest}").replace("DIR", dir);
        let answer = connect(&server.dir, &url, &[]);
        format!("{place}\n  {}\n", answer.replace(dir, "DIR").replace(&port, "PORT"))
    };
    let mut text = String::new();
    for place in [
        "127.0.0.1/app",
        "127.0.0.1/app?sslmode=disable",
        "127.0.0.1/app?sslmode=allow",
        "127.0.0.1/only_tls?sslmode=allow",
        "127.0.0.1/no_tls?sslmode=prefer",
        "127.0.0.1/only_tls?sslmode=disable",
        "127.0.0.1/no_tls?sslmode=require",
        "127.0.0.1/app?sslmode=require",
        "127.0.0.1/app?sslmode=require&ssl_max_protocol_version=TLSv1.2",
        "127.0.0.1/app?sslmode=require&channel_binding=require",
        // With a root certificate, `require` verifies who signed.
        "127.0.0.1/app?sslmode=require&sslrootcert=DIR/tls/other.crt",
        "127.0.0.1/app?sslmode=verify-ca&sslrootcert=DIR/tls/ca.crt",
        "127.0.0.1/app?sslmode=verify-ca&sslrootcert=DIR/tls/other.crt",
        "127.0.0.1/app?sslmode=verify-full&sslrootcert=DIR/tls/ca.crt",
        "localhost/app?sslmode=verify-full&sslrootcert=DIR/tls/ca.crt",
        "localhost/app?sslrootcert=system",
        "localhost/app?sslmode=verify-full",
        "localhost/app?sslmode=verify-full&sslrootcert=DIR/tls/ca.key",
        "127.0.0.1/certified?sslmode=require",
        "127.0.0.1/certified?sslmode=require&sslcert=DIR/tls/ada.crt&sslkey=DIR/tls/ada.key",
        "127.0.0.1/certified?sslmode=require&sslcert=DIR/tls/ada.crt&sslkey=DIR/tls/none.key",
    ] {
        text += &tried(place);
    }
    // A key that others can read isn't used.
    let key = fs::read_to_string(server.dir.join("tls/ada.key")).unwrap();
    fs::write(server.dir.join("tls/open.key"), key).unwrap();
    text += &tried("127.0.0.1/app?sslmode=require&sslcert=DIR/tls/ada.crt&sslkey=DIR/tls/open.key");
    // libpq's own places for certificates.
    fs::create_dir(server.dir.join(".postgresql")).unwrap();
    for (from, to) in
        [("ca.crt", "root.crt"), ("ada.crt", "postgresql.crt"), ("ada.key", "postgresql.key")]
    {
        let text = fs::read_to_string(server.dir.join("tls").join(from)).unwrap();
        server.write(&format!(".postgresql/{to}"), &text);
    }
    text += &tried("localhost/certified?sslmode=verify-full");
    // A certificate that signed itself is its own root.
    use_certificate(&server, "own");
    server.control("reload", &[]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    text += &tried("localhost/app?sslmode=verify-full&sslrootcert=DIR/tls/own.crt");
    text += &tried("127.0.0.1/app?sslmode=verify-full&sslrootcert=DIR/tls/own.crt");
    text += &tried("localhost/app?sslmode=verify-ca&sslrootcert=DIR/tls/ca.crt");
    expect![[r#"
        127.0.0.1/app
          ada in app as dbmigrate by TLSv1.3
        127.0.0.1/app?sslmode=disable
          ada in app as dbmigrate
        127.0.0.1/app?sslmode=allow
          ada in app as dbmigrate
        127.0.0.1/only_tls?sslmode=allow
          ada in only_tls as dbmigrate by TLSv1.3
        127.0.0.1/no_tls?sslmode=prefer
          ada in no_tls as dbmigrate
        127.0.0.1/only_tls?sslmode=disable
          failed to connect to `postgres://ada@127.0.0.1:PORT/only_tls?sslmode=disable`: the server has no rule that lets the role `ada` connect to the database `only_tls` from here without encryption
          caused by: pg_hba.conf rejects connection for host "127.0.0.1", user "ada", database "only_tls", no encryption
          hint: add or change a line for it in the server's pg_hba.conf, or encrypt the connection: `sslmode=require`
        127.0.0.1/no_tls?sslmode=require
          failed to connect to `postgres://ada@127.0.0.1:PORT/no_tls?sslmode=require`: the server has no rule that lets the role `ada` connect to the database `no_tls` from here with encryption
          caused by: pg_hba.conf rejects connection for host "127.0.0.1", user "ada", database "no_tls", SSL encryption
          hint: add or change a line for it in the server's pg_hba.conf
        127.0.0.1/app?sslmode=require
          ada in app as dbmigrate by TLSv1.3
        127.0.0.1/app?sslmode=require&ssl_max_protocol_version=TLSv1.2
          ada in app as dbmigrate by TLSv1.2
        127.0.0.1/app?sslmode=require&channel_binding=require
          ada in app as dbmigrate by TLSv1.3
        127.0.0.1/app?sslmode=require&sslrootcert=DIR/tls/other.crt
          failed to connect to `postgres://ada@127.0.0.1:PORT/app?sslmode=require`: no root certificate in `DIR/tls/other.crt` has signed the server's certificate
          caused by: invalid peer certificate: UnknownIssuer
          hint: name the file with the root certificate of the server's provider with `sslrootcert`
        127.0.0.1/app?sslmode=verify-ca&sslrootcert=DIR/tls/ca.crt
          ada in app as dbmigrate by TLSv1.3
        127.0.0.1/app?sslmode=verify-ca&sslrootcert=DIR/tls/other.crt
          failed to connect to `postgres://ada@127.0.0.1:PORT/app?sslmode=verify-ca`: no root certificate in `DIR/tls/other.crt` has signed the server's certificate
          caused by: invalid peer certificate: UnknownIssuer
          hint: name the file with the root certificate of the server's provider with `sslrootcert`
        127.0.0.1/app?sslmode=verify-full&sslrootcert=DIR/tls/ca.crt
          failed to connect to `postgres://ada@127.0.0.1:PORT/app?sslmode=verify-full`: the server's certificate is not for the host `127.0.0.1`
          caused by: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("localhost")
          hint: connect to a host that it is for, by its subject alternative names; `sslmode=verify-ca` verifies who signed it, but not the host
        localhost/app?sslmode=verify-full&sslrootcert=DIR/tls/ca.crt
          ada in app as dbmigrate by TLSv1.3
        localhost/app?sslrootcert=system
          failed to connect to `postgres://ada@localhost:PORT/app`: no root certificate that your system trusts has signed the server's certificate
          caused by: invalid peer certificate: UnknownIssuer
          hint: name the file with the root certificate of the server's provider with `sslrootcert`
        localhost/app?sslmode=verify-full
          failed to connect to `postgres://ada@localhost:PORT/app?sslmode=verify-full`: the file `DIR/.postgresql/root.crt` with the root certificate doesn't exist, so the server's certificate can't be verified
          hint: name the file with `sslrootcert=FILE`, or write `sslrootcert=system` for a certificate that your system trusts
        localhost/app?sslmode=verify-full&sslrootcert=DIR/tls/ca.key
          failed to connect to `postgres://ada@localhost:PORT/app?sslmode=verify-full`: the file `DIR/tls/ca.key` is not in PEM, or has not what it is named for
          hint: it begins with a line such as `-----BEGIN CERTIFICATE-----`
        127.0.0.1/certified?sslmode=require
          failed to connect to `postgres://ada@127.0.0.1:PORT/certified?sslmode=require`: the server asks for a client certificate, and none was given or accepted
          caused by: connection requires a valid client certificate
          hint: name its files with `sslcert` and `sslkey`
        127.0.0.1/certified?sslmode=require&sslcert=DIR/tls/ada.crt&sslkey=DIR/tls/ada.key
          ada in certified as dbmigrate by TLSv1.3
        127.0.0.1/certified?sslmode=require&sslcert=DIR/tls/ada.crt&sslkey=DIR/tls/none.key
          failed to connect to `postgres://ada@127.0.0.1:PORT/certified?sslmode=require`: the file `DIR/tls/none.key` can't be read: No such file or directory (os error 2)
          hint: check its path and its permissions
        127.0.0.1/app?sslmode=require&sslcert=DIR/tls/ada.crt&sslkey=DIR/tls/open.key
          failed to connect to `postgres://ada@127.0.0.1:PORT/app?sslmode=require`: the key `DIR/tls/open.key` may be read by other users
          hint: `chmod 600 DIR/tls/open.key`
        localhost/certified?sslmode=verify-full
          ada in certified as dbmigrate by TLSv1.3
        localhost/app?sslmode=verify-full&sslrootcert=DIR/tls/own.crt
          ada in app as dbmigrate by TLSv1.3
        127.0.0.1/app?sslmode=verify-full&sslrootcert=DIR/tls/own.crt
          failed to connect to `postgres://ada@127.0.0.1:PORT/app?sslmode=verify-full`: the server's certificate is not for the host `127.0.0.1`
          caused by: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("localhost")
          hint: connect to a host that it is for, by its subject alternative names; `sslmode=verify-ca` verifies who signed it, but not the host
        localhost/app?sslmode=verify-ca&sslrootcert=DIR/tls/ca.crt
          failed to connect to `postgres://ada@localhost:PORT/app?sslmode=verify-ca`: no root certificate in `DIR/tls/ca.crt` has signed the server's certificate
          caused by: invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))
          hint: name the file with the root certificate of the server's provider with `sslrootcert`
    "#]].assert_eq(&text);
}
