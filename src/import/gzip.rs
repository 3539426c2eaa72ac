//! The content of a file, which may be gzipped.

use std::io;

use flate2::read::MultiGzDecoder;

use crate::files::read_to_limit;

/// A larger file, or one that unpacks to more, is refused. iperf3's document of 128 streams and an hour of
/// intervals takes some 200 MB; netplan reads it as a whole.
pub const LARGEST_FILE_BYTES: u64 = 256 << 20;

/// The first bytes of gzip (RFC 1952).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a gzipped content; gives another one as it is.
///
/// # Errors
/// When it is damaged, cut off, or unpacks to more than [`LARGEST_FILE_BYTES`].
pub fn unpack(content: Vec<u8>) -> io::Result<Vec<u8>> {
    if !content.starts_with(&MAGIC) {
        return Ok(content);
    }
    read_to_limit(MultiGzDecoder::new(content.as_slice()), LARGEST_FILE_BYTES)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_unpacks(content in prop::collection::vec(any::<u8>(), 0..500), cut in 1_usize..8) {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&content).unwrap();
            let packed = encoder.finish().unwrap();
            prop_assert!(unpack(packed[..packed.len() - cut].to_vec()).is_err());
            prop_assert_eq!(unpack(packed).unwrap(), content.clone());
            if !content.starts_with(&MAGIC) {
                prop_assert_eq!(unpack(content.clone()).unwrap(), content);
            }
        }
    }
}
