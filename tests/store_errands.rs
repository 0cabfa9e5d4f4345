//! What must still be brought to an app is in the store before it goes out, and until it is done.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod store_support;

use std::sync::Arc;

use creel::{
    query::Filter,
    record::{
        BatchId, CaptureId, Cause, Circuit, Counters, Delivery, ErrandId, Next, Outcome, Post, Settlement, Timestamp,
    },
    store::{Bell, Haste, Posted, Posting, Reader, Role, Start, Stored, Writer},
};
use store_support::{capture, delivery, place};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

fn lanes(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|&name| name.into()).collect()
}

fn forward(writer: &Writer, n: u64, names: &[&str]) -> Stored {
    writer.capture_and_forward(capture(n), lanes(names)).unwrap().blocking_recv().unwrap().unwrap()
}

fn settle(writer: &Writer, capture: i64, errand: i64, next: Next) -> Delivery {
    let tried = Delivery {
        errand: Some(ErrandId(errand)),
        ..delivery(capture, Outcome::Failed(Cause::Refused, "refused".into()))
    };
    let settlement = Settlement { errand: ErrandId(errand), next, answered: None };
    writer.settle(tried, settlement, Haste::Now).unwrap().blocking_recv().unwrap().unwrap()
}

fn post(writer: &Writer, posting: Posting) -> Posted {
    writer.post(posting).unwrap().blocking_recv().unwrap().unwrap()
}

/// Waiting and dead, as they were counted.
fn counts(reader: &Reader) -> (u64, u64) {
    let Counters { waiting, dead, .. } = reader.counters().unwrap();
    (waiting, dead)
}

#[test]
fn a_capture_comes_with_its_errands_and_they_go_when_they_are_done() {
    let place = place();
    let writer = place.capturing();
    assert_eq!(forward(&writer, 1, &["a", "b"]).errand, Some(ErrandId(1)));
    assert_eq!(forward(&writer, 2, &[]).errand, None);
    assert_eq!(forward(&writer, 3, &["a"]).errand, Some(ErrandId(3)));
    let reader = Reader::open(&place.path).unwrap();
    let stands = |id| reader.summary(CaptureId(id)).unwrap().unwrap().post;
    let waiting = || reader.waiting().unwrap().iter().map(|errand| (errand.id.0, errand.tries)).collect::<Vec<_>>();
    assert_eq!((waiting(), counts(&reader)), (vec![(1, 0), (2, 0), (3, 0)], (3, 0)));
    assert_eq!([1, 2, 3].map(stands), [Some(Post::Waiting), None, Some(Post::Waiting)]);

    assert_eq!(settle(&writer, 1, 1, Next::Done).errand, Some(ErrandId(1)));
    settle(&writer, 1, 2, Next::Again(at(99), "refused".into()));
    settle(&writer, 3, 3, Next::Dead("refused".into()));
    assert_eq!((waiting(), counts(&reader)), (vec![(2, 1)], (1, 1)));
    let again = &reader.waiting().unwrap()[0];
    assert_eq!((again.due_at, again.why.as_deref(), &again.lane[..]), (at(99), Some("refused"), "b"));
    assert_eq!([1, 3].map(stands), [Some(Post::Waiting), Some(Post::Dead)]);
    let dead = reader.dead(None).unwrap();
    assert_eq!((dead.len(), dead[0].id, dead[0].tries, dead[0].dead), (1, ErrandId(3), 1, true));
    assert_eq!(reader.dead(Some(CaptureId(1))).unwrap(), []);

    // A filter finds it; tried again in vain it stays; revived it waits; done it is gone.
    let filter = Filter::parse("reply:dead").unwrap().sql(at(0));
    assert_eq!(reader.page(Start::Newest, 9, Some(&filter)).unwrap()[0].id, CaptureId(3));
    settle(&writer, 3, 3, Next::Again(at(5), "still".into()));
    assert_eq!((reader.dead(None).unwrap()[0].tries, counts(&reader)), (2, (1, 1)));
    assert_eq!(post(&writer, Posting::Revive(vec![ErrandId(3), ErrandId(99)], at(7))), Posted::Changed(1));
    assert_eq!((waiting(), counts(&reader), stands(3)), (vec![(2, 1), (3, 0)], (2, 0), Some(Post::Waiting)));
    assert_eq!(post(&writer, Posting::GiveUp(vec![ErrandId(3)], "no such app".into())), Posted::Changed(1));
    assert_eq!(post(&writer, Posting::Drop(vec![ErrandId(2), ErrandId(3)])), Posted::Changed(2));
    assert_eq!((counts(&reader), stands(1), stands(3)), ((0, 0), None, None));
    // An id is never given twice.
    assert_eq!(forward(&writer, 4, &["a"]).errand, Some(ErrandId(4)));
}

#[test]
fn errands_outlive_the_process_and_go_with_their_capture() {
    let place = place();
    let writer = place.capturing();
    for n in 1..=3 {
        forward(&writer, n, &["a"]);
    }
    settle(&writer, 3, 3, Next::Dead("refused".into()));
    writer.close().unwrap();
    let writer = place.capturing();
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!((reader.waiting().unwrap().len(), counts(&reader)), (2, (2, 1)));
    let filter = Filter::parse("id>1").unwrap().sql(at(0));
    assert_eq!(writer.forget(filter).unwrap().blocking_recv().unwrap().unwrap(), 2);
    assert_eq!((reader.waiting().unwrap().len(), counts(&reader)), (1, (1, 0)));
}

#[test]
fn a_visitor_keeps_a_batch_until_all_of_it_is_sent() {
    let place = place();
    let writer = place.capturing();
    for n in 1..=3 {
        forward(&writer, n, &[]);
    }
    let (visitor, _) = Writer::open(&place.path, Role::Visiting, Bell::new()).unwrap();
    let captures = [1, 2, 3].map(CaptureId).to_vec();
    let begun = post(&visitor, Posting::Batch { at: at(5), spec: "{}".into(), captures: captures.clone() });
    assert_eq!(begun, Posted::Batch(BatchId(1), ErrandId(1)));
    settle(&visitor, 1, 1, Next::Done);
    let reader = Reader::open(&place.path).unwrap();
    let batch = reader.batches().unwrap().pop().unwrap();
    assert_eq!((batch.id, batch.at, batch.total, batch.left, &batch.spec[..]), (BatchId(1), at(5), 3, 2, "{}"));
    let left: Vec<_> = reader.left_of(BatchId(1)).unwrap().iter().map(|errand| errand.capture).collect();
    assert_eq!(left, captures[1..]);
    // It is no forward: it does not count as one, nor does it show in the list.
    assert_eq!((counts(&reader), reader.waiting().unwrap().len()), ((0, 0), 0));
    assert_eq!(reader.summary(CaptureId(2)).unwrap().unwrap().post, None);
    settle(&visitor, 2, 2, Next::Done);
    settle(&visitor, 3, 3, Next::Done);
    assert_eq!(reader.batches().unwrap(), []);
}

#[test]
fn an_app_that_is_down_is_known_to_every_process_until_it_is_not() {
    let place = place();
    let writer = place.capturing();
    let down = |failures| Circuit { lane: "a".into(), failures, until: at(9), why: "refused".into() };
    post(&writer, Posting::Open(down(5)));
    post(&writer, Posting::Open(down(6)));
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.circuits().unwrap(), [down(6)]);
    assert_eq!(post(&writer, Posting::Close("a".into())), Posted::Changed(1));
    assert_eq!(reader.circuits().unwrap(), []);
    let mark = reader.instance().unwrap();
    assert_eq!((mark.len(), Reader::open(&place.path).unwrap().instance().unwrap()), (16, mark));
}
