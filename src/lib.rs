//! The service of the article.
