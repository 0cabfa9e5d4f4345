//! A capture that is told to be of another event afterwards stands where it would stand had it come so.
#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod store_support;

use std::path::Path;

use creel::{
    query::Filter,
    record::{Capture, CaptureId, Event, Flag, Judgement, Origin, Summary, Timestamp},
    store::{Bell, Indexer, JudgedAgain, Reader, Role, Start, Writer},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use store_support::{capture, place, store};

/// Whose it is: of few events, so that they repeat; or of none.
fn origin() -> impl Strategy<Value = Origin> {
    (option::of(select(vec!["a", "b"])), option::of(select(vec!["1", "2"])), option::of(select(vec!["x", "y"])))
        .prop_map(|(provider, id, kind)| Origin {
            provider: provider.map(str::to_owned),
            event: Event { id: id.map(str::to_owned), kind: kind.map(str::to_owned), created_at: None },
        })
}

fn came(n: u64, origin: &Origin, is_imported: bool, reply_status: u16) -> Capture {
    let one = capture(n);
    // What was imported comes from before the others, or from between them.
    let at = one.received_at.unix_ms() - i64::from(is_imported) * (n as i64 * 7_919 % 50);
    Capture {
        provider: origin.provider.clone(),
        event: origin.event.clone(),
        flags: is_imported.then_some(Flag::Imported).into_iter().collect(),
        received_at: Timestamp::from_unix_ms(at),
        reply_status,
        ..one
    }
}

fn tell(writer: &Writer, told: &[(i64, &Origin)]) {
    let one = |&(id, origin): &(i64, &Origin)| JudgedAgain {
        id: CaptureId(id),
        judgement: Judgement::default(),
        told: Some(origin.clone()),
    };
    let judged = writer.judge(told.iter().map(one).collect()).unwrap();
    assert_eq!(judged.blocking_recv().unwrap().unwrap(), told.len() as u64);
}

/// All rows, and how many of them are said to be repeats.
fn rows(path: &Path) -> (Vec<Summary>, u64) {
    let reader = Reader::open(path).unwrap();
    (reader.page(Start::Newest, 1_000, None).unwrap(), reader.counters().unwrap().duplicates)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn it_stands_as_if_it_had_come_so(
        captures in vec((origin(), prop::bool::weighted(0.2), select(vec![0_u16, 200, 500])), 1..14),
        told in vec((any::<prop::sample::Index>(), origin()), 1..14),
        together in 1..5_usize,
        is_beside: bool,
        last in origin(),
    ) {
        let (place, other) = (place(), place());
        let writer = place.capturing();
        let mut now: Vec<_> = captures.clone();
        for (n, (origin, is_imported, status)) in (1..).zip(&captures) {
            store(&writer, came(n, origin, *is_imported, *status)).unwrap();
        }
        let visiting = Writer::open(&place.path, Role::Visiting, Bell::new()).unwrap().0;
        let told: Vec<_> = told.iter().map(|(at, origin)| (at.index(now.len()), origin)).collect();
        for some in told.chunks(together) {
            let some: Vec<_> = some.iter().map(|(at, origin)| (*at as i64 + 1, *origin)).collect();
            tell(if is_beside { &visiting } else { &writer }, &some);
        }
        for (at, origin) in told {
            now[at].0 = origin.clone();
        }
        // Whoever stores captures has heard of it: at once, and after a new start.
        now.extend([(last.clone(), false, 200), (last.clone(), false, 200)]);
        let n = now.len() as u64;
        store(&writer, came(n - 1, &last, false, 200)).unwrap();
        visiting.close().unwrap();
        writer.close().unwrap();
        store(&place.capturing(), came(n, &last, false, 200)).unwrap();
        let fresh = other.capturing();
        for (n, (origin, is_imported, status)) in (1..).zip(&now) {
            store(&fresh, came(n, origin, *is_imported, *status)).unwrap();
        }
        prop_assert_eq!(rows(&place.path), rows(&other.path));
    }
}

/// Each of them is looked at a few times and not once for each other: that would be a thousand million looks.
#[test]
fn of_an_event_that_came_a_thousand_times_all_are_told_anew() {
    const COUNT: i64 = 1_000;
    let place = place();
    let writer = place.capturing();
    let of = |id: &str| Origin { provider: None, event: Event { id: Some(id.to_owned()), ..Event::default() } };
    for n in 1..=COUNT {
        store(&writer, came(n as u64, &of("1"), false, 200)).unwrap();
    }
    let (all, other) = ((1..=COUNT).collect::<Vec<_>>(), of("2"));
    for some in all.chunks(100) {
        tell(&writer, &some.iter().map(|id| (*id, &other)).collect::<Vec<_>>());
    }
    let (rows, duplicates) = rows(&place.path);
    assert_eq!((rows.len() as i64, duplicates as i64), (COUNT, COUNT - 1));
    for (row, attempt) in rows.iter().zip((1..=COUNT).rev()) {
        let first = (attempt > 1).then_some(CaptureId(1));
        assert_eq!(
            (row.event.id.as_deref(), row.duplicate_of, row.repeat.map_or(1, |repeat| i64::from(repeat.attempt))),
            (Some("2"), first, attempt)
        );
    }
}

#[test]
fn what_is_told_anew_is_found_by_what_it_is_told_to_be() {
    let place = place();
    let writer = place.capturing();
    for n in 1..=600 {
        store(&writer, capture(n)).unwrap();
    }
    // Its sheet is there before it is told anew, and another is made after.
    Indexer::catch_up(&place.path, &writer).unwrap();
    let origin = |name: &str| Origin {
        provider: Some(name.to_owned()),
        event: Event { kind: Some("trout.spawned".to_owned()), ..Event::default() },
    };
    tell(&writer, &[(70, &origin("mine")), (590, &origin("mine"))]);
    for n in 601..=5_000 {
        store(&writer, capture(n)).unwrap();
    }
    Indexer::catch_up(&place.path, &writer).unwrap();
    tell(&writer, &[(4_000, &origin("mine"))]);
    let reader = Reader::open(&place.path).unwrap();
    for filter in ["event:trout.spawned", "spawned", "provider:mine"] {
        let filter = Filter::parse(filter).unwrap().sql(Timestamp::from_unix_ms(0));
        let found = reader.search(Start::Newest, 10, &filter, || false).unwrap();
        let ids: Vec<_> = found.rows.iter().map(|row| row.id.0).collect();
        assert_eq!(ids, [4_000, 590, 70]);
    }
}
