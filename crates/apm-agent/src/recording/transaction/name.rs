//! The name of a transaction.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// A name of its own, or one that all requests of a route share.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Own(Cow<'static, str>),
    Shared(Arc<str>),
}

impl Deref for Name {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match self {
            Self::Own(name) => name,
            Self::Shared(name) => name,
        }
    }
}

impl From<Cow<'static, str>> for Name {
    fn from(name: Cow<'static, str>) -> Self {
        Self::Own(name)
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self::Own(name.into())
    }
}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Self {
        Self::Shared(name)
    }
}
