//! Situations with the requests that make them, and the sentences that pages give then.

/// The window of a page, the last 15 minutes, and the one before: minutes before now, away from their edges.
const NOW: (i64, i64) = (13, 2);
const BEFORE: (i64, i64) = (28, 17);
/// The end of the earlier window only: the service was started in it.
const LATE: (i64, i64) = (19, 17);

/// Requests: when, the letter of the environment, name, number, ms, failed.
pub(super) type Requests = ((i64, i64), &'static str, &'static str, i64, f64, i64);

/// `*` stands for any text.
pub(super) struct Situation {
    pub(super) requests: &'static [Requests],
    /// `{s}` is the service, `{e}` the environment.
    pub(super) page: &'static str,
    pub(super) answer: &'static str,
    pub(super) why: &'static str,
}

const fn is(
    requests: &'static [Requests],
    page: &'static str,
    answer: &'static str,
    why: &'static str,
) -> Situation {
    Situation {
        requests,
        page,
        answer,
        why,
    }
}

const SERVICES: &str = "/services?env={e}";
const SERVICE: &str = "/services/{s}?q=";
const REQUEST: &str = "/services/{s}/transactions/view?name=GET%20/a&type=request";
const COMPARE: &str = "/compare?env={e}";

/// `GET /a` as it was in the window before.
const USUAL: Requests = (BEFORE, "", "GET /a", 40, 10.0, 0);

const STEADY: &[Requests] = &[USUAL, (NOW, "", "GET /a", 40, 10.2, 0)];
const SLOWER: &[Requests] = &[USUAL, (NOW, "", "GET /a", 40, 14.0, 0)];
const THRICE: &[Requests] = &[USUAL, (NOW, "", "GET /a", 40, 30.0, 0)];
const FASTER: &[Requests] = &[USUAL, (NOW, "", "GET /a", 40, 5.0, 0)];
const FEW: &[Requests] = &[
    (BEFORE, "", "GET /a", 9, 10.0, 0),
    (NOW, "", "GET /a", 9, 50.0, 9),
];
const NEW: &[Requests] = &[(NOW, "", "GET /a", 40, 50.0, 0)];
const STARTED: &[Requests] = &[
    (LATE, "", "GET /a", 40, 10.0, 0),
    (NOW, "", "GET /a", 40, 50.0, 0),
];
const OTHERS: &[Requests] = &[
    USUAL,
    (NOW, "", "GET /a", 12, 10.0, 0),
    (NOW, "", "GET /b", 40, 90.0, 0),
];
/// The slow request became more frequent, and none became slower.
const MIX: &[Requests] = &[
    (BEFORE, "", "GET /a", 90, 1.0, 0),
    (BEFORE, "", "GET /slow", 10, 100.0, 0),
    (NOW, "", "GET /a", 50, 1.0, 0),
    (NOW, "", "GET /slow", 50, 100.0, 0),
];
/// The slow request became rarer, and both became slower.
const HIDDEN: &[Requests] = &[
    (BEFORE, "", "GET /a", 50, 1.0, 0),
    (BEFORE, "", "GET /slow", 50, 100.0, 0),
    (NOW, "", "GET /a", 90, 1.5, 0),
    (NOW, "", "GET /slow", 10, 150.0, 0),
];
/// The traffic moved from a fast environment to a slow one.
const MOVED: &[Requests] = &[
    (BEFORE, "a", "GET /a", 90, 1.0, 0),
    (BEFORE, "b", "GET /a", 10, 100.0, 0),
    (NOW, "a", "GET /a", 10, 1.0, 0),
    (NOW, "b", "GET /a", 90, 100.0, 0),
];
const FAILING: &[Requests] = &[USUAL, (NOW, "", "GET /a", 40, 10.0, 4)];

const AS_BEFORE: &str =
    "Average latency is about as in the 15 minutes before, and fewer than 1 % of requests fail.";
const NO_EARLIER: &str = "*There is no earlier data to compare with.";
const ANSWERS: &str = "1 service answers * requests per minute.";
const FEW_FAIL: &str = "Fewer than 1 % of requests fail.";
const ON_AVERAGE: &str = "Requests to {s} take 50.0 ms on average.";
const FORTY: &str = "40 requests in the last 15 minutes.";

pub(super) const SITUATIONS: &[Situation] = &[
    is(STEADY, SERVICES, ANSWERS, AS_BEFORE),
    is(
        SLOWER,
        SERVICES,
        "{s} is slower: its requests take 40 % longer than in the 15 minutes before.",
        "From 10.0 ms to 14.0 ms on average, for the same requests.",
    ),
    is(
        THRICE,
        SERVICES,
        "{s} is slower: its requests take 3 times as long as in the 15 minutes before.",
        "From 10.0 ms to 30.0 ms on average, for the same requests.",
    ),
    is(
        &[
            (BEFORE, "", "GET /a", 40, 0.1, 0),
            (NOW, "", "GET /a", 40, 105.5, 0),
        ],
        SERVICES,
        "{s} is slower: its requests take 1,055 times as long as in the 15 minutes before.",
        "From 100 µs to 106 ms on average, for the same requests.",
    ),
    is(MIX, SERVICES, ANSWERS, AS_BEFORE),
    is(
        HIDDEN,
        SERVICES,
        "{s} is slower: its requests take 50 % longer than in the 15 minutes before.",
        "From * to * on average, for the same requests.",
    ),
    is(NEW, SERVICES, ANSWERS, NO_EARLIER),
    is(STARTED, SERVICES, ANSWERS, NO_EARLIER),
    is(
        FEW,
        SERVICES,
        ANSWERS,
        "100 % of the few requests to {s} failed.",
    ),
    is(OTHERS, SERVICES, ANSWERS, FEW_FAIL),
    is(FASTER, SERVICES, ANSWERS, FEW_FAIL),
    is(
        FAILING,
        SERVICES,
        "10 % of requests to {s} failed in the last 15 minutes.",
        "It answers * requests per minute and records no errors.",
    ),
    is(STEADY, "/services?env={e}&cmp=off", ANSWERS, FEW_FAIL),
    is(
        &[USUAL],
        SERVICES,
        "No service has sent anything in the environment {e} in the last 15 minutes.",
        "Look at another range of time, or at all services and environments.",
    ),
    is(
        STEADY,
        SERVICE,
        "Requests to {s} take 10.2 ms on average, about as in the 15 minutes before.",
        FORTY,
    ),
    is(
        SLOWER,
        SERVICE,
        "Requests to {s} take 14.0 ms on average, 40 % longer than in the 15 minutes before.",
        FORTY,
    ),
    is(
        FASTER,
        SERVICE,
        "Requests to {s} take 5.00 ms on average, 50 % less than in the 15 minutes before.",
        FORTY,
    ),
    is(
        MIX,
        SERVICE,
        "Requests to {s} take 50.5 ms on average, about as in the 15 minutes before.",
        "99 % of its time goes into GET /slow.",
    ),
    is(
        MOVED,
        SERVICE,
        "Requests to {s} take 90.1 ms on average, about as in the 15 minutes before.",
        "100 requests in the last 15 minutes.",
    ),
    is(NEW, SERVICE, ON_AVERAGE, NO_EARLIER),
    is(STARTED, SERVICE, ON_AVERAGE, NO_EARLIER),
    is(
        FEW,
        SERVICE,
        ON_AVERAGE,
        "*There are too few requests to compare with earlier ones.",
    ),
    is(
        OTHERS,
        SERVICE,
        "Requests to {s} take 71.5 ms on average.",
        "*Most requests are of kinds that did not occur before.",
    ),
    is(NEW, "/services/{s}?cmp=off", ON_AVERAGE, FORTY),
    is(
        &[USUAL],
        SERVICE,
        "{s} answered no requests in the last 15 minutes.",
        "*",
    ),
    is(
        THRICE,
        REQUEST,
        "95 % of GET /a finish within 30.0 ms, 3 times as long as in the 15 minutes before.",
        FORTY,
    ),
    is(
        MOVED,
        REQUEST,
        "95 % of GET /a finish within 100 ms.",
        "100 requests in the last 15 minutes.",
    ),
    is(
        NEW,
        REQUEST,
        "95 % of GET /a finish within 50.0 ms.",
        NO_EARLIER,
    ),
    is(
        &[USUAL, (NOW, "", "GET /a", 3, 90.0, 1)],
        REQUEST,
        "GET /a took 90.0 ms on average in 3 requests.",
        "33 % of its requests failed.",
    ),
    is(
        OTHERS,
        "/services/{s}/transactions/view?name=GET%20/b&type=request",
        "95 % of GET /b finish within 90.0 ms.",
        NO_EARLIER,
    ),
    is(
        SLOWER,
        COMPARE,
        "1 kind of request is slower than in the 15 minutes before.",
        "*",
    ),
    is(
        STEADY,
        COMPARE,
        "No kind of request is slower than in the 15 minutes before.",
        "*",
    ),
    is(
        NEW,
        COMPARE,
        "There is no earlier data to compare with.",
        "*",
    ),
    is(
        STARTED,
        COMPARE,
        "There is no earlier data to compare with.",
        "*",
    ),
    is(FEW, COMPARE, "There are too few requests to compare.", "*"),
];
