//! The parameters in the URL of MySQL or MariaDB.

use super::{Form, folded};

/// The form of the URLs.
pub(super) const FORM: Form = Form {
    parameter,
    shown: &["database", "host", "port", "socket", "ssl-mode", "user"],
    database: "database",
    encode: "write it as `mysql://user:password@host:3306/database`; in a user name and in a \
             password, percent-encode `@` as `%40`, `/` as `%2F`, `:` as `%3A`, `?` as `%3F`, `#` \
             as `%23` and `%` as `%25`",
    unknown: |_| {
        "remove it; the parameters are those of MySQL's own client, such as `ssl-mode` and \
         `socket`, and a parameter of another library needs a URL of its own"
            .to_owned()
    },
};

/// The parameters, named like the options of MySQL's client.
const PARAMETERS: [&str; 11] = [
    "connect-timeout",
    "database",
    "host",
    "password",
    "port",
    "socket",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "user",
];

/// Names that other clients have for them.
const OTHER_NAMES: [(&str, &str); 6] = [
    ("dbname", "database"),
    ("schema", "database"),
    ("sslrootcert", "ssl-ca"),
    ("unixsocket", "socket"),
    ("username", "user"),
    ("connecttimeoutseconds", "connect-timeout"),
];

/// What concerns only an application's own connections, so that it may be in a URL for both.
const IGNORED: [&str; 9] = [
    "charset",
    "collation",
    "connectionlimit",
    "poolmax",
    "poolmin",
    "pooltimeout",
    "statementcachecapacity",
    "timezone",
    "tcpkeepalivetimems",
];

/// The parameter with this name, in whichever spelling.
fn parameter(name: &str) -> Option<&'static str> {
    let wanted = folded(name);
    if IGNORED.contains(&wanted.as_str()) {
        return Some("ignored");
    }
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == wanted).map(|(_, name)| *name);
    other.or_else(|| PARAMETERS.into_iter().find(|known| folded(known) == wanted))
}

#[cfg(test)]
mod tests {
    use super::super::Server;

    #[test]
    fn urls_have_the_parameters_of_the_client() {
        let cases = [
            ("mysql://", "", "mysql://"),
            ("mariadb://localhost/app", "database=app host=localhost", "mariadb://localhost/app"),
            (
                "mysql://ada:s3%40cret@db:3307/app?ssl-mode=REQUIRED&charset=utf8mb4",
                "database=app host=db ignored=utf8mb4 password=s3@cret port=3307 \
                 ssl-mode=REQUIRED user=ada",
                "mysql://ada@db:3307/app?ssl-mode=REQUIRED",
            ),
            (
                "mysql://root@localhost/app?unix_socket=/run/mysqld/mysqld.sock",
                "database=app host=localhost socket=/run/mysqld/mysqld.sock user=root",
                "mysql://root@localhost/app?unix_socket=/run/mysqld/mysqld.sock",
            ),
            (
                "mysql://h?sslmode=disable&sslCa=x",
                "host=h ssl-ca=x ssl-mode=disable",
                "mysql://h?sslmode=disable",
            ),
        ];
        for (url, expected, shown) in cases {
            let server = Server::parse_mysql(url).unwrap();
            let pair = |(name, value): (&&str, &String)| format!("{name}={value}");
            let pairs: Vec<_> = server.parameters.iter().map(pair).collect();
            assert_eq!((pairs.join(" ").as_str(), server.shown().as_str()), (expected, shown));
        }
    }

    #[test]
    fn a_bad_url_does_not_show_the_password() {
        let message = |url| Server::parse_mysql(url).unwrap_err().message;
        assert_eq!(
            message("mysql://ada:s3/cret@h/app"),
            "the database URL has an `@` or a `/` that is not percent-encoded"
        );
        assert_eq!(
            message("mysql://h/app?nosuch=1"),
            "the database URL has an unknown parameter `nosuch`"
        );
        assert_eq!(message("mysql://a:b:c/x"), "a host in the database URL has more than one `:`");
    }
}
