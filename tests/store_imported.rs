//! What was imported stands in the store like what came, and is not taken for it.
#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod store_support;

use creel::{
    query::Filter,
    record::{Capture, CaptureId, Event, Flag, Timestamp},
    store::{Brought, Reader, Start, Writer},
};
use store_support::{capture, place, store};

const NOW_MS: i64 = 1_795_424_700_000;

/// A capture out of a file: received so many hours ago, of an event that was made then.
fn imported(n: u64, event: &str, hours_ago: i64) -> Capture {
    let at = Timestamp::from_unix_ms(NOW_MS - hours_ago * 3_600_000);
    let event = Event { id: Some(event.into()), created_at: Some(at), ..Event::default() };
    Capture { received_at: at, event, flags: [Flag::Imported].into_iter().collect(), ..capture(n) }
}

fn import(writer: &Writer, captures: Vec<Capture>) {
    let mut captures = captures.into_iter().map(|capture| Brought { capture, may_be_known: false });
    let pending = writer.import(Box::new(move || Ok(captures.next()))).unwrap();
    pending.blocking_recv().unwrap().unwrap();
}

#[test]
fn what_was_imported_is_no_traffic_and_hides_none() {
    let place = place();
    let writer = place.capturing();
    // One a second, with imports of long ago and of just now between them.
    let arrived = |second: i64| Capture {
        received_at: Timestamp::from_unix_ms(NOW_MS + second * 1_000),
        ..capture(second.cast_unsigned())
    };
    for second in 0..40 {
        store(&writer, arrived(second)).unwrap();
        if second % 10 == 9 {
            import(&writer, (0..100).map(|n| imported(n, "old", 9_000)).collect());
            import(
                &writer,
                (0..5).map(|n| Capture { received_at: arrived(second).received_at, ..imported(n, "new", 0) }).collect(),
            );
        }
    }
    let reader = Reader::open(&place.path).unwrap();
    for first in 0..40 {
        let (since, until) = (arrived(first).received_at, arrived(40).received_at);
        let stats = reader.stats(since, until).unwrap();
        assert_eq!(stats.all.iter().sum::<u64>(), 40 - first.cast_unsigned(), "since the second {first}");
        let (_, beats) = reader.beats(CaptureId(0), since).unwrap();
        assert_eq!(beats.iter().map(|beat| beat.count).sum::<u64>(), 40 - first.cast_unsigned());
    }
    // Where some were deleted, too.
    let some = Filter::parse("id<20 or id>345").unwrap().sql(Timestamp::from_unix_ms(NOW_MS));
    while writer.forget(some.clone()).unwrap().blocking_recv().unwrap().unwrap() > 0 {}
    let left = reader.stats(arrived(10).received_at, arrived(40).received_at).unwrap();
    assert_eq!(
        left.all.iter().sum::<u64>(),
        20,
        "from the eleventh second on, and none that came after the last import"
    );
}

#[test]
fn what_was_imported_shifts_no_judgement_of_what_comes() {
    let place = place();
    let writer = place.capturing();
    let arrived = |n: u64, event: &str, made_s: i64, reply_status| Capture {
        received_at: Timestamp::from_unix_ms(NOW_MS + n as i64 * 1_000),
        event: Event {
            id: Some(event.into()),
            created_at: Some(Timestamp::from_unix_ms(NOW_MS + made_s * 1_000)),
            ..Event::default()
        },
        reply_status,
        ..capture(n)
    };
    store(&writer, arrived(1, "a", 0, 500)).unwrap();
    // An older delivery of the same event, the very same one, and events of before and of the future.
    let itself = Capture { flags: [Flag::Imported].into_iter().collect(), ..arrived(1, "a", 0, 500) };
    import(&writer, vec![imported(2, "a", 24), itself, imported(3, "b", 24), imported(4, "c", -24)]);
    store(&writer, arrived(5, "a", 0, 200)).unwrap();
    store(&writer, arrived(6, "d", 3, 200)).unwrap();
    let rows = Reader::open(&place.path).unwrap().page(Start::Newest, 9, None).unwrap();
    let row = |id: i64| rows.iter().find(|row| row.id == CaptureId(id)).unwrap();
    for id in [2, 3] {
        assert_eq!(
            (row(id).duplicate_of, row(id).repeat),
            (Some(CaptureId(1)), None),
            "{id} is no delivery after the first"
        );
    }
    assert_eq!((row(4).late_ms, row(5).late_ms), (None, None), "when they came here says nothing");
    let again = row(6).repeat.unwrap();
    assert_eq!(
        (again.attempt, again.gap_ms, again.is_retry),
        (2, 4_000, true),
        "four seconds after the first, not a day"
    );
    assert_eq!(row(7).late_ms, None, "it is newer than what came, whatever was imported");
    writer.close().unwrap();
    // Nor after a restart.
    let writer = place.capturing();
    store(&writer, arrived(8, "e", 2, 200)).unwrap();
    let rows = Reader::open(&place.path).unwrap().page(Start::Newest, 1, None).unwrap();
    assert_eq!(rows[0].late_ms, Some(1_000), "a second older than the newest that came");
}
