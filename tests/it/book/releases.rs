//! The page about barriers and `migrate --safe`.

use dbmigrate_tests::{Host, sql};

use super::played::{Left, Player};

#[test]
fn a_change_is_made_in_several_releases_as_the_page_shows() {
    let host = Host::library("shop", "//! The shop.\n");
    Player {
        host: &host,
        page: "guides/releases.md",
        left: Left::Nothing,
        is_played: &|_| true,
        database: &|text| sql(&host.dir.join("app.db"), text),
        shown_as: &[],
    }
    .play();
    // What either release wrote last.
    let conn = rusqlite::Connection::open(host.dir.join("app.db")).unwrap();
    let query = "SELECT group_concat(full_name, ', ') FROM (SELECT * FROM customer ORDER BY id)";
    let names: String = conn.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(names, "Ada King, Bob Ross, Cyd, Dan");
}
