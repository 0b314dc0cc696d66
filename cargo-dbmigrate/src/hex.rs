//! Hexadecimal digits: hashes, and random digits.

use crate::error::{Error, Result};

/// The SHA-256 of bytes, in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    hmac_sha256::Hash::hash(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash for names of files and packages: 16 hexadecimal digits.
pub fn short_hash(bytes: &[u8]) -> String {
    hash(bytes)[..16].to_owned()
}

/// Random hexadecimal digits, so that no two processes choose the same.
pub fn random() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|err| Error::new(format!("failed to get random bytes: {err}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
