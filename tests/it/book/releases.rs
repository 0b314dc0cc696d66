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
}
