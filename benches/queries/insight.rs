//! The questions of the pages of SQL insight.

use apm_server::analytics::samples::Durations;
use apm_server::analytics::window::Window;
use apm_server::analytics::{Scope, statement};
use apm_server::insight::callers::{self, Wanted};
use apm_server::insight::compare::{self, Stretch};
use apm_server::insight::finding::{self, Which};
use apm_server::insight::growth;
use apm_time::{Range, SECOND};
use sql_lexer::Fingerprint;

use super::{Ask, data};

pub(crate) fn questions(end: i64, hours: f64) -> Vec<(&'static str, Ask)> {
    let seconds = (3_600.0 * hours) as i64;
    let range = Range {
        from: end - seconds * SECOND,
        to: end,
    };
    let now = end / SECOND;
    let window = Window::new(range, end);
    let fingerprint = Fingerprint::from_text(&data::select(0)).hash;
    let (of_one, of_all, of_each) = (window.clone(), window.clone(), window.clone());
    let callers = |of: Wanted, window: Window| -> Ask {
        Box::new(move |conn| {
            callers::list(conn, &Scope::default(), of, &window)?;
            Ok(())
        })
    };
    let insights: Ask = Box::new(|conn| {
        let which = Which {
            ended: true,
            dismissed: true,
            fingerprint: None,
        };
        finding::list(conn, &Scope::default(), which)?;
        Ok(())
    });
    let one: Ask = Box::new(move |conn| {
        statement::detail(
            conn,
            &Scope::default(),
            fingerprint,
            Durations::default(),
            &window,
        )?;
        Ok(())
    });
    let growth: Ask = Box::new(move |conn| {
        for known in growth::subjects(conn, &Scope::default(), fingerprint)?
            .iter()
            .take(3)
        {
            growth::read(conn, known.subject(), now)?;
        }
        Ok(())
    });
    let compare: Ask = Box::new(move |conn| {
        let half = seconds / 2;
        let stretch = |to: i64| Stretch {
            from: to - half,
            to,
        };
        let scope = Scope {
            service: Some(data::SERVICES[0].to_owned()),
            ..Scope::default()
        };
        compare::windows(conn, &scope, stretch(now - half), stretch(now))?;
        Ok(())
    });
    vec![
        ("insights", insights),
        ("SQL of each request group", callers(Wanted::All, of_all)),
        (
            "callers of each, 6 h at most",
            callers(Wanted::Each, of_each),
        ),
        ("one statement", one),
        (
            "its callers",
            callers(Wanted::Statement(fingerprint), of_one),
        ),
        ("its growth", growth),
        ("compare", compare),
    ]
}
