//! A hash of a set of revisions, computed while a program compiles, and of what a database has
//! applied. The order doesn't count.

use crate::migration::Module;

/// The hash of a list of revisions, for `migrations::SCHEMA_HASH`: 16 hexadecimal digits.
pub const fn schema_hash(modules: &[Module]) -> [u8; 16] {
    let (mut sum, mut at) = (0, 0);
    while at < modules.len() {
        sum = add(sum, modules[at].revision);
        at += 1;
    }
    digits(sum)
}

/// The same for ids.
pub fn of_ids<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let digits = digits(ids.fold(0, add));
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// Adds the hash of an id (FNV-1a, then mixed so that sums don't collide) to those of others.
const fn add(sum: u64, id: &str) -> u64 {
    let bytes = id.as_bytes();
    let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    sum.wrapping_add(hash ^ (hash >> 31))
}

const fn digits(number: u64) -> [u8; 16] {
    let (mut digits, mut at) = ([0; 16], 0);
    while at < 16 {
        let digit = (number >> (60 - 4 * at)) as u8 & 15;
        digits[at] = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        at += 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_does_not_count_and_each_id_does() {
        let hash = |ids: &[&str]| of_ids(ids.iter().copied());
        assert_eq!(hash(&[]), "0000000000000000");
        assert_eq!(hash(&["a1", "b2"]), hash(&["b2", "a1"]));
        assert_ne!(hash(&["a1", "b2"]), hash(&["a1"]));
        assert_ne!(hash(&["a1", "a1"]), hash(&[]));
    }
}
