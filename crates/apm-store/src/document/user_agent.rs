//! The name of a browser, from its `User-Agent` header.
//!
//! Nearly all readers use one of a dozen browsers, which say so in a known place. They have frozen the rest of the
//! header, so a longer table would find no more in it. What is not known is left out.

/// The facts in a header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UserAgent<'a> {
    /// Such as `Chrome`.
    pub(super) name: Option<&'static str>,
    /// Such as `156.0.0.0`.
    pub(super) version: &'a str,
    /// Such as `Windows`.
    pub(super) system: Option<&'static str>,
    /// Such as `10`.
    pub(super) system_version: String,
    /// Such as `iPhone`.
    pub(super) device: Option<&'static str>,
}

/// The mark of a browser, and its name. A browser that is built on another one names that one too, so it stands before
/// it.
const BROWSERS: [(&str, &str); 21] = [
    ("Googlebot/", "Googlebot"),
    ("bingbot/", "BingBot"),
    ("HeadlessChrome/", "HeadlessChrome"),
    ("EdgiOS/", "Edge Mobile"),
    ("EdgA/", "Edge Mobile"),
    ("Edg/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("Opera/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("CriOS/", "Chrome Mobile iOS"),
    ("FxiOS/", "Firefox iOS"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Electron/", "Electron"),
    ("Trident/", "IE"),
    ("MSIE ", "IE"),
];

/// Reads a header.
pub(super) fn parse(header: &str) -> UserAgent<'_> {
    let mut read = UserAgent::default();
    let known = BROWSERS
        .iter()
        .find_map(|(mark, name)| Some((*name, after(header, mark)?)));
    let is_phone = header.contains("Mobile");
    match known {
        Some(("Chrome", rest)) if is_phone && header.contains("Android") => {
            (read.name, read.version) = (Some("Chrome Mobile"), version(rest));
        }
        Some(("Firefox", rest)) if header.contains("Android") => {
            (read.name, read.version) = (Some("Firefox Mobile"), version(rest));
        }
        // The engine is not the browser: that of version 7 stands in IE 11.
        Some(("IE", rest)) => {
            let named = after(header, "rv:").unwrap_or(rest);
            (read.name, read.version) = (Some("IE"), version(named));
        }
        Some((name, rest)) => (read.name, read.version) = (Some(name), version(rest)),
        None => {
            // Others call themselves `Safari/` too; only Safari puts its own version apart.
            if let Some(rest) = after(header, "Version/").filter(|_| header.contains("Safari/")) {
                let name = if is_phone { "Mobile Safari" } else { "Safari" };
                (read.name, read.version) = (Some(name), version(rest));
            }
        }
    }
    (read.system, read.system_version) = system(header);
    read.device = device(header);
    read
}

fn system(header: &str) -> (Option<&'static str>, String) {
    // Apple writes `15_6_1`.
    let dotted = |text: &str| version(text).replace('_', ".");
    if let Some(rest) = after(header, "Windows NT ") {
        let version = match version(rest) {
            "6.1" => "7",
            "6.2" => "8",
            "6.3" => "8.1",
            "10.0" => "10",
            other => other,
        };
        return (Some("Windows"), version.to_owned());
    }
    // This comes before `Mac OS X`: iOS calls itself `like Mac OS X`.
    for mark in ["CPU iPhone OS ", "iPhone OS ", "CPU OS "] {
        if let Some(rest) = after(header, mark) {
            return (Some("iOS"), dotted(rest));
        }
    }
    if let Some(rest) = after(header, "Android ") {
        return (Some("Android"), dotted(rest));
    }
    if let Some(rest) = after(header, "Mac OS X ") {
        return (Some("Mac OS X"), dotted(rest));
    }
    let plain = [
        ("CrOS", "Chrome OS"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
        ("X11", "Linux"),
    ];
    let known = plain.iter().find(|(mark, _)| header.contains(mark));
    (known.map(|(_, name)| *name), String::new())
}

fn device(header: &str) -> Option<&'static str> {
    let marks = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Googlebot", "Spider"),
        ("bingbot", "Spider"),
        ("Macintosh", "Mac"),
    ];
    let known = marks.iter().find(|(mark, _)| header.contains(mark));
    match known {
        Some((_, name)) => Some(name),
        // Phones say `Mobile`, tablets do not.
        None if header.contains("Android") && header.contains("Mobile") => {
            Some("Generic Smartphone")
        }
        None if header.contains("Android") => Some("Generic Tablet"),
        None => None,
    }
}

/// The text behind the first place of a mark.
fn after<'a>(header: &'a str, mark: &str) -> Option<&'a str> {
    header.find(mark).map(|at| &header[at + mark.len()..])
}

/// The version at the start of a text.
fn version(text: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    &text[..end.min(64)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_systems_and_devices_are_known() {
        for (header, name, version, system, system_version, device) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                "Chrome",
                "156.0.0.0",
                "Linux",
                "",
                "",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 \
                 Safari/537.36 Edg/130.0.2849.68",
                "Edge",
                "130.0.2849.68",
                "Windows",
                "10",
                "",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0.1 Safari/605.1.15",
                "Safari",
                "18.0.1",
                "Mac OS X",
                "10.15.7",
                "Mac",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/17.6 Mobile/15E148 Safari/604.1",
                "Mobile Safari",
                "17.6",
                "iOS",
                "17.6.1",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome Mobile",
                "129.0.0.0",
                "Android",
                "10",
                "Generic Smartphone",
            ),
            (
                "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0",
                "Firefox Mobile",
                "131.0",
                "Android",
                "14",
                "Generic Smartphone",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
                "IE",
                "11.0",
                "Windows",
                "7",
                "",
            ),
        ] {
            let read = parse(header);
            assert_eq!(read.name.unwrap_or_default(), name, "{header}");
            assert_eq!(read.version, version, "{header}");
            assert_eq!(read.system.unwrap_or_default(), system, "{header}");
            assert_eq!(read.system_version, system_version, "{header}");
            assert_eq!(read.device.unwrap_or_default(), device, "{header}");
        }
        assert_eq!(parse("curl/8"), UserAgent::default());
        assert_eq!(parse("é Chrome/é").name, Some("Chrome"));
    }
}
