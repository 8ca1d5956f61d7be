//! A span's knowledge of the bind values of its statement.

/// A keyed hash of the values, or why there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Binds {
    /// They were not hashed, or of a composite not all have the same.
    #[default]
    Unknown,
    /// The first run of the statement in its transaction: they are hashed from the second on.
    First,
    /// Of a composite of two: the hash of the second, with the first's unknown.
    Second(u64),
    /// The hash; of a composite that of all, but perhaps of the first.
    Same(u64),
}

impl Binds {
    /// Those of a composite with one more call.
    pub(crate) fn and(self, next: Self) -> Self {
        match (self, next) {
            (Self::First, Self::Same(hash)) => Self::Second(hash),
            (Self::Second(one) | Self::Same(one), Self::Same(other)) if one == other => {
                Self::Same(one)
            }
            _ => Self::Unknown,
        }
    }

    /// The hash that is sent.
    pub(crate) fn hash(self) -> Option<u64> {
        match self {
            Self::Same(hash) => Some(hash),
            Self::Unknown | Self::First | Self::Second(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Binds::{First, Same, Second, Unknown};
    use super::*;

    #[test]
    fn a_composite_has_a_hash_where_at_least_two_calls_are_known_to_have_it() {
        for (calls, expected) in [
            (&[Same(1), Same(1)][..], Same(1)),
            (&[Same(1), Same(2)], Unknown),
            (&[First, Same(1)], Second(1)),
            (&[First, Same(1), Same(1)], Same(1)),
            (&[First, Same(1), Same(2)], Unknown),
            (&[First, Same(1), Unknown, Same(1)], Unknown),
            (&[Unknown, Same(1), Same(1)], Unknown),
            (&[Same(1), First], Unknown),
        ] {
            let all = calls.iter().copied().reduce(Binds::and);
            assert_eq!(all, Some(expected), "{calls:?}");
        }
        assert_eq!(Second(1).hash(), None);
        assert_eq!(Same(1).hash(), Some(1));
    }
}
