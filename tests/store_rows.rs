//! What is put into the store comes out of it: byte for byte, in order, counted, and known to readers at once.
#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod store_support;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

use bytes::Bytes;
use creel::{
    query::{Sql, Value},
    record::{
        Capture, CaptureId, Cause, Change, Counters, Delivery, DeliveryId, Event, Evidence, Explanation, Fault, Flag,
        Flags, Handshake, Head, Headers, Judgement, LastDelivery, Outcome, Repeat, Reply, Summary, Tags, Timestamp,
        Uid, Verdict,
    },
    store::{Bell, Bodies, CHUNK_BYTES, JudgedAgain, Reader, Role, Start, Writer},
};
use proptest::{collection::vec, option, prelude::*};
use store_support::{body, capture, delivery, fill, place, refusal, store};

/// Any bytes, mostly few, sometimes around the size from which a body is cut into chunks.
fn bytes() -> impl Strategy<Value = Bytes> {
    let long =
        |length: usize| any::<u8>().prop_map(move |first| (0..length).map(|n| first ^ (n % 251) as u8).collect());
    prop_oneof![
        8 => vec(any::<u8>(), 0..300).prop_map(Bytes::from),
        1 => long(CHUNK_BYTES),
        1 => long(CHUNK_BYTES + 1),
        1 => long(600 * 1024),
    ]
}

fn headers() -> impl Strategy<Value = Headers> {
    vec((vec(any::<u8>(), 0..9), vec(any::<u8>(), 0..20)), 0..4).prop_map(|list| list.into_iter().collect())
}

fn head() -> impl Strategy<Value = Head> {
    let tidy = ("[A-Z]{1,7}", "/[a-z?=&%]{0,20}", headers()).prop_map(|(method, target, headers)| {
        Head::from_parts(&method, target.as_bytes(), creel::record::Version::Http11, &headers)
    });
    prop_oneof![tidy, vec(any::<u8>(), 0..200).prop_map(|raw| Head::parse(raw.into()))]
}

fn judgement() -> impl Strategy<Value = Judgement> {
    let explanation =
        (option::of(".{0,9}"), ".{0,30}", any::<u64>()).prop_map(|(by, text, tried)| Explanation { by, text, tried });
    let maybe = || option::of(".{0,9}");
    let evidence =
        (".{0,9}", maybe(), maybe(), ".{0,9}", maybe()).prop_map(|(place, received, expected, content, difference)| {
            Evidence { place, received, expected, content, difference }
        });
    let handshake = (".{0,9}", maybe(), maybe()).prop_map(|(about, answer, show)| Handshake { about, answer, show });
    let verdict = proptest::sample::select(Verdict::all().collect::<Vec<_>>());
    let fault = option::of(proptest::sample::select(Fault::all().collect::<Vec<_>>()));
    (
        verdict,
        fault,
        option::of(explanation),
        option::of(evidence),
        option::of(any::<i64>()),
        option::of(any::<bool>()),
        option::of(handshake),
        option::of("https://.{0,9}"),
    )
        .prop_map(|(verdict, fault, explanation, evidence, age_s, covers_body, handshake, url)| Judgement {
            handshake,
            verdict,
            fault,
            explanation,
            evidence,
            age_s,
            covers_body,
            url,
        })
}

fn event() -> impl Strategy<Value = Event> {
    // Few ids, so that events repeat.
    (option::of("evt_[a-c]"), option::of(".{0,12}"), option::of(any::<i64>())).prop_map(|(id, kind, at)| Event {
        id,
        kind,
        created_at: at.map(Timestamp::from_unix_ms),
    })
}

prop_compose! {
    fn any_capture()(
        (uid, at, flags, reply_status) in (any::<u128>(), any::<i64>(), any::<i64>(), any::<u16>()),
        (endpoint, peer, provider) in ("[ab]", ".{0,20}", option::of("[pq]")),
        (head, bytes, trailers) in (head(), bytes(), headers()),
        (declared, truncated) in (option::of(any::<u64>()), any::<bool>()),
        (event, judgement) in (event(), judgement()),
        (tags, note) in (0_i64..8, option::of(".{0,12}")),
    ) -> Capture {
        let mut body = body(bytes);
        body.declared = declared;
        body.truncated = truncated;
        Capture {
            id: CaptureId(0), uid: Uid(uid), received_at: Timestamp::from_unix_ms(at), endpoint, peer, head, body, trailers,
            flags: Flags::from_bits(flags), provider, event, judgement, duplicate_of: None, repeat: None, late_ms: None, edited_from: None, reply_status,
            tags: Tags::from_bits(tags), note,
        }
    }
}

/// The list's row of a capture that was never delivered.
fn summary_of(capture: &Capture) -> Summary {
    Summary {
        id: capture.id,
        uid: capture.uid,
        received_at: capture.received_at,
        endpoint: capture.endpoint.clone(),
        peer: capture.peer.clone(),
        method: capture.head.method().into_owned(),
        path: capture.head.path().into_owned(),
        query: capture.head.query().map(std::borrow::Cow::into_owned),
        size: capture.body.size,
        truncated: capture.body.truncated,
        flags: capture.flags,
        provider: capture.provider.clone(),
        event: capture.event.clone(),
        verdict: capture.judgement.verdict,
        fault: capture.judgement.fault,
        covers_body: capture.judgement.covers_body,
        age_s: capture.judgement.age_s,
        duplicate_of: capture.duplicate_of,
        repeat: capture.repeat,
        late_ms: capture.late_ms,
        edited_from: capture.edited_from,
        tags: capture.tags,
        note: capture.note.clone(),
        reply_status: capture.reply_status,
        deliveries: 0,
        last_delivery: None,
        took_ms: None,
        post: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_what_was_written(mut captures in vec(any_capture(), 1..12)) {
        let place = place();
        let writer = place.capturing();
        let pending: Vec<_> = captures.iter().map(|capture| writer.capture(capture.clone()).unwrap()).collect();
        // Of each event: its first capture, and when, as which delivery and with what answer its last one came.
        let mut events = HashMap::new();
        let mut newest: HashMap<_, i64> = HashMap::new();
        for ((capture, pending), id) in captures.iter_mut().zip(pending).zip(1..) {
            capture.id = CaptureId(id);
            let source = (capture.endpoint.clone(), capture.provider.clone());
            let received_at = capture.received_at.unix_ms();
            let received = capture.judgement.evidence.as_ref().and_then(|evidence| evidence.received.clone());
            if let Some(event_id) = capture.event.id.clone() {
                let event = (source.clone(), event_id, capture.event.kind.clone());
                let last = events.entry(event).or_insert((id, 0, received_at, 200, None, None));
                capture.duplicate_of = (last.0 != id).then_some(CaptureId(last.0));
                // What was imported from before the last one, or is the last one, is no delivery after it.
                let is_before = received_at < last.2 || last.5 == Some(capture.uid);
                let is_after = !(capture.flags.contains(Flag::Imported) && is_before && last.0 != id);
                capture.repeat = capture.duplicate_of.filter(|_| is_after).map(|_| Repeat {
                    attempt: last.1 + 1,
                    gap_ms: received_at.saturating_sub(last.2),
                    is_retry: !(200..300).contains(&last.3),
                    is_replay: capture.judgement.age_s.is_some() && received.is_some() && last.4 == received,
                });
                if is_after {
                    *last = (last.0, last.1 + 1, received_at, capture.reply_status, received, Some(capture.uid));
                }
            }
            let tells_order = capture.duplicate_of.is_none() && !capture.flags.contains(Flag::Imported);
            if let Some(at) = capture.event.created_at.filter(|_| tells_order) {
                let before = newest.entry(source).or_insert(at.unix_ms());
                capture.late_ms = Some(before.saturating_sub(at.unix_ms())).filter(|late| *late > 0);
                *before = at.unix_ms().max(*before);
            }
            let stored = pending.blocking_recv().unwrap().unwrap();
            prop_assert_eq!((stored.id, stored.duplicate_of), (capture.id, capture.duplicate_of));
        }
        let reader = Reader::open(&place.path).unwrap();
        for capture in &captures {
            let whole = reader.capture(capture.id, Bodies::Read).unwrap();
            prop_assert_eq!(whole.as_ref(), Some(capture));
            let mut left = capture.clone();
            left.body.bytes = Bytes::new();
            prop_assert_eq!(reader.capture(capture.id, Bodies::Leave).unwrap(), Some(left));
            prop_assert_eq!(reader.summary(capture.id).unwrap(), Some(summary_of(capture)));
        }
        let page: Vec<_> = reader.page(Start::Newest, 100, None).unwrap();
        prop_assert_eq!(page, captures.iter().rev().map(summary_of).collect::<Vec<_>>());
        let total = |count: fn(&Capture) -> u64| captures.iter().map(count).sum::<u64>();
        prop_assert_eq!(reader.counters().unwrap(), Counters {
            captures: captures.len() as u64,
            bytes: total(|capture| capture.head.raw().len() as u64 + capture.body.size),
            failed: total(|capture| u64::from(capture.judgement.verdict == Verdict::Failed)),
            duplicates: total(|capture| u64::from(capture.duplicate_of.is_some())),
            refused: 0,
            waiting: 0,
            dead: 0,
            down: 0,
        });
    }
}

fn ids(page: &[Summary]) -> Vec<i64> {
    page.iter().map(|row| row.id.0).collect()
}

#[test]
fn pages_go_back_and_forth_over_gaps_always_newest_first() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 10);
    rusqlite::Connection::open(&place.path)
        .unwrap()
        .execute("DELETE FROM summary WHERE id IN (3, 4, 8, 10)", ())
        .unwrap();
    let reader = Reader::open(&place.path).unwrap();
    for (start, limit, expected) in [
        (Start::Newest, 3, &[9, 7, 6][..]),
        (Start::Newest, 0, &[]),
        (Start::Newest, 99, &[9, 7, 6, 5, 2, 1]),
        (Start::Before(CaptureId(6)), 2, &[5, 2]),
        (Start::Before(CaptureId(4)), 2, &[2, 1]),
        (Start::Before(CaptureId(1)), 2, &[]),
        (Start::After(CaptureId(1)), 2, &[5, 2]),
        (Start::After(CaptureId(3)), 3, &[7, 6, 5]),
        (Start::After(CaptureId(9)), 3, &[]),
    ] {
        assert_eq!(ids(&reader.page(start, limit, None).unwrap()), expected, "{start:?} {limit}");
    }
}

#[test]
fn a_condition_chooses_rows_and_its_values_are_never_read_as_sql() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 20);
    let reader = Reader::open(&place.path).unwrap();
    let above = |size: i64, path: &str| Sql {
        text: "size > ? OR path = ?".into(),
        values: vec![Value::Int(size), Value::Text(path.into())],
        ..Sql::default()
    };
    let page = |start, condition| ids(&reader.page(start, 2, Some(&condition)).unwrap());
    assert_eq!(page(Start::Newest, above(99, "/shop/7")), [7]);
    assert_eq!(page(Start::Before(CaptureId(7)), above(99, "/shop/7")), [] as [i64; 0]);
    assert_eq!(page(Start::Before(CaptureId(5)), above(0, "")), [4, 3]);
    assert_eq!(page(Start::After(CaptureId(5)), above(0, "")), [7, 6]);
    assert_eq!(page(Start::Newest, above(99, "' OR 1 --")), [] as [i64; 0]);
    let wrong = Sql { text: "no_such_column = 1".into(), ..Sql::default() };
    assert!(reader.page(Start::Newest, 2, Some(&wrong)).unwrap_err().why.contains("no_such_column"));
}

#[test]
fn what_is_not_there_is_none() {
    let place = place();
    let _writer = place.capturing();
    let reader = Reader::open(&place.path).unwrap();
    for id in [0, 1, -1, i64::MAX, i64::MIN].map(CaptureId) {
        assert_eq!(reader.summary(id).unwrap(), None);
        assert_eq!(reader.capture(id, Bodies::Read).unwrap(), None);
        assert_eq!(reader.deliveries(id).unwrap(), []);
    }
}

#[test]
fn deliveries_are_numbered_by_the_store_and_seen_in_the_list() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 2);
    let reply = Reply {
        status: 502,
        headers: [("Content-Type", &b"a\xff"[..])].into_iter().collect(),
        body: Bytes::from_static(b"\x00bad gateway"),
        truncated: true,
    };
    let mut replied = delivery(1, Outcome::Replied(reply));
    replied.receipt = vec![Change::Replaced { name: "Host".into(), from: "a".into(), to: "b".into() }];
    let failed = delivery(1, Outcome::Failed(Cause::Refused, "connection refused".into()));
    let keep = |delivery: &Delivery| writer.deliver(delivery.clone()).unwrap().blocking_recv().unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let listed = |id| reader.summary(CaptureId(id)).unwrap().map(|row| (row.deliveries, row.last_delivery)).unwrap();
    assert_eq!(listed(1), (0, None));

    let first = keep(&replied).unwrap();
    assert_eq!(first, Delivery { id: DeliveryId(1), attempt: 1, ..replied });
    assert_eq!(listed(1), (1, Some(LastDelivery::Replied(502))));
    let second = keep(&failed).unwrap();
    assert_eq!(second, Delivery { id: DeliveryId(2), attempt: 2, ..failed });
    assert_eq!(listed(1), (2, Some(LastDelivery::Failed)));
    let of_another = keep(&delivery(2, Outcome::Failed(Cause::Other, String::new()))).unwrap();
    assert_eq!((of_another.id, of_another.attempt), (DeliveryId(3), 1));

    assert_eq!(reader.deliveries(CaptureId(1)).unwrap(), [second, first]);
    let lost = keep(&delivery(99, Outcome::Failed(Cause::Other, String::new()))).unwrap_err();
    assert!(lost.why.contains("no capture 99"), "{lost}");
}

#[test]
fn a_visitor_keeps_deliveries_while_another_captures() {
    let place = place();
    let capturing = place.capturing();
    fill(&capturing, 1);
    let visitor = Writer::open(&place.path, Role::Visiting, Bell::new()).unwrap().0;
    assert!(store(&visitor, capture(2)).unwrap_err().why.contains("lock"), "captures are the other's");
    thread::scope(|scope| {
        for writer in [&capturing, &visitor] {
            scope.spawn(move || {
                for _ in 0..50 {
                    let kept = writer.deliver(delivery(1, Outcome::Failed(Cause::Other, "no".into()))).unwrap();
                    kept.blocking_recv().unwrap().unwrap();
                }
            });
        }
        scope.spawn(|| (2..50).all(|n| store(&capturing, capture(n)).is_ok()));
    });
    visitor.close().unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let deliveries = reader.deliveries(CaptureId(1)).unwrap();
    let mut attempts: Vec<_> = deliveries.iter().map(|delivery| delivery.attempt).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, (1..=100).collect::<Vec<_>>());
    assert_eq!(reader.counters().unwrap().captures, 49);
}

#[test]
fn refusals_are_listed_newest_first_and_counted() {
    let place = place();
    let writer = place.capturing();
    for reason in ["TLS", "SSH", "rubbish"] {
        writer.refuse(refusal(reason)).unwrap();
    }
    writer.close().unwrap();
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.refusals(2).unwrap(), [refusal("rubbish"), refusal("SSH")]);
    assert_eq!(reader.counters().unwrap().refused, 3);
}

#[test]
fn another_judgement_takes_the_place_of_the_first_and_what_failed_is_counted_anew() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 3);
    let reader = Reader::open(&place.path).unwrap();
    let failed = Judgement {
        verdict: Verdict::Failed,
        fault: Some(Fault::Mismatch),
        covers_body: Some(true),
        age_s: Some(5),
        explanation: Some(Explanation { by: None, text: "Not of these bytes.".to_owned(), tried: 9 }),
        ..Judgement::default()
    };
    let before = reader.counters().unwrap().failed;
    let judge = |ids: &[i64], judgement: &Judgement| {
        let judged =
            ids.iter().map(|&id| JudgedAgain { id: CaptureId(id), judgement: judgement.clone(), told: None }).collect();
        writer.judge(judged).unwrap().blocking_recv().unwrap().unwrap()
    };
    assert_eq!(judge(&[1, 3, 99], &failed), 2, "what is not there is not counted");
    assert_eq!(reader.counters().unwrap().failed, before + 2);
    let read = reader.capture(CaptureId(3), Bodies::Read).unwrap().unwrap();
    assert_eq!(read.judgement, failed);
    assert_eq!(read.body.bytes, capture(3).body.bytes, "nothing else of it is touched");
    assert_eq!(reader.summary(CaptureId(3)).unwrap().unwrap().fault, Some(Fault::Mismatch));
    assert_eq!(judge(&[1, 3], &Judgement { verdict: Verdict::Passed, ..Judgement::default() }), 2);
    assert_eq!(reader.counters().unwrap().failed, before);
}

#[test]
fn repeats_are_known_over_a_restart_and_a_deletion() {
    let place = place();
    let of = |event: &str| Capture { event: Event { id: Some(event.into()), ..Event::default() }, ..capture(1) };
    let writer = place.capturing();
    store(&writer, of("a")).unwrap();
    store(&writer, of("a")).unwrap();
    writer.close().unwrap();
    rusqlite::Connection::open(&place.path).unwrap().execute("DELETE FROM summary WHERE id = 1", ()).unwrap();
    let writer = place.capturing();
    assert_eq!(store(&writer, of("a")).unwrap().duplicate_of, Some(CaptureId(2)));
    let elsewhere = Capture { endpoint: "elsewhere".into(), ..of("a") };
    assert_eq!(store(&writer, elsewhere).unwrap().duplicate_of, None);
}

#[test]
fn an_id_is_never_given_twice() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 3);
    writer.close().unwrap();
    rusqlite::Connection::open(&place.path).unwrap().execute_batch("DELETE FROM summary; DELETE FROM content").unwrap();
    assert_eq!(store(&place.capturing(), capture(4)).unwrap().id, CaptureId(4));
}

#[test]
fn a_thousand_tasks_are_answered_by_the_settler_and_each_row_is_there_when_it_is() {
    let place = place();
    let (writer, settler) = Writer::open(&place.path, Role::Capturing, Bell::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reader = Reader::open(&place.path).unwrap();
    runtime.block_on(async {
        let settling = tokio::spawn(settler.run());
        let tasks: Vec<_> = (0..1_000)
            .map(|n| {
                let writer = writer.clone();
                tokio::spawn(async move { writer.capture(capture(n)).unwrap().await.unwrap().unwrap().id })
            })
            .collect();
        for task in tasks {
            let id = task.await.unwrap();
            assert!(reader.summary(id).unwrap().is_some(), "{id} was acknowledged");
        }
        writer.close().unwrap();
        settling.await.unwrap();
    });
    assert_eq!(reader.counters().unwrap().captures, 1_000);
}

#[test]
fn the_bell_rings_after_a_commit_and_the_store_tells_other_processes() {
    let place = place();
    let bell = Bell::new();
    let rings = Arc::new(AtomicU32::new(0));
    let heard = Arc::clone(&rings);
    bell.on_ring(move || {
        heard.fetch_add(1, Ordering::SeqCst);
    });
    let (writer, _) = Writer::open(&place.path, Role::Capturing, bell).unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let before = reader.data_version().unwrap();
    assert_eq!(reader.data_version().unwrap(), before);
    store(&writer, capture(1)).unwrap();
    assert_ne!(reader.data_version().unwrap(), before);
    writer.close().unwrap();
    assert_eq!(rings.load(Ordering::SeqCst), 1);
}

#[test]
fn a_query_that_runs_too_long_can_be_stopped() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 1);
    let reader = Reader::open(&place.path).unwrap();
    let interrupter = reader.interrupter();
    let endless = Sql {
        text: "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) > 0".into(),
        ..Sql::default()
    };
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    let asking = thread::spawn(move || {
        let result = reader.page(Start::Newest, 1, Some(&endless));
        end.store(true, Ordering::SeqCst);
        (reader, result)
    });
    while !ended.load(Ordering::SeqCst) {
        interrupter.stop();
        thread::yield_now();
    }
    let (reader, result) = asking.join().unwrap();
    assert!(result.unwrap_err().why.contains("stopped"));
    assert_eq!(ids(&reader.page(Start::Newest, 1, None).unwrap()), [1], "it can be asked again");
}

#[test]
fn a_reader_is_not_held_up_by_an_open_transaction_and_sees_whole_ones_only() {
    let place = place();
    let writer = place.capturing();
    fill(&writer, 1);
    let other = rusqlite::Connection::open(&place.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE summary SET method = 'HALF'").unwrap();
    let waiting = writer.capture(capture(2)).unwrap();
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.page(Start::Newest, 9, None).unwrap()[0].method, "POST");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(waiting.blocking_recv().unwrap().unwrap().id, CaptureId(2), "the writer waited its turn");
}
