use serde_json::{Value as Tree, json};

use super::*;

/// The frames as `function file:line`, those of libraries in brackets.
fn shown(frames: &Tree) -> Vec<String> {
    let frames = frames.as_array().unwrap().iter();
    let text = |frame: &Tree, name: &str| frame[name].as_str().unwrap_or_default().to_owned();
    frames
        .map(|frame| {
            let class = text(frame, "classname");
            let dot = if class.is_empty() { "" } else { "." };
            let call = format!(
                "{class}{dot}{} {}:{}",
                text(frame, "function"),
                text(frame, "filename"),
                frame["lineno"]
            );
            match frame["library_frame"] == true {
                true => format!("({call})"),
                false => call,
            }
        })
        .collect()
}

#[test]
fn each_language_is_read_innermost_call_first() {
    let cases: [(&str, &str, &[&str]); 7] = [
        (
            "python",
            "Traceback (most recent call last):\n  File \"/usr/lib/python3.12/a.py\", line 9, in run\n    f()\n  \
             File \"/app/b.py\", line 28, in <module>\n    raise ValueError(\"no\")\n    ^^^^^^\nValueError: no\n",
            &["<module> /app/b.py:28", "(run /usr/lib/python3.12/a.py:9)"],
        ),
        (
            "nodejs",
            "RangeError: too far\nand more\n    at file:///app/js.mjs:11:250\n    at new Shop (/app/s.js:1:2)\n    \
             at async Module.run (node:internal/modules:4:5)\n    at Array.map (<anonymous>)\n  code: 'X'",
            &[
                "<anonymous> /app/js.mjs:11",
                "Shop /app/s.js:1",
                "(Module.run node:internal/modules:4)",
                "Array.map <anonymous>:null",
            ],
        ),
        (
            "go",
            "goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\n\
             main.(*shop).order(0xc0001, {0x1, 0x2}, 0x3)\n\t/app/main.go:10 +0x1d\n\
             created by main.main in goroutine 1\n\
             \t/app/main.go:5 +0x2\n",
            &[
                "(Stack /usr/local/go/src/runtime/debug/stack.go:24)",
                "(*shop).order /app/main.go:10",
                "main /app/main.go:5",
            ],
        ),
        (
            "java",
            "java.lang.IllegalStateException: a\n\tat java.base@21/java.util.List.of(List.java:9)\n\t\
             at shop.Cart.add(Cart.java:28)\n\tat shop.Main.main(Unknown Source)\n",
            &[
                "java.util.List.of List.java:9",
                "shop.Cart.add Cart.java:28",
                "shop.Main.main Unknown Source:null",
            ],
        ),
        (
            "dotnet",
            "System.InvalidOperationException: no\n   \
             at Shop.Orders.Ship(String id, Int32 n) in /src/Orders.cs:line 42\n   \
             at System.Threading.Tasks.Task.Run()\n--- End of stack trace from previous location ---\n   \
             at Shop.A..ctor()\n",
            &[
                "Shop.Orders.Ship /src/Orders.cs:42",
                "(System.Threading.Tasks.Task.Run :null)",
                "Shop.A.ctor :null",
            ],
        ),
        (
            "ruby",
            "/app/shop.rb:3:in `ship': no carrier (RuntimeError)\n\tfrom /gems/x/lib/x.rb:5:in 'Shop#run'\n\t\
             from /app/shop.rb:9:in `<main>'\n",
            &[
                "ship /app/shop.rb:3",
                "(Shop#run /gems/x/lib/x.rb:5)",
                "<main> /app/shop.rb:9",
            ],
        ),
        (
            "rust",
            "   0: std::panicking::begin\n             at /rustc/abc/library/std/src/panicking.rs:1:5\n   \
             1: shop::ship::h0123456789abcdef\n             at ./src/main.rs:7:9\n   2: main\n",
            &[
                "(std::panicking::begin /rustc/abc/library/std/src/panicking.rs:1)",
                "shop::ship ./src/main.rs:7",
                "main :null",
            ],
        ),
    ];
    for (language, text, wanted) in cases {
        for named in [language, ""] {
            let parsed =
                parse(named, text).unwrap_or_else(|| panic!("{language} is not read as {named:?}"));
            assert_eq!(shown(&parsed.frames), wanted, "{language} as {named:?}");
            assert_eq!(parsed.cause, None, "{language}");
        }
    }
}

#[test]
fn what_caused_an_exception_is_its_cause() {
    let java = "a.A: x\n\tat a.B.c(B.java:1)\n\tat a.M.main(M.java:9)\n\
                \tSuppressed: a.S: s\n\t\tat a.S.t(S.java:3)\n\t\t\
                ... 1 more\n\tCaused by: a.N: never\nCaused by: a.C: y\n\tat a.D.e(D.java:2)\n\t... 1 more\n";
    let python = "Traceback (most recent call last):\n  File \"/a.py\", line 1, in f\n    x\nKeyError: 'k'\n\n\
                  During handling of the above exception, another exception occurred:\n\n\
                  Traceback (most recent call last):\n  File \"/a.py\", line 2, in g\nValueError: v";
    let dotnet = "A.Outer: o\n ---> A.Inner: i\n   at A.In.F()\n   --- End of inner exception stack trace ---\n   \
                  at A.Out.G()";
    for (language, text, frames, kind, message, inner) in [
        (
            "java",
            java,
            vec!["a.B.c B.java:1", "a.M.main M.java:9"],
            "a.C",
            "y",
            vec!["a.D.e D.java:2", "a.M.main M.java:9"],
        ),
        (
            "python",
            python,
            vec!["g /a.py:2"],
            "KeyError",
            "'k'",
            vec!["f /a.py:1"],
        ),
        (
            "dotnet",
            dotnet,
            vec!["A.Out.G :null"],
            "A.Inner",
            "i",
            vec!["A.In.F :null"],
        ),
    ] {
        let parsed = parse(language, text).unwrap_or_else(|| panic!("{language} is not read"));
        assert_eq!(shown(&parsed.frames), frames, "{language}");
        let cause = parsed.cause.unwrap();
        assert_eq!(
            (&cause["type"], &cause["message"]),
            (&json!(kind), &json!(message))
        );
        assert_eq!(shown(&cause["stacktrace"]), inner, "{language}");
    }
}

#[test]
fn a_text_of_another_form_stays_a_text() {
    for (language, text) in [
        ("python", "Traceback"),
        (
            "python",
            "Traceback (most recent call last):\n  File \"/a.py\", line x, in f\nE",
        ),
        ("java", "a.A: x\n\tat a.B.c(B.java:1)\nsomething else"),
        ("java", "a.A: x\n\tat a.B.c(B.java:one)"),
        (
            "java",
            "a.A: x\n\tat a.B.c(B.java:1)\nCaused by: b\n\t... 9 more",
        ),
        ("go", "goroutine 1 [running]:\nmain.f()"),
        ("go", "main.f()\n\t/a.go:1"),
        ("nodejs", "Error: x"),
        ("dotnet", "E: x\n   at A.B.C()\nsomething else"),
        ("ruby", "no calls here"),
        ("rust", "thread 'main' panicked"),
        ("java", ""),
        ("", "é\u{0}\n\tat "),
    ] {
        assert_eq!(parse(language, text), None, "{language}: {text}");
    }
}
