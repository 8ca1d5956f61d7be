//! Commands of Redis: the command stays, and of its key what stands before the first separator; all else becomes `?`.

use super::MAX_NORMALIZED;
use super::subject::Subject;

/// The meaning of the words after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// A key and values.
    Key,
    /// Keys, or keys and their values.
    Keys,
    /// Values only.
    Values,
    /// A second word of the command, and values.
    Word,
}

const KEY: &[&str] = &[
    "APPEND",
    "BITCOUNT",
    "BITFIELD",
    "BITPOS",
    "DECR",
    "DECRBY",
    "DUMP",
    "EXPIRE",
    "EXPIREAT",
    "GEOADD",
    "GEODIST",
    "GEOPOS",
    "GEORADIUS",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "GETSET",
    "HDEL",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HMSET",
    "HRANDFIELD",
    "HSCAN",
    "HSET",
    "HSETNX",
    "HSTRLEN",
    "HVALS",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "LINDEX",
    "LINSERT",
    "LLEN",
    "LMOVE",
    "LPOP",
    "LPOS",
    "LPUSH",
    "LPUSHX",
    "LRANGE",
    "LREM",
    "LSET",
    "LTRIM",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PFADD",
    "PSETEX",
    "PTTL",
    "PUBLISH",
    "RPOP",
    "RPOPLPUSH",
    "RPUSH",
    "RPUSHX",
    "SADD",
    "SCARD",
    "SETBIT",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SMOVE",
    "SPOP",
    "SPUBLISH",
    "SRANDMEMBER",
    "SREM",
    "SSCAN",
    "STRLEN",
    "TTL",
    "XACK",
    "XADD",
    "XAUTOCLAIM",
    "XCLAIM",
    "XDEL",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREVRANGE",
    "XTRIM",
    "ZADD",
    "ZCARD",
    "ZCOUNT",
    "ZINCRBY",
    "ZLEXCOUNT",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANGESTORE",
    "ZRANK",
    "ZREM",
    "ZREMRANGEBYLEX",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYSCORE",
    "ZREVRANGE",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCAN",
    "ZSCORE",
];
const KEYS: &[&str] = &[
    "BLMOVE",
    "BLPOP",
    "BRPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "DEL",
    "EXISTS",
    "MGET",
    "MSET",
    "MSETNX",
    "PFCOUNT",
    "PFMERGE",
    "PSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SDIFF",
    "SDIFFSTORE",
    "SINTER",
    "SINTERSTORE",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNION",
    "SUNIONSTORE",
    "TOUCH",
    "UNLINK",
    "UNSUBSCRIBE",
    "WATCH",
];
const VALUES: &[&str] = &[
    "AUTH",
    "BITOP",
    "DBSIZE",
    "ECHO",
    "EVAL",
    "EVALSHA",
    "EVALSHA_RO",
    "EVAL_RO",
    "FCALL",
    "FCALL_RO",
    "FLUSHALL",
    "FLUSHDB",
    "HELLO",
    "INFO",
    "KEYS",
    "MULTI",
    "PING",
    "RANDOMKEY",
    "SCAN",
    "SWAPDB",
    "UNWATCH",
    "XREAD",
    "XREADGROUP",
    "ZDIFF",
    "ZINTER",
    "ZUNION",
];
const WORD: &[&str] = &[
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY",
    "MODULE", "OBJECT", "PUBSUB", "SCRIPT", "SLOWLOG", "XGROUP", "XINFO",
];
/// Commands that SQL has, too: only a span says that they are Redis's.
const SHARED: &[&str] = &[
    "COPY", "DISCARD", "EXEC", "MOVE", "RENAME", "RENAMENX", "RESET", "RESTORE", "SELECT", "SET",
    "SORT", "TYPE",
];

/// Longest part of a key that is kept.
const LONGEST: usize = 64;

/// Whether a text is a command of Redis, although nobody says so.
pub(super) fn looks_so(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let Some(command) = words.next() else {
        return false;
    };
    let Some(key) = words.next() else {
        // `CLUSTER` alone is a statement of PostgreSQL's.
        return takes(command).is_some_and(|takes| takes != Takes::Word);
    };
    // SQL's `SET` names a setting without these signs, and `=` or `TO` follows.
    if command.eq_ignore_ascii_case("SET") {
        let is_key = |c: char| c.is_ascii_digit() || matches!(c, ':' | '/');
        return key.contains(is_key)
            && !key.contains('=')
            && !key.starts_with(['@', ':'])
            && words.next().is_some_and(|next| {
                !next.starts_with(['=', ':']) && !next.eq_ignore_ascii_case("TO")
            });
    }
    // A parenthesis or `=` follows a word of SQL's.
    takes(command).is_some() && !key.starts_with(['(', '='])
}

/// The commands with `?` for what they are given.
pub(super) fn normalize(text: &str) -> (String, Subject) {
    let mut out = String::new();
    let mut verb = String::new();
    for line in lines(text) {
        let mut words = line.into_iter();
        let Some(first) = words.next() else { continue };
        let is_command = !first.is_empty()
            && first
                .chars()
                .all(|c| c.is_ascii_alphabetic() || matches!(c, '.' | '_'));
        let is_shared = SHARED.iter().any(|known| known.eq_ignore_ascii_case(first));
        let takes = match takes(first) {
            Some(takes) => takes,
            None if is_shared || out.is_empty() => Takes::Key,
            // A value with a line break in it goes on.
            None => continue,
        };
        // Any text may stand here: only what can be a command is kept.
        let command = match is_command && first.len() <= LONGEST {
            true => first.to_uppercase(),
            false => "?".to_owned(),
        };
        let line = command.clone() + &arguments(takes, words);
        if verb.is_empty() {
            verb = command;
        }
        // A command again, with one argument or many, is told once.
        let last = out.rsplit('\n').next().unwrap_or_default();
        if last.trim_end_matches('…') == line.trim_end_matches('…') {
            if !out.ends_with('…') {
                out.push('…');
            }
            continue;
        }
        if out.len() + line.len() > MAX_NORMALIZED {
            break;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&line);
    }
    let table = String::new();
    (out, Subject { verb, table })
}

fn takes(command: &str) -> Option<Takes> {
    let is = |words: &[&str]| {
        words
            .iter()
            .any(|known| known.eq_ignore_ascii_case(command))
    };
    match () {
        () if is(KEY) => Some(Takes::Key),
        () if is(KEYS) => Some(Takes::Keys),
        () if is(VALUES) => Some(Takes::Values),
        () if is(WORD) => Some(Takes::Word),
        () => None,
    }
}

fn arguments<'a>(takes: Takes, mut words: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    match takes {
        Takes::Values => {}
        Takes::Key | Takes::Keys => match words.next() {
            Some(word) => out = format!(" {}", key(word)),
            None => return out,
        },
        Takes::Word => match words.next() {
            Some(word)
                if word.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
                    && word.len() <= LONGEST =>
            {
                out = format!(" {}", word.to_uppercase());
            }
            Some(_) => out.push_str(" ?"),
            None => return out,
        },
    }
    // One or several: calls with two and with ten keys are one statement.
    let more = words.take(2).count();
    match (takes, more) {
        (Takes::Keys, _) => out.push('…'),
        (_, 0) => {}
        (_, 1) => out.push_str(" ?"),
        _ => out.push_str(" ?…"),
    }
    out
}

/// `user:42` → `user:?`. What stands behind the first separator may be anybody's name.
fn key(word: &str) -> String {
    let word = word.trim_matches(['"', '\'']);
    let end = word.find(|c: char| !(c.is_ascii_alphabetic() || c == '_'));
    let end = end.unwrap_or(word.len()).min(LONGEST);
    // Only ASCII comes before `end`, so that it splits no character.
    let (name, rest) = word.split_at(end);
    match rest.chars().next() {
        _ if name.is_empty() => "?".to_owned(),
        None => name.to_owned(),
        Some(separator @ (':' | '/' | '|')) => format!("{name}{separator}?"),
        Some('0'..='9') => format!("{name}?"),
        Some(_) => "?".to_owned(),
    }
}

/// The words of each line. One in quotes may hold blanks and line breaks.
fn lines(text: &str) -> Vec<Vec<&str>> {
    let mut lines = vec![Vec::new()];
    let mut chars = text.char_indices().peekable();
    while let Some((start, char)) = chars.next() {
        if char == '\n' {
            lines.push(Vec::new());
        }
        if char.is_whitespace() {
            continue;
        }
        let mut end = start + char.len_utf8();
        if matches!(char, '"' | '\'') {
            while let Some((at, next)) = chars.next() {
                end = at + next.len_utf8();
                // An escaped quotation mark does not end the word.
                if next == '\\' {
                    if let Some((at, escaped)) = chars.next() {
                        end = at + escaped.len_utf8();
                    }
                } else if next == char {
                    break;
                }
            }
        } else {
            while let Some((at, next)) = chars.next_if(|(_, next)| !next.is_whitespace()) {
                end = at + next.len_utf8();
            }
        }
        if let Some(line) = lines.last_mut() {
            line.push(&text[start..end]);
        }
    }
    lines
}
