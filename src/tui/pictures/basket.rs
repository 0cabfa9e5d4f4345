//! A store with a morning's webhooks in it: real samples, signed and judged as they would be on the wire, at fixed times.

use std::{collections::BTreeMap, path::Path};

use crate::{
    engine::Terms,
    record::{
        Body, Capture, CaptureId, Delivery, DeliveryId, Event, Head, Headers, Judgement, Outcome, Reply, Timestamp,
        Uid, Verdict, Version,
    },
    store::{Bell, Role, Writer},
    verify::{Catalog, Letter, Request, Sample, Secret, sha256},
};

/// 24 November 2026, 9:00 UTC.
const MORNING_S: i64 = 1_795_510_800;

/// What arrives: after how many seconds, whose, which event, spoiled how, what the app says.
struct Row(i64, &'static str, &'static str, Spoiled, &'static [u16]);

#[derive(Clone, Copy, PartialEq)]
enum Spoiled {
    No,
    /// A newline was added to the body after it was signed.
    Newline,
    /// It was signed with another secret.
    WrongSecret,
    /// It was signed ten minutes before.
    Stale,
    /// The same event as the last one of its kind, sent once more.
    Again,
}

use Spoiled::{Again, Newline, No, Stale, WrongSecret};

const ROWS: &[Row] = &[
    Row(0, "github", "ping", No, &[200]),
    Row(4, "github", "push", No, &[200]),
    Row(31, "stripe", "charge.succeeded", No, &[200]),
    Row(32, "stripe", "invoice.paid", No, &[200]),
    Row(60, "slack", "app_mention", No, &[200]),
    Row(75, "shopify", "orders/create", No, &[500]),
    Row(80, "shopify", "orders/create", Again, &[500]),
    Row(90, "shopify", "orders/create", Again, &[200]),
    Row(102, "linear", "Issue", No, &[]),
    Row(118, "github", "issues", No, &[200]),
    Row(131, "twilio", "message", No, &[204]),
    Row(140, "paddle", "transaction.completed", No, &[]),
    Row(166, "stripe", "charge.succeeded", Stale, &[400]),
    Row(171, "zoom", "meeting.started", No, &[]),
    Row(185, "github", "push", WrongSecret, &[401]),
    Row(192, "shopify", "products/update", No, &[200]),
    Row(203, "svix", "user.created", No, &[200]),
    Row(221, "slack", "command", No, &[200]),
    Row(230, "stripe", "checkout.session.completed", No, &[200]),
    Row(236, "cal-com", "BOOKING_CREATED", No, &[]),
    Row(249, "github", "issues", No, &[200]),
    Row(262, "github", "push", Newline, &[401]),
    Row(270, "sentry", "issue", No, &[]),
    Row(277, "stripe", "invoice.paid", No, &[200]),
];

/// A quarter of a minute after the last of them.
pub(in crate::tui) fn after() -> Timestamp {
    Timestamp::from_unix_s(MORNING_S + 292)
}

/// Makes a store at that path.
pub(in crate::tui) fn open(path: &Path) -> Writer {
    Writer::open(path, Role::Capturing, Bell::new()).unwrap().0
}

/// Fills a store at that path.
pub(in crate::tui) fn fill(path: &Path) {
    let writer = open(path);
    let mut last = BTreeMap::new();
    for (n, row) in ROWS.iter().enumerate() {
        let capture = last
            .get(&(row.1, row.2))
            .filter(|_| row.3 == Again)
            .map_or_else(|| capture(n, row), |old: &Capture| Capture { received_at: at(row), ..old.clone() });
        last.insert((row.1, row.2), capture.clone());
        let stored = writer.capture(capture).unwrap().blocking_recv().unwrap().unwrap();
        for status in row.4 {
            writer.deliver(delivery(stored.id, *status, at(row))).unwrap().blocking_recv().unwrap().unwrap();
        }
    }
    writer.close().unwrap();
}

/// Adds what the pictures have no room for: a form with a file in it, of nobody that creel knows and with a secret in
/// its head; and a second try of the delivery before it.
pub(in crate::tui) fn add_parts(path: &Path) {
    const LATE: Row = Row(284, "stripe", "invoice.paid", No, &[]);
    let body = "--fang\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA trout, 魚\r\n--fang\r\n\
                Content-Disposition: form-data; name=\"photo\"; filename=\"trout.json\"\r\nContent-Type: application/json\r\n\
                \r\n{\"weight\":2.1}\r\n--fang--\r\n";
    let mut headers = Headers::default();
    headers.push("Content-Type", "multipart/form-data; boundary=fang");
    headers.push("Authorization", "Bearer trout-and-pike");
    let one = capture(ROWS.len(), &LATE);
    let capture = Capture {
        endpoint: "default".to_owned(),
        head: head(&headers, "/upload/%E9%AD%9A?by=anna".as_bytes(), body.len()),
        body: Body { size: body.len() as u64, sha256: sha256(body.as_bytes()), bytes: body.into(), ..one.body },
        provider: None,
        event: Event::default(),
        judgement: Judgement {
            verdict: Verdict::Unsigned,
            fault: None,
            explanation: None,
            evidence: None,
            age_s: None,
            covers_body: None,
            handshake: None,
            url: None,
        },
        ..one
    };
    let writer = open(path);
    let before = CaptureId(ROWS.len() as i64);
    writer.deliver(delivery(before, 500, at(&LATE))).unwrap().blocking_recv().unwrap().unwrap();
    writer.capture(capture).unwrap().blocking_recv().unwrap().unwrap();
    writer.close().unwrap();
}

fn at(row: &Row) -> Timestamp {
    Timestamp::from_unix_s(MORNING_S + row.0)
}

fn capture(n: usize, row: &Row) -> Capture {
    let &Row(_, name, event, spoiled, _) = row;
    let catalog = Catalog::builtin().unwrap();
    let provider = catalog.get(name).unwrap();
    let sample = Sample::of(name).find(|sample| sample.event == event).unwrap();
    let own = provider.secret_of_nobody();
    let wrong = Secret::new("not-the-one-you-configured");
    let secret = if spoiled == WrongSecret { &wrong } else { &own };
    let signed_at = Timestamp::from_unix_s(at(row).unix_s() - if spoiled == Stale { 600 } else { 1 });
    let (id, url) = (id(name, n), format!("https://hooks.example/{name}"));
    let letter = Letter {
        event,
        content_type: sample.content_type,
        body: sample.body.as_bytes(),
        id: &id,
        at: signed_at,
        url: &url,
        headers: &Headers::default(),
    };
    let dressed = provider.dress(&letter, std::slice::from_ref(secret)).unwrap();
    let mut body = dressed.body;
    if spoiled == Newline {
        body.push(b'\n');
    }
    let head = head(&dressed.headers, &dressed.target, body.len());
    let request = Request {
        method: "POST",
        url: Some(&url),
        target: head.target(),
        headers: head.headers(),
        body: &body,
        truncated: false,
        rewritten: false,
        received_at: at(row),
    };
    let mut terms = Terms::of_nobody();
    terms.secrets.push(own);
    let mut judgement = terms.judge(catalog, provider, &request);
    terms.examine(catalog, provider, &request, &mut judgement);
    let event = provider.event(&request);
    let whole = Body { declared: Some(body.len() as u64), ..Body::whole(body.clone().into(), sha256(&body)) };
    Capture {
        endpoint: name.to_owned(),
        peer: format!("127.0.0.1:{}", 50_700 + n),
        provider: Some(name.to_owned()),
        event,
        judgement,
        reply_status: 200,
        ..Capture::new(Uid::new(at(row), n as u128), at(row), head, whole)
    }
}

/// An event's id as its provider would write one.
fn id(provider: &str, n: usize) -> String {
    match provider {
        "stripe" => format!("evt_1SWq{n:02}KZ7bQ9dTrout"),
        "svix" => format!("msg_3B{n:02}fXw9Yp2mCreel"),
        _ => format!("6f1c{n:02}aa-4d1e-11f0-9c2b-0242ac12000{}", n % 10),
    }
}

fn head(headers: &Headers, target: &[u8], length: usize) -> Head {
    let mut all = Headers::default();
    all.push("Host", "hooks.example");
    all.push("User-Agent", "webhooks/1.0");
    headers.iter().for_each(|header| all.push(header.name, header.value));
    all.push("Content-Length", length.to_string());
    all.push("X-Forwarded-For", "203.0.113.7");
    all.push("X-Forwarded-Proto", "https");
    Head::from_parts("POST", target, Version::Http11, &all)
}

fn delivery(capture: CaptureId, status: u16, at: Timestamp) -> Delivery {
    let body = match status {
        200 => "{\"received\":true}",
        401 => "{\"error\":\"invalid signature\"}",
        500 => "{\"error\":\"connection to the database was lost\"}",
        _ => "",
    };
    Delivery {
        id: DeliveryId(0),
        capture,
        errand: None,
        to: "http://localhost:3000/webhooks".to_owned(),
        started_at: at,
        took_ms: 9 + capture.0.cast_unsigned() * 7 % 31,
        attempt: 0,
        receipt: Vec::new(),
        outcome: Outcome::Replied(Reply {
            status,
            headers: [("content-type", "application/json")].into_iter().collect(),
            body: body.into(),
            truncated: false,
        }),
    }
}
