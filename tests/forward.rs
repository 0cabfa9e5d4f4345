//! What comes goes on to apps by itself: once its sender is answered or before, again where it fails, and never in a ring.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

use support::{
    Home,
    app::{App, status},
    port::Port,
};

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    request.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("no {name}: {request}"))
}

fn config(home: &Home, forward: &str) {
    home.write("creel.toml", format!("[[endpoint]]\nname = 'bin'\npath = '/'\n{forward}\n"));
}

#[test]
fn what_comes_goes_on_as_it_came_and_bears_one_id_on_each_try() {
    let home = Home::new();
    let app = App::start(|turn, _| status(if turn == 0 { 503 } else { 200 }));
    config(&home, &format!("forward = {{ to = '{}', retry = ['10ms'] }}", app.url));
    let serving = home.serve(&["--quiet"]);
    let id = serving.post("/a?x=1", &[("X-Dup", "1"), ("x-dup", "2")], b"{}");
    let (first, second) = (app.next(), app.next());
    assert_eq!(first, second);
    assert!(first.starts_with("POST /a?x=1 HTTP/1.1\r\nHost: ") && first.ends_with("\r\n\r\n{}"), "{first}");
    assert!(first.contains("X-Dup: 1\r\nx-dup: 2\r\n"), "{first}");
    let errand = header(&first, "Creel-Delivery-Id").to_owned();
    let shown = home.until(&["show", &id.to_string()], |shown| shown.matches("try ").count() == 2);
    assert!(shown.contains(&format!("+ Creel-Delivery-Id: {errand}")) && shown.contains("+ Creel-Hops: "), "{shown}");
    home.until(&["ls", "reply:200"], |listed| listed.contains("/a"));
    assert_eq!(home.run(&["ls", "reply:waiting"]).status.code(), Some(1), "nothing waits any more");
}

#[test]
fn a_url_alone_names_the_app_and_forwards_nothing() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    config(&home, &format!("forward = '{}'", app.url));
    let serving = home.serve(&["--quiet"]);
    serving.post("/first", &[], b"");
    serving.post("/second", &[], b"");
    home.yes(&["resend", "2"]);
    assert_eq!(app.path(), "/second");
}

#[test]
fn a_proxied_sender_gets_what_the_app_says() {
    let home = Home::new();
    let app = App::start(|turn, _| if turn < 2 { status([201, 500][turn]) } else { None });
    config(&home, &format!("forward = {{ to = '{}', answer = 'proxy' }}", app.url));
    let serving = home.serve(&["--quiet"]);
    let post = |path: &str| {
        let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}");
        serving.raw(request.as_bytes())
    };
    let first = post("/a");
    assert!(first.starts_with("HTTP/1.1 201") && first.ends_with("\r\n\r\nok"), "{first}");
    assert!(first.to_lowercase().contains("x-app: yes\r\n") && first.to_lowercase().contains("creel-id: 1\r\n"));
    assert!(post("/b").starts_with("HTTP/1.1 500"), "it is not tried again: its sender will do that");
    let broken = post("/c");
    assert!(broken.starts_with("HTTP/1.1 502") && broken.contains("\"caught\":3"), "{broken}");
    assert_eq!([app.path(), app.path(), app.path()], ["/a", "/b", "/c"]);
    home.until(&["ls", "status:500", "reply:500"], |listed| listed.contains("/b"));
    assert_eq!(home.run(&["dead"]).status.code(), Some(1), "nothing was given up");
}

#[test]
fn a_proxied_sender_gets_each_header_byte_for_byte_and_the_length_of_what_it_did_not_ask_for() {
    let home = Home::new();
    let app = App::start(|turn, _| {
        let rest = if turn == 0 { "11\r\n\r\n" } else { "2\r\n\r\nok" };
        let lines = b"HTTP/1.1 200 X\r\nX-Latin: caf\xe9\r\nX-Two: b\r\nX-Two: a\r\nKeep-Alive: 5\r\nContent-Length: ";
        Some([&lines[..], rest.as_bytes()].concat())
    });
    config(&home, &format!("forward = {{ to = '{}', answer = 'proxy' }}", app.url));
    let serving = home.serve(&["--quiet"]);
    let ask = |method: &str| {
        let mut stream = serving.connect();
        write!(stream, "{method} /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        // Each byte as the character of its number, so that none is lost.
        answer.iter().copied().map(char::from).collect::<String>()
    };
    for (method, length, body) in [("HEAD", "11", ""), ("GET", "2", "ok")] {
        let answer = ask(method);
        let lower = answer.to_lowercase();
        assert!(lower.contains("\r\nx-latin: caf\u{e9}\r\nx-two: b\r\nx-two: a\r\n"), "{answer}");
        assert_eq!(lower.matches("content-length").count(), 1, "{answer}");
        assert!(lower.contains(&format!("\r\ncontent-length: {length}\r\n")), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")) && !lower.contains("keep-alive: 5"), "{answer}");
    }
}

#[test]
fn a_filter_chooses_and_web_pages_never_go_on() {
    let home = Home::new();
    let app = App::start(|_, _| status(200));
    config(&home, &format!("forward = [{{ to = '{}', when = 'body.n>1' }}]", app.url));
    let serving = home.serve(&["--quiet"]);
    serving.post("/one", &[], b"{\"n\":1}");
    serving.post("/page", &[("Origin", "https://evil.example")], b"{\"n\":5}");
    serving.post("/two", &[], b"{\"n\":2}");
    assert_eq!(app.path(), "/two");
    home.until(&["ls", "reply:waiting"], str::is_empty);
}

#[test]
fn what_waits_for_its_next_try_says_when_that_is() {
    let home = Home::new();
    let app = App::start(|_, _| status(503));
    config(&home, &format!("forward = {{ to = '{}', retry = ['1h'] }}", app.url));
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"");
    let shown = home.until(&["show", "1"], |shown| shown.contains("waits, after 1 try; next at "));
    assert!(shown.contains("bin → http://"), "{shown}");
    let shown: serde_json::Value = serde_json::from_str(&home.yes(&["show", "1", "--json"])).unwrap();
    let errand = &shown["errands"][0];
    assert_eq!((&errand["tries"], &errand["dead"]), (&1.into(), &false.into()), "{errand}");
    assert!(errand["due_at"].as_str().unwrap() > shown["received_at"].as_str().unwrap(), "{errand}");
}

#[test]
fn what_is_dropped_is_not_forwarded_any_more_and_its_capture_stays() {
    let home = Home::new();
    let (app, other) = (App::start(|_, _| status(503)), App::start(|_, _| status(500)));
    let rows = "{ to = 'APP', retry = ['1ms', '1h'] }, { to = 'OTHER', retry = 'never' }";
    let rows = rows.replace("APP", &app.url).replace("OTHER", &other.url);
    config(&home, &format!("forward = [{rows}]"));
    let serving = home.serve(&["--quiet"]);
    // Few enough that the app is not spared yet.
    for path in ["/a", "/b"] {
        serving.post(path, &[], b"");
    }
    let count = |filter: &str| String::from_utf8(home.run(&["ls", filter]).stdout).unwrap().lines().count();
    home.until(&["dead"], |dead| dead.lines().count() == 2);
    home.until(&["show", "1"], |shown| shown.contains("waits, after 2 tries"));
    home.until(&["show", "2"], |shown| shown.contains("waits, after 2 tries"));
    assert!(home.fails(2, &["drop"]).contains("the filter is empty"));
    assert!(home.fails(2, &["drop", "1"]).contains("id:1 is the capture of that number"));
    assert!(home.fails(2, &["drop", "--all", "--to", ""]).contains("names no app"));
    assert_eq!(home.yes(&["drop", "path:/a", "--to", &other.url]), "1 dropped\n");
    assert_eq!((count("reply:dead"), count("reply:waiting")), (1, 1), "the worst of several apps is told");
    assert_eq!(home.yes(&["drop", "reply:dead"]), "2 dropped\n");
    assert_eq!((count("reply:dead"), count("reply:waiting")), (0, 1));
    assert_eq!(home.yes(&["drop", "--all", "--json"]), "{\"dropped\":1}\n");
    assert_eq!(home.run(&["drop", "--all"]).status.code(), Some(1));
    let said = home.fails(1, &["drop", "--all", "--to", "http://nowhere"]);
    assert_eq!(said, "nothing that waits or was given up goes to http://nowhere\n");
    assert_eq!(home.fails(1, &["resend", "--dead"]), "nothing was given up\n");
    assert_eq!((count("reply:waiting"), home.captures().len()), (0, 2));
    let counters = creel::store::Reader::open(&home.db()).unwrap().counters().unwrap();
    assert_eq!((counters.waiting, counters.dead), (0, 0));
}

#[test]
fn a_creel_that_has_it_in_hand_does_not_send_what_was_dropped() {
    let home = Home::new();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let may_go = Mutex::new(may_go);
    let app = App::start(move |turn, _| {
        if turn == 0 {
            may_go.lock().unwrap().recv().unwrap();
        }
        status(200)
    });
    config(&home, &format!("forward = {{ to = '{}', order = 'kept' }}", app.url));
    let serving = home.serve(&["--quiet"]);
    // The second, too large to be kept at hand, stands in its lane behind the first, which the app holds up.
    serving.post("/a", &[], b"");
    assert_eq!(app.path(), "/a");
    serving.post("/b", &[], &vec![b'x'; 5 << 20]);
    assert_eq!(home.yes(&["drop", "path:/b"]), "1 dropped\n");
    go.send(()).unwrap();
    serving.post("/c", &[], b"");
    assert_eq!(app.path(), "/c");
}

#[test]
fn what_stands_behind_a_dropped_one_goes_on_before_that_ones_next_try() {
    let home = Home::new();
    let app = App::start(|_, request| status(if request.contains("/stuck") { 500 } else { 200 }));
    config(&home, &format!("forward = {{ to = '{}', order = 'kept', retry = ['1h'] }}", app.url));
    let serving = home.serve(&["--quiet"]);
    for path in ["/stuck/1", "/stuck/2", "/a"] {
        serving.post(path, &[], b"");
    }
    // Dropped by another process, alone and with its capture.
    for (path, args) in [("/stuck/1", ["drop", "id:1"]), ("/stuck/2", ["forget", "id:2"])] {
        assert_eq!(app.path(), path);
        home.until(&["ls", "reply>=500", path], |rows| !rows.is_empty());
        home.yes(&args);
    }
    assert_eq!(app.path(), "/a");
    // What the next process finds held up is let go, too.
    serving.post("/stuck/4", &[], b"");
    assert_eq!(app.path(), "/stuck/4");
    home.until(&["ls", "reply>=500", "id:4"], |rows| !rows.is_empty());
    serving.post("/b", &[], b"");
    serving.stop();
    let serving = home.serve(&["--quiet"]);
    home.yes(&["drop", "id:4"]);
    assert_eq!(app.path(), "/b");
    serving.stop();
}

#[test]
fn what_is_given_up_is_listed_and_sent_once_more() {
    let home = Home::new();
    let app = App::start(|turn, _| status(if turn < 2 { 500 } else { 200 }));
    config(&home, &format!("forward = {{ to = '{}', retry = ['1ms'] }}", app.url));
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"");
    let dead = home.until(&["dead"], |dead| !dead.is_empty());
    assert!(dead.starts_with("#1  bin → http://") && dead.contains("2 tries  answered 500"), "{dead}");
    assert!(home.yes(&["ls", "reply:dead"]).contains("/a"));
    let shown = home.yes(&["show", "1"]);
    assert!(shown.contains("given up after 2 tries; `creel resend --dead` sends it once more"), "{shown}");
    assert!(home.yes(&["resend", "--dead"]).contains("200 in"));
    let ids: BTreeSet<_> = (0..3).map(|_| header(&app.next(), "Creel-Delivery-Id").to_owned()).collect();
    assert_eq!(ids.len(), 1, "the same id on each try");
    assert_eq!(home.run(&["dead"]).status.code(), Some(1));
}

#[test]
fn a_ring_ends_at_the_first_return() {
    let home = Home::new();
    // An app that hands everything on to creel, as another creel or a proxy would.
    let front = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", front.local_addr().unwrap());
    config(&home, &format!("forward = {{ to = '{url}', retry = ['1ms', '1ms', '1ms'] }}"));
    let serving = home.serve(&["--quiet"]);
    let creel = serving.address;
    let app = App::on(front, move |_, request| {
        let mut stream = TcpStream::connect(creel).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        status(answer[9..12].parse().unwrap())
    });
    serving.post("/ring", &[], b"{}");
    let dead = home.until(&["dead"], |dead| !dead.is_empty());
    assert!(dead.contains("1 try  answered 508"), "{dead}");
    assert_eq!(home.captures().len(), 2);
    assert!(home.yes(&["ls", "flag:came-back"]).contains("/ring"));
    drop(serving);
    assert_eq!(app.paths(), ["/ring"]);
}

#[test]
fn creel_does_not_forward_to_its_own_listener() {
    let home = Home::new();
    let own = Port::reserved();
    let address = own.address;
    config(&home, &format!("forward = {{ to = 'http://localhost:{}/x' }}", address.port()));
    let _held = own.lent();
    let serving = home.serve_on(&address.to_string(), &["--quiet"]);
    serving.post("/a", &[], b"");
    let dead = home.until(&["dead"], |dead| !dead.is_empty());
    assert!(dead.contains("creel's own address"), "{dead}");
    assert_eq!(home.captures().len(), 1);
}

#[test]
fn order_is_kept_where_that_is_wished_for() {
    let home = Home::new();
    let app = App::start(|turn, _| status(if turn % 3 == 0 { 500 } else { 200 }));
    config(&home, &format!("forward = {{ to = '{}', order = 'kept', retry = ['1ms', '1ms'] }}", app.url));
    let serving = home.serve(&["--quiet"]);
    for n in 0..20 {
        serving.post(&format!("/{n:02}"), &[], b"");
    }
    let mut paths: Vec<_> = (0..30).map(|_| app.path()).collect();
    paths.dedup();
    assert_eq!(paths, (0..20).map(|n| format!("/{n:02}")).collect::<Vec<_>>());
}

#[test]
fn an_app_that_is_down_is_spared_and_creel_says_so() {
    let home = Home::new();
    let nobody = Port::reserved();
    config(&home, &format!("forward = {{ to = '{}' }}", nobody.url()));
    let mut serving = home.serve(&["--quiet"]);
    for _ in 0..5 {
        serving.post("/a", &[], b"");
    }
    serving.says("pauses: 5 tries failed one after the other (connection refused");
    serving.post("/spared", &[], b"");
    assert_eq!(serving.stop().0, Some(0));
    assert_eq!(home.yes(&["ls", "reply:failed", "reply:waiting"]).lines().count(), 5);
    assert!(home.yes(&["ls", "reply:waiting", "reply:none"]).contains("/spared"));
}

#[test]
fn what_waits_for_an_app_goes_on_waiting_while_nothing_forwards_there() {
    let home = Home::new();
    // An app that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    config(&home, &format!("forward = {{ to = 'http://{}' }}", silent.local_addr().unwrap()));
    let serving = home.serve(&["--quiet"]);
    serving.post("/a", &[], b"");
    serving.post("/b", &[], b"");
    serving.signal("KILL");
    drop(serving);
    // A creel that knows of no app leaves them alone, and says so.
    home.write("creel.toml", "");
    let (code, _, said) = home.serve(&["--quiet"]).stop();
    assert!(said.contains("2 deliveries wait for what nothing forwards to here (bin → http://127.0.0.1:"), "{said}");
    assert_eq!(code, Some(0));
    assert_eq!(home.yes(&["ls", "reply:waiting"]).lines().count(), 2);
    assert_eq!(home.run(&["dead"]).status.code(), Some(1), "nothing was given up");
    // Once the app is there again they go, in whichever of its two spellings an older creel has called it.
    let app = App::start(|_, _| status(200));
    let store = rusqlite::Connection::open(home.db()).unwrap();
    store.execute("UPDATE errand SET lane = ? || iif(id % 2, '/', '')", [format!("bin → {}", app.url)]).unwrap();
    drop(store);
    config(&home, &format!("forward = {{ to = '{}/' }}", app.url));
    let _serving = home.serve(&["--quiet"]);
    home.until(&["ls", "reply:waiting"], str::is_empty);
    let paths: BTreeSet<_> = app.paths().into_iter().collect();
    assert_eq!(paths, ["/a", "/b"].map(str::to_owned).into());
}

#[test]
fn nothing_acknowledged_is_lost_when_creel_is_killed_while_it_forwards() {
    let home = Home::new();
    // The app answers some at once, and hangs up on each of the others once: never so often that one is given up.
    let refused = Mutex::new(BTreeSet::new());
    let app = App::start(move |turn, request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        if turn % 2 == 0 || !refused.lock().unwrap().insert(line) { status(200) } else { None }
    });
    config(
        &home,
        &format!(
            "forward = {{ to = '{}', retry = ['20ms', '20ms', '20ms', '20ms', '20ms', '20ms', '20ms'] }}",
            app.url
        ),
    );
    let mut acknowledged = BTreeSet::new();
    for round in 0..6 {
        let serving = home.serve(&["--quiet"]);
        for n in 0..10 + round * 7 {
            let path = format!("/{round}/{n}");
            serving.post(&path, &[], b"{}");
            acknowledged.insert(path);
        }
        serving.signal("KILL");
    }
    let _serving = home.serve(&["--quiet"]);
    home.until(&["ls", "--limit", "1000", "reply:waiting"], str::is_empty);
    assert_eq!(home.run(&["dead"]).status.code(), Some(1));
    let delivered = home.yes(&["ls", "--limit", "1000", "--json", "reply:200"]);
    let delivered: BTreeSet<_> = delivered
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(acknowledged.difference(&delivered).collect::<Vec<_>>(), [""; 0], "what was answered went on");
    let heard: BTreeSet<_> = app.paths().into_iter().collect();
    assert_eq!(acknowledged.difference(&heard).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn mistakes_in_the_configuration_are_pointed_at() {
    let home = Home::new();
    for (forward, words) in [
        ("forward = { to = 'localhost' }", "neither a URL nor a target"),
        ("forward = { to = 'localhost:3000' }", "did you mean http://localhost:3000?"),
        ("forward = { to = 'http://h', retry = 'often' }", "`retry` is"),
        ("forward = { to = 'http://h', retry = ['5 s'] }", "is no time"),
        ("forward = { to = 'http://h', when = 'nope:1' }", "`when`"),
        ("forward = { to = 'http://h', answer = 'maybe' }", "unknown variant"),
        ("forward = { to = 'http://h', ordr = 'kept' }", "unknown field"),
        ("forward = [{ to = 'http://h' }, { to = 'http://h' }]", "twice"),
        ("forward = [{ to = 'http://h', answer = 'proxy' }, { to = 'http://i', answer = 'proxy' }]", "only one app"),
    ] {
        config(&home, forward);
        let said = home.fails(2, &["serve", "--listen", "0"]);
        assert!(said.contains(words) && said.contains("creel.toml:4:"), "{forward}: {said}");
    }
}
