//! Any message at any time, over captures of every kind.

use super::*;
use crate::record::{Cause, DeliveryId, Outcome, Reply};

/// Bodies, each with what it is said to be: one for each view, and broken ones.
const BODIES: &[(&str, &[u8])] = &[
    ("application/json", br#"{"a":[{"b":1.0,"url":"https://x.example/?token=s"},[],{}],"a":"\u001b[2J","long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#),
    ("application/json", b"[[[[[[[[[[1]]]]]]]]]"),
    ("application/json", b"\xff{"),
    ("application/x-www-form-urlencoded", b"a=1&b=%00%1b&payload=%7B%22x%22%3A1%7D&a"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../x\"\r\n\r\n{\"y\":2}\r\n--b--\r\n"),
    ("application/xml", b"<a><b c='d'>text<!-- x --></b><![CDATA[\x9b]]></a>"),
    ("application/x-ndjson", b"{\"id\":1,\"name\":\"one\"}\n{\"id\":2,\"other\":[1,2]}\n"),
    ("text/csv", b"a,b,c\n1,\"two\nlines\",3\n\xe6\x97\xa5\xe6\x9c\xac,,\n"),
    ("application/jwt", b"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3OTU0MjQ3MDB9.c2ln"),
    ("application/cloudevents+json", br#"{"specversion":"1.0","type":"t","source":"/s","id":"1","data":{"k":"v"}}"#),
    ("application/cbor", b"\xa2\x61a\x01\x61b\x82\x01\x43abc"),
    ("application/msgpack", b"\x82\xa1a\x01\xa1b\x92\xc0\xc3"),
    ("application/x-protobuf", b"\x08\x96\x01\x12\x07testing"),
    ("image/gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"),
    ("application/octet-stream", b"\x00\x01\x7f\x80\xff\r\n"),
    ("text/plain", b"\xe2\x80\xae\tright to left\r\n\r\nand \x1b]8;;x\x07 a link\n"),
    ("text/plain", b""),
];

fn any_capture(id: CaptureId) -> Capture {
    let (kind, bytes) = BODIES[id.0 as usize % BODIES.len()];
    let head = format!("POST /path/{id}?token=x HTTP/1.1\r\nContent-Type: {kind}\r\nAuthorization: Bearer y\r\n\r\n");
    let body = Body::whole(Bytes::from_static(bytes), [0; 32]);
    Capture { head: Head::parse(Bytes::from(head)), body, ..capture(id) }
}

/// None, or some, of which every second one failed.
fn any_deliveries(id: CaptureId) -> Vec<Delivery> {
    let delivery = |attempt: i64| {
        let (_, bytes) = BODIES[(id.0 + attempt) as usize % BODIES.len()];
        let reply =
            Reply { status: 500, headers: Headers::default(), body: Bytes::from_static(bytes), truncated: false };
        let failed = Outcome::Failed(Cause::Refused, "nothing listens".to_owned());
        Delivery {
            id: DeliveryId(id.0 * 10 + attempt),
            capture: id,
            to: "http://localhost:3000/\u{1b}[31mhook".to_owned(),
            started_at: Timestamp::from_unix_ms(0),
            took_ms: attempt as u64,
            attempt: attempt as u32,
            errand: None,
            receipt: Vec::new(),
            outcome: if attempt % 2 == 0 { failed } else { Outcome::Replied(reply) },
        }
    };
    (1..=id.0 % 4).rev().map(delivery).collect()
}

fn open_any(id: CaptureId) -> Opened {
    let capture = any_capture(id);
    let content = content(&capture);
    Opened {
        body: open_in(&content, best(&content)),
        capture: Arc::new(capture),
        deliveries: any_deliveries(id),
        errands: Vec::new(),
    }
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let special = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::PageDown,
        KeyCode::PageUp,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Tab,
        KeyCode::BackTab,
    ]);
    let with = |modifiers: KeyModifiers| move |code: KeyCode| KeyEvent::new(code, modifiers);
    let letter = |set: &str| prop::sample::select(set.chars().collect::<Vec<_>>()).prop_map(KeyCode::Char);
    let printable: String = (' '..='~').collect();
    prop_oneof![
        6 => letter(&printable).prop_map(with(KeyModifiers::NONE)),
        2 => special.prop_map(with(KeyModifiers::NONE)),
        1 => letter("abdefhknotuwyz").prop_map(with(KeyModifiers::CONTROL)),
    ]
}

fn any_msg() -> impl Strategy<Value = Msg> {
    prop_oneof![
        12 => any_key().prop_map(Msg::Key),
        2 => Just(()).prop_map(|()| Msg::Ring),
        1 => (0_i64..200_000).prop_map(|ms| Msg::Clock(Timestamp::from_unix_ms(1_795_424_700_000 + ms))),
        2 => (0_usize..5, 0_u16..100, 0_u16..40).prop_map(|(kind, column, row)| {
            let left = MouseButton::Left;
            let kinds = [MouseEventKind::Down(left), MouseEventKind::Drag(left), MouseEventKind::Up(left),
                MouseEventKind::ScrollUp, MouseEventKind::ScrollDown];
            mouse(kinds[kind], column, row)
        }),
        1 => (0_u16..300, 0_u16..100).prop_map(|(columns, rows)| Msg::Resize(columns, rows)),
        1 => ".{0,20}".prop_map(Msg::Paste),
        1 => "\\PC{0,20}".prop_map(Msg::Panicked),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever happens in whatever order: no panic, the selection is a row that is seen, every frame can be drawn, and no
    /// byte of a payload is in one that a terminal would obey.
    #[test]
    fn nothing_that_happens_breaks_it(rows in 0_i64..400, msgs in prop::collection::vec(any_msg(), 1..80), more in 0_i64..3) {
        let mut play = Play::new(rows, (80, 24));
        (play.open, play.view) = (open_any, |capture: &Capture, view| open_in(&content(capture), view));
        for (at, msg) in msgs.into_iter().enumerate() {
            play.basket.put(more);
            play.send(msg);
            play.frame();
            if at % 8 == 0 {
                prop_assert!(play.screen().chars().all(|c| c == '\n' || body::is_safe(c)));
            }
        }
        play.screen();
    }
}
