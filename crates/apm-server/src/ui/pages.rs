//! The pages: each a short composition of components over one question to `analytics`.
