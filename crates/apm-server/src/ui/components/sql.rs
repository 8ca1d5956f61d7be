//! SQL as people read it: coloured, and broken at its clauses.

use maud::Markup;
use sql_lexer::Class;
pub(crate) use sql_lexer::pretty;

use super::code::{Kind, spans};

/// The statement as written, coloured.
pub(crate) fn highlight(sql: &str) -> Markup {
    spans(sql_lexer::highlight(sql).map(|(class, text)| (kind(class), text)))
}

fn kind(class: Class) -> Kind {
    match class {
        Class::Plain => Kind::Plain,
        Class::Keyword => Kind::Keyword,
        Class::Function => Kind::Function,
        Class::String => Kind::String,
        Class::Placeholder => Kind::Placeholder,
        Class::Number => Kind::Number,
        Class::Comment => Kind::Comment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_coloured_by_their_tokens_and_escaped() {
        let sql = "SELECT count(*) AS n, 'it''s <b>' FROM people WHERE age >= ?1 -- why";
        let expected = concat!(
            r#"<span class="k">SELECT</span> <span class="f">count</span>(*) <span class="k">AS</span> n, "#,
            r#"<span class="str">'it''s &lt;b&gt;'</span> <span class="k">FROM</span> people "#,
            r#"<span class="k">WHERE</span> age &gt;= <span class="p">?1</span> <span class="c">-- why</span>"#,
        );
        assert_eq!(highlight(sql).into_string(), expected);
    }
}
