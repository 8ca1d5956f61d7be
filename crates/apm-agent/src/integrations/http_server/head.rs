//! Requests and responses beside their headers, and how they are compared with one that is remembered.

use std::net::IpAddr;

use super::remembered::Key;

/// The first line of a request, and the connection that it came by.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    /// Such as `1.1`.
    pub(crate) version: &'static str,
    /// Its connection is one of HTTPS, as far as the service knows.
    pub(crate) secure: bool,
    /// The host that the first line names, with its port.
    pub(crate) authority: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    /// The other end of the connection.
    pub(crate) peer: Option<IpAddr>,
}

/// A request as it is remembered: one without a query.
#[derive(Debug)]
pub(super) struct KnownHead {
    method: Box<str>,
    version: &'static str,
    secure: bool,
    authority: Option<Box<str>>,
    path: Box<str>,
    peer: Option<IpAddr>,
}

impl Key for Head<'_> {
    type Kept = KnownHead;

    #[inline]
    fn is(&self, kept: &KnownHead) -> bool {
        *self.path == *kept.path
            && self.query.is_none()
            && *self.method == *kept.method
            && self.version == kept.version
            && self.secure == kept.secure
            && self.authority == kept.authority.as_deref()
            && self.peer == kept.peer
    }

    fn keep(&self) -> KnownHead {
        KnownHead {
            method: self.method.into(),
            version: self.version,
            secure: self.secure,
            authority: self.authority.map(Into::into),
            path: self.path.into(),
            peer: self.peer,
        }
    }
}

/// The status of a response.
impl Key for u16 {
    type Kept = Self;

    #[inline]
    fn is(&self, kept: &Self) -> bool {
        self == kept
    }

    fn keep(&self) -> Self {
        *self
    }
}
