//! Settings from a URL, an environment and files, all of them values.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::surroundings::File;
use super::*;

/// An environment with files, such as a program has around it.
#[derive(Default)]
struct World {
    variables: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, &'static str>,
    is_open_to_others: bool,
}

impl World {
    fn variables<const N: usize>(variables: [(&'static str, &'static str); N]) -> World {
        World { variables: variables.into(), ..World::default() }
    }

    fn files<const N: usize>(files: [(&'static str, &'static str); N]) -> World {
        World { files: files.into(), ..World::default() }
    }

    fn resolve(&self, url: &str) -> Result<Settings, BadUrl> {
        let text_of = |path: &Path| self.files.get(path.to_str()?);
        let around = Surroundings {
            variables: &|name| self.variables.get(name).map(|value| (*value).to_owned()),
            files: &|path| {
                let text = text_of(path).ok_or(io::ErrorKind::NotFound)?;
                let is_open_to_others = self.is_open_to_others;
                Ok(File { text: (*text).to_owned(), is_open_to_others })
            },
            has_file: &|path| text_of(path).is_some(),
            home: Some("/home/ada".into()),
            user: Some("ada".to_owned()),
        };
        resolve(&Server::parse(url)?, &around)
    }

    /// The user, the database and the servers with their passwords.
    fn login(&self, url: &str) -> String {
        let settings = self.resolve(url).unwrap_or_else(|err| panic!("{url}: {err:?}"));
        let host = |host: &Host| {
            let address = match &host.place {
                Place::Tcp { address: Some(address), .. } => format!("={address}"),
                _ => String::new(),
            };
            let password = host.password.as_ref().map_or(String::new(), |text| format!(" {text}"));
            format!("{host}{address}{password}")
        };
        let hosts: Vec<_> = settings.hosts.iter().map(host).collect();
        format!("{}/{} at {}", settings.user, settings.database, hosts.join(", "))
    }

    fn tls(&self, url: &str) -> Tls {
        self.resolve(url).unwrap_or_else(|err| panic!("{url}: {err:?}")).tls
    }

    fn message(&self, url: &str) -> String {
        self.resolve(url).map_or_else(|err| err.message, |settings| format!("{settings:?}"))
    }
}

#[test]
fn what_the_url_leaves_out_is_libpqs_default() {
    let world = World::default();
    let cases = [
        ("postgres://", "ada/ada at /var/run/postgresql/.s.PGSQL.5432"),
        ("postgres:///app", "ada/app at /var/run/postgresql/.s.PGSQL.5432"),
        ("postgres://bob@h", "bob/bob at h:5432"),
        ("postgres://bob:x@[::1]:5433/app", "bob/app at [::1]:5433 x"),
        ("postgres://a:1,b,c:3/app", "ada/app at a:1, b:5432, c:3"),
        ("postgres://a,b/app?port=7", "ada/app at a:7, b:7"),
        ("postgres:///app?host=/tmp&port=7", "ada/app at /tmp/.s.PGSQL.7"),
        ("postgres://%2Fsrv%2Fpg:7/app", "ada/app at /srv/pg/.s.PGSQL.7"),
        ("postgres:///app?hostaddr=127.0.0.1", "ada/app at 127.0.0.1:5432=127.0.0.1"),
        ("postgres://db/app?hostaddr=::1", "ada/app at db:5432=::1"),
    ];
    for (url, expected) in cases {
        assert_eq!(world.login(url), expected, "{url}");
    }
    let world = World::files([("/tmp/.s.PGSQL.5432", "")]);
    assert_eq!(world.login("postgres:///app"), "ada/app at /tmp/.s.PGSQL.5432");
}

#[test]
fn the_environment_counts_where_the_url_says_nothing() {
    let world = World::variables([
        ("PGHOST", "db"),
        ("PGPORT", "7"),
        ("PGUSER", "bob"),
        ("PGPASSWORD", "s3cret"),
        ("PGDATABASE", "app"),
        ("PGAPPNAME", "mine"),
        ("PGOPTIONS", "-c search_path=x"),
        ("PGCONNECT_TIMEOUT", "3"),
        ("PGTARGETSESSIONATTRS", "primary"),
        ("PGSSLMODE", "disable"),
    ]);
    assert_eq!(world.login("postgres://"), "bob/app at db:7 s3cret");
    assert_eq!(world.login("postgres://eve:x@h:1/y"), "eve/y at h:1 x");
    let settings = world.resolve("postgres://").unwrap();
    assert_eq!(settings.application_name, "mine");
    assert_eq!(settings.options.as_deref(), Some("-c search_path=x"));
    assert_eq!(settings.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(settings.target, Target::Primary);
    assert_eq!(settings.tls.mode, SslMode::Disable);
    assert_eq!(settings.password_origin.unwrap(), "the environment variable PGPASSWORD");
    let url = "postgres://?application_name=y&options=z&connect_timeout=0&sslmode=prefer";
    let settings = world.resolve(url).unwrap();
    assert_eq!(settings.application_name, "y");
    assert_eq!(settings.options.as_deref(), Some("z"));
    assert_eq!(settings.connect_timeout, None);
    assert_eq!(settings.tls.mode, SslMode::Prefer);
    // An empty variable is the same as none.
    let world = World::variables([("PGHOST", ""), ("PGUSER", "")]);
    assert_eq!(world.login("postgres:///x"), "ada/x at /var/run/postgresql/.s.PGSQL.5432");
    let settings = world.resolve("postgres://").unwrap();
    assert_eq!(settings.application_name, "dbmigrate");
    let settings = world.resolve("postgres://?fallback_application_name=f").unwrap();
    assert_eq!(settings.application_name, "f");
}

#[test]
fn connections_are_kept_as_the_parameters_say() {
    let url = "postgres://h?keepalives=0&keepalives_idle=1&keepalives_interval=2\
               &keepalives_count=3&tcp_user_timeout=4000&load_balance_hosts=random";
    let settings = World::default().resolve(url).unwrap();
    let seconds = |number| Some(Duration::from_secs(number));
    let expected = Keepalives {
        is_on: false,
        idle: seconds(1),
        interval: seconds(2),
        count: Some(3),
        user_timeout: seconds(4),
    };
    assert_eq!(settings.keepalives, expected);
    assert!(settings.is_random);
}

#[test]
fn passwords_are_found_in_the_password_file() {
    let text = "# comment\n\
                db:5432:app:ada:one\n\
                db:*:*:ada:t\\:w\\\\o:x\n\
                localhost:5432:app:ada:of the socket\n\
                /srv/pg:5432:app:ada:of another\n\
                *:*:*:eve:\n\
                *:*:*:bob:any\n";
    let world = World::files([("/home/ada/.pgpass", text), ("/x", "*:*:*:*:other")]);
    let cases = [
        ("postgres://db/app", "ada/app at db:5432 one"),
        ("postgres://db:7/app", "ada/app at db:7 t:w\\o:x"),
        ("postgres:///app", "ada/app at /var/run/postgresql/.s.PGSQL.5432 of the socket"),
        ("postgres://%2Fsrv%2Fpg/app", "ada/app at /srv/pg/.s.PGSQL.5432 of another"),
        ("postgres://bob@a,db/app", "bob/app at a:5432 any, db:5432 any"),
        ("postgres://db,b/app", "ada/app at db:5432 one, b:5432"),
        ("postgres://ada:mine@db/app", "ada/app at db:5432 mine"),
        ("postgres://eve@db/app", "eve/app at db:5432"),
        ("postgres://eve@db/app?passfile=/x", "eve/app at db:5432 other"),
    ];
    for (url, expected) in cases {
        assert_eq!(world.login(url), expected, "{url}");
    }
    let note = |world: &World, url: &str| world.resolve(url).unwrap().passfile_note;
    let of_file = "the password file `/home/ada/.pgpass`";
    let none = format!("{of_file} has no line for this login");
    assert_eq!(note(&world, "postgres://eve@db/app"), Some(none));
    let missing = "the password file `/y` does not exist".to_owned();
    assert_eq!(note(&world, "postgres://db?passfile=/y"), Some(missing));
    assert_eq!(note(&World::default(), "postgres://db"), None);

    let open = World { is_open_to_others: true, ..world };
    assert_eq!(open.login("postgres://db/app"), "ada/app at db:5432");
    let ignored = format!(
        "{of_file} was ignored, since other users may read it: `chmod 600 /home/ada/.pgpass`"
    );
    assert_eq!(note(&open, "postgres://db/app"), Some(ignored));
}

#[test]
fn services_are_found_in_the_service_file() {
    let text = "[other]\nhost=no\n\n[app]\n# comment\nhost = db\nport=7\npassword=s3cret\n\
                dbname=\nsslmode=disable\nhost=later\n[bad]\nnonsense s3cret\n[worse]\nhots=s3cret\n\
                [nested]\nservice=app\n";
    let mut world = World::files([
        ("/home/ada/.pg_service.conf", text),
        ("/etc/pg/pg_service.conf", "[shared]\nhost=of-all\n"),
        ("/mine", "[app]\nhost=mine\n"),
    ]);
    assert_eq!(world.login("postgres:///x?service=app"), "ada/x at db:7 s3cret");
    assert_eq!(world.login("postgres://bob@h/x?service=app"), "bob/x at h:7 s3cret");
    assert_eq!(world.login("postgres:///x?service=app&servicefile=/mine"), "ada/x at mine:5432");
    let settings = world.resolve("postgres://?service=app").unwrap();
    let origin = "service `app` of `/home/ada/.pg_service.conf`";
    assert_eq!(settings.password_origin.as_deref(), Some(origin));
    let file = "/home/ada/.pg_service.conf";
    let cases = [
        ("none", format!("there is no service `none` in `{file}`")),
        ("bad", format!("the service file has an invalid line, in `{file}:13`")),
        ("worse", format!("the service file has an invalid line, in `{file}:15`")),
        ("nested", format!("the service file has a service within a service, in `{file}:17`")),
    ];
    for (name, expected) in cases {
        assert_eq!(world.message(&format!("postgres://?service={name}")), expected);
    }
    world.variables = [("PGSERVICE", "app"), ("PGPORT", "9"), ("PGUSER", "eve")].into();
    assert_eq!(world.login("postgres:///x"), "eve/x at db:7 s3cret");
    world.variables = [("PGSERVICEFILE", "/mine"), ("PGSERVICE", "app")].into();
    assert_eq!(world.login("postgres:///x"), "ada/x at mine:5432");
    world.variables = [("PGSYSCONFDIR", "/etc/pg")].into();
    assert_eq!(world.login("postgres:///x?service=shared"), "ada/x at of-all:5432");
}

#[test]
fn certificates_are_verified_as_sslmode_and_the_files_say() {
    let world = World::default();
    let own = World::files([
        ("/home/ada/.postgresql/root.crt", ""),
        ("/home/ada/.postgresql/postgresql.crt", ""),
        ("/ca", ""),
    ]);
    let default_root = Roots::File("/home/ada/.postgresql/root.crt".into());
    let given = Roots::File("/ca".into());
    let cases = [
        (&world, "", SslMode::Prefer, Roots::Unverified),
        (&world, "?sslmode=require", SslMode::Require, Roots::Unverified),
        (&world, "?sslmode=require&sslrootcert=/no", SslMode::Require, Roots::Unverified),
        (&world, "?sslrootcert=system", SslMode::VerifyFull, Roots::System),
        (&world, "?sslmode=verify-full&sslrootcert=system", SslMode::VerifyFull, Roots::System),
        // With a root certificate at hand, `require` verifies who signed.
        (&own, "?sslmode=require", SslMode::Require, default_root.clone()),
        (&own, "?sslmode=verify-ca", SslMode::VerifyCa, default_root.clone()),
        (&own, "?sslmode=verify-full&sslrootcert=/ca", SslMode::VerifyFull, given),
        (&own, "?sslmode=allow", SslMode::Allow, default_root),
    ];
    for (world, query, mode, roots) in cases {
        let tls = world.tls(&format!("postgres://h{query}"));
        assert_eq!((tls.mode, tls.roots), (mode, roots), "{query}");
    }
    let client = ClientCertificate {
        certificate: "/home/ada/.postgresql/postgresql.crt".into(),
        key: "/home/ada/.postgresql/postgresql.key".into(),
    };
    assert_eq!(own.tls("postgres://h").client, Some(client));
    assert_eq!(own.tls("postgres://h?sslcertmode=disable").client, None);
    assert_eq!(world.tls("postgres://h").client, None);
    let client = ClientCertificate { certificate: "/c".into(), key: "/k".into() };
    assert_eq!(world.tls("postgres://h?sslcert=/c&sslkey=/k").client, Some(client));

    let versions = |query: &str| world.tls(&format!("postgres://h?{query}")).versions;
    assert_eq!(versions(""), (TlsVersion::V12, TlsVersion::V13));
    assert_eq!(versions("ssl_min_protocol_version=TLSv1.3").0, TlsVersion::V13);
    assert_eq!(versions("ssl_max_protocol_version=TLSv1.2").1, TlsVersion::V12);
    assert!(!world.tls("postgres://h?sslsni=0").has_sni);
    assert!(world.tls("postgres://h?sslmode=require&sslnegotiation=direct").is_direct);
    assert_eq!(
        world.message("postgres://h?sslmode=verify-full"),
        "the file `/home/ada/.postgresql/root.crt` with the root certificate doesn't exist, so the \
         server's certificate can't be verified"
    );
    assert!(world.message("postgres://h?sslmode=verify-ca&sslrootcert=/no").contains("`/no`"));
    // A socket isn't encrypted, so that nothing is verified there.
    assert_eq!(world.tls("postgres:///x?sslmode=verify-full").roots, Roots::Unverified);
}

#[test]
fn values_without_a_meaning_are_refused_by_the_parameters_name() {
    let world = World::default();
    let cases = [
        (
            "sslmode=s3cret",
            "`sslmode` in the database URL is not one of `disable`, `allow`, `prefer`, `require`, \
             `verify-ca`, `verify-full`",
        ),
        ("connect_timeout=s3cret", "`connect_timeout` in the database URL is not a whole number"),
        ("port=s3cret", "`port` in the database URL is not a number from 1 to 65535"),
        ("port=1,2", "there are 2 ports for 1 hosts"),
        ("hostaddr=s3cret", "`hostaddr` is not an IP address"),
        ("hostaddr=::1,::1", "there are 1 hosts in `host` and 2 in `hostaddr`"),
        (
            "sslmode=require&sslrootcert=system",
            "`sslrootcert=system` does not go with a weaker `sslmode` than `verify-full`",
        ),
        (
            "sslnegotiation=direct",
            "`sslnegotiation=direct` does not go with a weaker `sslmode` than `require`",
        ),
        (
            "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
            "`ssl_min_protocol_version` is above `ssl_max_protocol_version`",
        ),
        ("sslpassword=s3cret", "dbmigrate does not support `sslpassword`, in the database URL"),
        (
            "gssencmode=require",
            "dbmigrate does not support this value of `gssencmode`, in the database URL",
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(world.message(&format!("postgres://h?{query}")), expected, "{query}");
    }
    assert!(world.resolve("postgres://h?gssencmode=prefer&client_encoding=LATIN1").is_ok());
    let world = World::variables([("PGREQUIREPEER", "root")]);
    let message =
        "dbmigrate does not support `requirepeer`, in the environment variable PGREQUIREPEER";
    assert_eq!(world.message("postgres://h"), message);
}

#[test]
fn settings_are_shown_without_the_password() {
    let settings = World::default().resolve("postgres://ada:s3cret@h/app").unwrap();
    assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
}
