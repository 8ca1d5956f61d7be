//! The version of the server, which decides what is sent to it.

/// A server's version: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerVersion(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl ServerVersion {
    /// From 8.0 on, servers ignore unsampled transactions.
    pub(crate) fn wants_unsampled(self) -> bool {
        self < Self(8, 0, 0)
    }

    /// One version had a bug.
    pub(crate) fn refuses_activation_method(self) -> bool {
        self == Self(8, 7, 0)
    }

    /// `8.17.2`, with or without something behind it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-', '+']).map(str::parse);
        let mut part = || parts.next()?.ok();
        Some(Self(part()?, part()?, part().unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_a_suffix() {
        assert_eq!(
            ServerVersion::parse("8.17.2"),
            Some(ServerVersion(8, 17, 2))
        );
        assert_eq!(
            ServerVersion::parse("7.4-SNAPSHOT"),
            Some(ServerVersion(7, 4, 0))
        );
        assert_eq!(
            ServerVersion::parse("9.0.0-rc1"),
            Some(ServerVersion(9, 0, 0))
        );
        assert_eq!(ServerVersion::parse("pocket"), None);
        assert!(ServerVersion(7, 17, 9).wants_unsampled());
        assert!(!ServerVersion(8, 0, 0).wants_unsampled());
    }
}
