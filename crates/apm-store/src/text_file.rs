//! Small text files that people name: configuration, tokens, keys, certificates, migrations.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a text file of at most so many bytes.
///
/// # Errors
/// If it cannot be read, is larger, or is not UTF-8; the error does not name the file.
pub fn read(file: &Path, most: u64) -> io::Result<String> {
    from(File::open(file)?, most)
}

/// Reads a text of at most so many bytes.
///
/// # Errors
/// As [`read`].
pub fn from(input: impl Read, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    // A device says that it has no bytes and gives them without end. One byte more tells that it is too large.
    input.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    // Before the characters are looked at: the bound may stand within one.
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {most} bytes"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_up_to_its_bound_and_refused_beyond_it_whatever_stands_there() {
        assert_eq!(from("größe".as_bytes(), 7).unwrap(), "größe");
        // The bound and one byte more end within the ö.
        for most in [0, 2, 3, 6] {
            let error = from("größe".as_bytes(), most).unwrap_err();
            assert_eq!(error.to_string(), format!("it has more than {most} bytes"));
        }
        let endless = from(io::repeat(b'x'), 10).unwrap_err();
        assert_eq!(endless.kind(), io::ErrorKind::FileTooLarge);
        let other = from(&b"a\xff"[..], 10).unwrap_err();
        assert!(other.to_string().contains("utf-8"), "{other}");
        let none = read(Path::new("is/not/there"), 10).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }
}
