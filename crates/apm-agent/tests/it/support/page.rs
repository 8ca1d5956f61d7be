//! A page whose request makes queries, for what tells of them.

pub(crate) const PAGE: &str = "<html><body><h1>shop</h1></body></html>";
const HOSTILE: &str = "SELECT '</template><script>alert(1)</script>' FROM people";

/// Two queries, one of them within a span.
pub(crate) fn make_queries() {
    drop(apm_agent::span_db(
        "postgresql",
        Some("shop"),
        "SELECT 1 FROM people",
    ));
    let _outer = apm_agent::span("outer", "app");
    drop(apm_agent::span_db("postgresql", Some("shop"), HOSTILE));
}
