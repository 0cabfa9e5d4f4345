//! What came in numbers: `creel stats`, and the page that collectors of metrics read.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use support::{
    Home, Serving,
    app::{App, status},
};

const CREEL_TOML: &str = r#"
[metrics]
listen = "0"
[[endpoint]]
name = "hub"
path = "/hub"
provider = "github"
secret = { env = "HUB_SECRET" }
[[endpoint]]
name = "a \"quoted\" one"
path = "/a"
"#;

/// Starts one, and gives where its metrics are.
fn serve(home: &Home, text: &str) -> (Serving, String) {
    home.write("creel.toml", text);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("HUB_SECRET", "s3cret");
    let mut serving = Serving::start(command);
    let said = serving.says("metrics are told at");
    let url = said.rsplit("http://").next().unwrap().trim_end_matches("/metrics").to_owned();
    (serving, url)
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Waits until the page has a line.
fn until(address: &str, line: &str) -> String {
    loop {
        let page = ask(address, "GET /metrics");
        if page.lines().any(|it| it == line) {
            return page;
        }
        std::thread::yield_now();
    }
}

#[test]
fn who_collects_metrics_reads_totals_that_only_grow_and_standings() {
    let home = Home::new();
    let (serving, metrics) = serve(&home, CREEL_TOML);
    let page = ask(&metrics, "GET /metrics");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("text/plain; version=0.0.4"), "{page}");
    assert!(!page.contains("creel_captures_total{"), "nothing came yet: {page}");

    let signed = [("X-GitHub-Event", "push"), ("X-Hub-Signature-256", "sha256=00"), ("X-GitHub-Delivery", "1")];
    serving.post("/hub", &signed, b"{}");
    serving.post("/hub", &signed, b"{}");
    serving.post("/a", &[], b"1234");
    serving.raw(b"GARBAGE\r\n\r\n");
    let page = until(&metrics, "creel_refused_total 1");
    for line in [
        r#"creel_captures_total{endpoint="hub",provider="github",verdict="failed",duplicate="no",status="200"} 1"#,
        r#"creel_captures_total{endpoint="hub",provider="github",verdict="failed",duplicate="yes",status="200"} 1"#,
        r#"creel_captures_total{endpoint="a \"quoted\" one",provider="",verdict="unsigned",duplicate="no",status="200"} 1"#,
        "creel_body_bytes_total 8",
        "creel_store_captures 3",
        "creel_keeping 1",
    ] {
        assert!(page.lines().any(|it| it == line), "{line}\n{page}");
    }
    assert_eq!(ask(&metrics, "GET /metrics").lines().last(), page.lines().last(), "asking changes nothing");
    // What is deleted was there all the same.
    home.yes(&["forget", "--all"]);
    let page = until(&metrics, "creel_store_captures 0");
    assert!(page.contains("duplicate=\"yes\",status=\"200\"} 1"), "{page}");
}

#[test]
fn what_apps_answered_is_counted() {
    let home = Home::new();
    let app = App::start(|turn, _| status(if turn == 0 { 500 } else { 200 }));
    let forward = format!("[[endpoint.forward]]\nto = \"{}\"\nretry = [\"1ms\"]\n", app.url);
    let (serving, metrics) = serve(&home, &format!("{CREEL_TOML}{forward}"));
    serving.post("/a", &[], b"{}");
    let page = until(&metrics, r#"creel_deliveries_total{endpoint="a \"quoted\" one",status="200"} 1"#);
    let failed = r#"creel_deliveries_total{endpoint="a \"quoted\" one",status="500"} 1"#;
    assert!(page.lines().any(|it| it == failed), "{page}");
    assert!(page.lines().any(|it| it == "creel_delivery_seconds_bucket{le=\"+Inf\"} 2"), "{page}");
    // The same in numbers of a time.
    let stats: serde_json::Value = serde_json::from_str(&home.yes(&["stats", "--last", "1h", "--json"])).unwrap();
    assert_eq!((&stats["captures"], &stats["deliveries"]["count"]), (&1.into(), &2.into()));
    assert_eq!(stats["deliveries"]["answered_2xx"], 1);
    assert_eq!(stats["endpoints"][0]["name"], "a \"quoted\" one");
    assert_eq!(stats["endpoints"][0]["verdicts"]["unsigned"], 1);
    let of = |list: &str, number: &dyn Fn(&serde_json::Value) -> u64| -> u64 {
        stats[list].as_array().unwrap().iter().map(number).sum()
    };
    assert_eq!(of("sizes", &|class| class["count"].as_u64().unwrap()), 1);
    assert_eq!(of("series", &|piece| piece["verdicts"]["unsigned"].as_u64().unwrap()), 1);
    let text = home.yes(&["stats"]);
    assert!(text.contains("1 unsigned") && text.contains("2 tries   50 % 2xx"), "{text}");
}

#[test]
fn nothing_else_is_to_be_had_there() {
    let home = Home::new();
    let (_serving, metrics) = serve(&home, CREEL_TOML);
    assert!(ask(&metrics, "GET /").starts_with("HTTP/1.1 404 "));
    assert!(ask(&metrics, "POST /metrics").starts_with("HTTP/1.1 405 "));
    let head = ask(&metrics, "HEAD /metrics");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert_eq!(home.captures().len(), 0);
}

#[test]
fn nothing_came_is_no_and_mistakes_are_pointed_at() {
    let home = Home::new();
    drop(serve(&home, CREEL_TOML));
    assert_eq!(home.run(&["stats"]).status.code(), Some(1));
    assert!(home.fails(2, &["stats", "--last", "soon"]).contains("30s, 5m, 1h or 7d"));
    home.write("creel.toml", "[metrics]\nlisten = \"nowhere\"");
    let said = home.fails(2, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("creel.toml:2:10") && said.contains("127.0.0.1:27336"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    home.write("creel.toml", format!("[metrics]\nlisten = \"{}\"", taken.local_addr().unwrap()));
    let said = home.fails(2, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("is taken") && said.contains("`listen` in [metrics]"), "{said}");
}
