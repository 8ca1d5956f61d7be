//! Names that programs make by counting: of savepoints, cursors, prepared statements, channels. Kept, each would be a
//! statement of its own.

use crate::{Kind, Significant, Token};

/// The kind of name that the statement which is read has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Names {
    /// Nothing has been read.
    #[default]
    Unknown,
    /// Nothing that is made up.
    Nothing,
    /// The word that comes next, after some words of the language.
    Next,
    /// All that is no word of the language: `FETCH FORWARD FROM x`.
    All,
    /// The word after `TO`: `ROLLBACK TO x`.
    AfterTo,
    /// A prepared statement, unless it is a procedure.
    Prepared,
    /// A setting, which has a name of its own, and values.
    Setting,
    /// The values of a setting.
    Values,
}

/// Words of the statements that name what is made up.
const WORDS: [&str; 27] = [
    "ABSOLUTE",
    "ALL",
    "AND",
    "BACKWARD",
    "CHAIN",
    "FIRST",
    "FORWARD",
    "FROM",
    "IMMEDIATE",
    "IN",
    "INTO",
    "LAST",
    "NEXT",
    "NO",
    "PREPARE",
    "PREPARED",
    "PRIOR",
    "RELATIVE",
    "SAVEPOINT",
    "TO",
    "TRAN",
    "TRANSACTION",
    "USING",
    "WORK",
    "CURSOR",
    "SQL",
    "AS",
];
/// Settings whose value follows their name.
const BARE: [&str; 5] = ["AUTHORIZATION", "CATALOG", "ROLE", "SCHEMA", "ZONE"];

/// Follows a statement token by token.
#[derive(Debug, Default)]
pub(super) struct MadeUp {
    names: Names,
    /// Whether the last word is what a statement begins with that names something made up.
    pub(super) is_verb: bool,
    /// Whether the two words before were `CURRENT OF`.
    current: u8,
}

impl MadeUp {
    /// Whether a word or a name in quotes is made up. `last` is what was written before it.
    pub(super) fn is(&mut self, token: Token<'_>, last: &str, rest: &Significant<'_>) -> bool {
        let word = token.text;
        let is_word = token.kind == Kind::Word;
        let is_one_of =
            |words: &[&str]| is_word && words.iter().any(|known| known.eq_ignore_ascii_case(word));
        let is_cursor = self.is_current_of(is_word, word);
        self.is_verb = false;
        match self.names {
            Names::Unknown => {
                self.names = if is_word {
                    begins(word)
                } else {
                    Names::Nothing
                };
                self.is_verb = !matches!(self.names, Names::Unknown | Names::Nothing);
                false
            }
            Names::Nothing => is_cursor,
            Names::Next | Names::All if is_one_of(&WORDS) => false,
            Names::Next => {
                self.names = Names::Nothing;
                true
            }
            Names::All => true,
            Names::AfterTo => {
                // SQL Server leaves `TO` out: `ROLLBACK TRAN x`.
                if is_one_of(&["TO", "TRAN", "TRANSACTION"]) {
                    self.names = Names::Next;
                }
                false
            }
            Names::Prepared => {
                self.names = Names::Nothing;
                // A text follows `EXECUTE IMMEDIATE`, not a name.
                !is_one_of(&["IMMEDIATE"]) && is_prepared(word, rest)
            }
            Names::Setting => {
                if is_one_of(&["TO"]) {
                    self.names = Names::Values;
                    return false;
                }
                let is_value = BARE.iter().any(|name| name.eq_ignore_ascii_case(last))
                    && !is_one_of(&["AUTHORIZATION", "LOCAL"]);
                if is_value {
                    self.names = Names::Nothing;
                }
                is_value
            }
            // MariaDB: `SET STATEMENT max_statement_time = 1 FOR SELECT …`.
            Names::Values if is_one_of(&["FOR"]) => {
                self.names = Names::Nothing;
                false
            }
            // A function is one whatever it is of.
            Names::Values => !matches!(next(rest), "(" | "."),
        }
    }

    /// After a literal, which may be what the statement names.
    pub(super) fn value(&mut self) {
        if matches!(self.names, Names::Unknown | Names::Next | Names::Prepared) {
            self.names = Names::Nothing;
        }
    }

    /// After an operator or a parenthesis.
    pub(super) fn punctuation(&mut self, text: &str, depth: usize) {
        match (self.names, text) {
            (_, ";") if depth == 0 => *self = Self::default(),
            (Names::Setting, "=" | ":=") => self.names = Names::Values,
            (Names::Setting | Names::Values, "(") | (Names::All | Names::AfterTo, "(") => {
                self.names = Names::Nothing;
            }
            // Parentheses around a statement, or around the options of `EXPLAIN`.
            (Names::Unknown, "(" | ")") => {}
            (Names::Unknown, _) => self.names = Names::Nothing,
            _ => {}
        }
    }

    /// At a comma among the values of a setting: whether one value more follows, or, as MySQL has it, another setting.
    pub(super) fn continues(&mut self, rest: &Significant<'_>) -> bool {
        if self.names != Names::Values {
            return false;
        }
        let mut ahead = rest.clone();
        // The second token after the comma tells: `SET a = 1, b = 2`.
        ahead.next();
        let after = ahead.next().map_or("", |token| token.text);
        let is_setting = matches!(after, "=" | ":=" | ".") || after.eq_ignore_ascii_case("TO");
        let starts = next(rest);
        let scopes = ["GLOBAL", "SESSION", "LOCAL", "PERSIST"];
        // A value may be called like a scope: then nothing follows that could be set.
        if is_setting
            || (scopes
                .iter()
                .any(|scope| scope.eq_ignore_ascii_case(starts))
                && !matches!(after, "," | ";" | ""))
        {
            self.names = Names::Setting;
            return false;
        }
        true
    }

    /// `UPDATE … WHERE CURRENT OF x`
    fn is_current_of(&mut self, is_word: bool, word: &str) -> bool {
        let is = |other: &str| is_word && other.eq_ignore_ascii_case(word);
        let follows = self.current == 2;
        self.current = match self.current {
            _ if is("CURRENT") => 1,
            1 if is("OF") => 2,
            _ => 0,
        };
        follows
    }
}

/// The kind of name in a statement that begins with `word`.
fn begins(word: &str) -> Names {
    const NEXT: [&str; 8] = [
        "CLOSE",
        "DEALLOCATE",
        "DECLARE",
        "LISTEN",
        "NOTIFY",
        "PREPARE",
        "RELEASE",
        "SAVEPOINT",
    ];
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    match () {
        () if is(&NEXT) || is(&["UNLISTEN", "USE", "SAVE"]) => Names::Next,
        () if is(&["FETCH", "MOVE"]) => Names::All,
        () if is(&["ROLLBACK"]) => Names::AfterTo,
        () if is(&["EXECUTE"]) => Names::Prepared,
        () if is(&["SET"]) => Names::Setting,
        // The statement that is explained follows.
        () if is(&["EXPLAIN", "ANALYZE", "VERBOSE"]) => Names::Unknown,
        () => Names::Nothing,
    }
}

/// Whether `EXECUTE x` runs a prepared statement. SQL Server runs procedures so, whose names say something.
fn is_prepared(name: &str, rest: &Significant<'_>) -> bool {
    let next = next(rest);
    next == "("
        || next.eq_ignore_ascii_case("USING")
        // Drivers number prepared statements: `EXECUTE stmt_12`.
        || (next != "." && name.contains(|c: char| c.is_ascii_digit()))
}

fn next<'a>(rest: &Significant<'a>) -> &'a str {
    rest.clone().next().map_or("", |token| token.text)
}
