//! Which product a server is, and its version.

use postgres::{Client, SimpleQueryMessage};

use crate::driver::Unconnected;

/// A product that speaks PostgreSQL's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// PostgreSQL, and services that run it.
    Postgres,
    /// CockroachDB.
    Cockroach,
    /// YugabyteDB.
    Yugabyte,
    /// Amazon Aurora DSQL, which calls itself PostgreSQL.
    Dsql,
    /// Amazon Redshift.
    Redshift,
    /// Greenplum, and its successors.
    Greenplum,
    /// Materialize.
    Materialize,
    /// CrateDB.
    Crate,
}

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The product.
    pub product: Product,
    /// The version of PostgreSQL that it is, or is like, as in 150018; 0 if it doesn't say.
    pub version: u32,
    /// Its name and version, for messages.
    pub name: String,
}

/// Words in the answer to `version()` that tell a product; the first that is found counts.
const WORDS: [(&str, Product, &str); 7] = [
    ("CockroachDB", Product::Cockroach, "CockroachDB"),
    ("-YB-", Product::Yugabyte, "YugabyteDB"),
    ("Redshift", Product::Redshift, "Amazon Redshift"),
    ("Greenplum", Product::Greenplum, "Greenplum"),
    ("Cloudberry", Product::Greenplum, "Cloudberry"),
    ("Materialize", Product::Materialize, "Materialize"),
    ("CrateDB", Product::Crate, "CrateDB"),
];

/// The oldest supported version of PostgreSQL.
const OLDEST: u32 = 130_000;

impl Profile {
    /// Reads the answers to `server_version_num` and to `version()`.
    pub(super) fn of(number: &str, version: &str) -> Profile {
        let product = WORDS.iter().find(|(word, ..)| version.contains(word));
        let number = number.trim().parse().unwrap_or(0);
        let name = match product {
            Some((word, _, title)) => {
                // Its own version is the next word with digits.
                let (_, rest) = version.split_once(word).unwrap_or_default();
                let is_version = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
                let own = rest.split([' ', '(', ')', ',']).find(is_version).unwrap_or_default();
                let based = version.strip_prefix("PostgreSQL ");
                let based = based.and_then(|rest| rest.split([' ', '-']).next());
                let based = based.map_or(String::new(), |base| format!(" (PostgreSQL {base})"));
                format!("{title} {own}").trim_end().to_owned() + &based
            }
            None => {
                let name: Vec<_> = version.split([' ', ',']).take(2).collect();
                name.join(" ")
            }
        };
        let product = product.map_or(Product::Postgres, |(_, product, _)| *product);
        Profile { product, version: number, name }
    }

    /// Asks the server.
    pub(super) fn ask(client: &mut Client) -> Result<Profile, postgres::Error> {
        // By the simple protocol, which every product and pooler has.
        let mut answers = Vec::new();
        for message in client.simple_query("SHOW server_version_num; SELECT version()")? {
            if let SimpleQueryMessage::Row(row) = message {
                answers.push(row.try_get(0)?.unwrap_or_default().to_owned());
            }
        }
        let answer = |idx: usize| answers.get(idx).map_or("", String::as_str);
        Ok(Profile::of(answer(0), answer(1)))
    }

    /// Why this server can't be migrated.
    pub(super) fn refusal(&self) -> Option<Unconnected> {
        let server = self.name.clone();
        match self.product {
            Product::Postgres | Product::Cockroach | Product::Yugabyte | Product::Dsql => {
                (self.version < OLDEST && self.version > 0)
                    .then_some(Unconnected::TooOld { server })
            }
            Product::Redshift | Product::Greenplum | Product::Materialize | Product::Crate => {
                Some(Unconnected::Unsupported { server })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_told_apart_and_old_versions_refused() {
        let cases = [
            (
                "150018",
                "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc",
                "Postgres, PostgreSQL 15.18",
            ),
            ("180000", "PostgreSQL 18beta1 on x86_64-pc-linux-gnu", "Postgres, PostgreSQL 18beta1"),
            (
                "120022",
                "PostgreSQL 12.22 on x86_64-pc-linux-gnu",
                "Postgres, PostgreSQL 12.22, too old",
            ),
            (
                "130000",
                "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27)",
                "Cockroach, CockroachDB v23.1.11",
            ),
            (
                "110002",
                "PostgreSQL 11.2-YB-2.20.1.3-b0 on x86_64-pc-linux-gnu",
                "Yugabyte, YugabyteDB 2.20.1.3-b0 (PostgreSQL 11.2), too old",
            ),
            (
                "150012",
                "PostgreSQL 15.12-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu",
                "Yugabyte, YugabyteDB 2025.1.0.0-b0 (PostgreSQL 15.12)",
            ),
            (
                "80002",
                "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.12103",
                "Redshift, Amazon Redshift 1.0.12103 (PostgreSQL 8.0.2), unsupported",
            ),
            (
                "90426",
                "PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:x) on x86_64",
                "Greenplum, Greenplum 6.25.3 (PostgreSQL 9.4.26), unsupported",
            ),
        ];
        for (number, version, expected) in cases {
            let profile = Profile::of(number, version);
            let refusal = match profile.refusal() {
                Some(Unconnected::TooOld { .. }) => ", too old",
                Some(_) => ", unsupported",
                None => "",
            };
            assert_eq!(format!("{:?}, {}{refusal}", profile.product, profile.name), expected);
        }
    }
}
