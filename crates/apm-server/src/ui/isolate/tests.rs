use maud::html;

use super::*;

fn settled(html: &maud::Markup) -> String {
    settle(html.0.clone())
}

#[test]
fn names_from_right_to_left_are_isolated_and_nothing_else_is_touched() {
    let name = "שלום עולם";
    let page = html! { h1 { (name) " took 5 ms, " b { "GET /x – “a”" } } };
    assert_eq!(
        settled(&page),
        format!("<h1><bdi>{name}</bdi> took 5 ms, <b>GET /x – “a”</b></h1>")
    );
    let plain = html! { p title="–" { "5\u{202f}ms · “é” 日本語" } };
    assert_eq!(settled(&plain), plain.0);
}

#[test]
fn characters_that_turn_the_direction_are_shown() {
    let page = html! { h1 { "abc\u{202e}fed\u{2066}\u{200f}" } };
    assert_eq!(settled(&page), "<h1>abc⟨RLO⟩fed⟨LRI⟩⟨RLM⟩</h1>");
    let mixed = html! { b { "مرحبا\u{202e} x" } };
    assert_eq!(settled(&mixed), "<b><bdi>مرحبا</bdi>⟨RLO⟩ x</b>");
}

#[test]
fn colours_of_terminals_are_left_out_and_other_codes_are_shown() {
    let page = html! { pre { "\u{1b}[1;31mred\u{1b}[0m\n\u{1b}[2J\u{7}\u{0}\u{9b}x\u{1b}" } };
    assert_eq!(settled(&page), "<pre>red\n␛[2J␇␀⟨009B⟩x␛</pre>");
}

#[test]
fn attributes_and_drawings_have_no_elements() {
    let name = "שלום";
    let page = html! {
        svg { text { (name) } }
        a title=(name) href=(name) { "x" }
        input value="a\u{202e}b";
        th data-column=(name) {}
        title { (name) }
    };
    let marked = format!("{OPEN}{name}{CLOSE}");
    assert_eq!(
        settled(&page),
        format!(
            "<svg><text>{marked}</text></svg><a title=\"{marked}\" href=\"{name}\">x</a>\
                 <input value=\"a\u{202e}b\"><th data-column=\"{name}\"></th><title>{marked}</title>"
        )
    );
}

#[test]
fn markup_that_telemetry_has_stays_text() {
    let page = html! { p data-x="\"><b>\u{202e}" { "<b>שלום</b>" } };
    assert_eq!(
        settled(&page),
        "<p data-x=\"&quot;&gt;&lt;b&gt;⟨RLO⟩\">&lt;b&gt;<bdi>שלום</bdi>&lt;/b&gt;</p>"
    );
}

proptest::proptest! {
    #[test]
    fn no_control_is_left_and_no_letter_lost(text in "[\u{0}-\u{7f}\u{590}-\u{6ff}\u{200b}-\u{2070}é<>\"&]{0,60}") {
        let page = html! { div title=(text) { p { (text) } } };
        let out = settled(&page);
        let is_ours = |c: &char| *c == OPEN || *c == CLOSE;
        proptest::prop_assert!(!out.chars().any(|c| is_control(c) && !is_ours(&c)), "{:?}", out);
        let letters = |text: &str| text.chars().filter(|c| is_rtl(*c)).count();
        proptest::prop_assert_eq!(letters(&out), letters(&page.0));
    }
}
