//! What must still be brought to an app is in the store before it goes out, and until it is done.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod store_support;

use std::{collections::BTreeMap, sync::Arc};

use creel::{
    query::Filter,
    record::{
        BatchId, CaptureId, Cause, Circuit, Counters, Delivery, ErrandId, Next, Outcome, Post, Settlement, Timestamp,
    },
    store::{Bell, Haste, Onward, Posted, Posting, Reader, Role, Start, Stored, Writer},
};
use proptest::prelude::*;
use store_support::{Place, capture, delivery, place};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

fn lanes(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|&name| name.into()).collect()
}

/// In those lanes; nobody hands it on.
fn onward(names: &[&str]) -> Onward {
    Onward { lanes: lanes(names), then: Box::new(|_| ()) }
}

fn forward(writer: &Writer, n: u64, names: &[&str]) -> Stored {
    writer.capture_and_forward(capture(n), Some(onward(names))).unwrap().blocking_recv().unwrap().unwrap()
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
fn a_capture_is_handed_on_once_it_is_stored_whether_or_not_anybody_waits_for_it() {
    let place = place();
    let writer = place.capturing();
    let (handed, on) = std::sync::mpsc::channel();
    let path = place.path.clone();
    let then = move |stored: Stored| {
        let there = Reader::open(&path).unwrap().summary(stored.id).unwrap();
        handed.send((stored.errand, there.and_then(|row| row.post))).unwrap();
    };
    drop(writer.capture_and_forward(capture(1), Some(Onward { then: Box::new(then), lanes: lanes(&["a"]) })).unwrap());
    assert_eq!(on.recv().unwrap(), (Some(ErrandId(1)), Some(Post::Waiting)));

    // What is not stored is not handed on.
    let (visiting, _) = Writer::open(&place.path, Role::Visiting, Bell::default()).unwrap();
    let (handed, on) = std::sync::mpsc::channel();
    let then = Box::new(move |stored: Stored| handed.send(stored).unwrap());
    let refused = visiting.capture_and_forward(capture(2), Some(Onward { then, lanes: lanes(&["a"]) })).unwrap();
    assert!(refused.blocking_recv().unwrap().is_err());
    assert!(on.recv().is_err(), "it was dropped");
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
    let left: Vec<_> = reader.left_of(BatchId(1)).unwrap().iter().map(|&(capture, _)| capture).collect();
    assert_eq!(left, captures[1..]);
    // It is no forward: it does not count as one, nor does it show in the list.
    assert_eq!((counts(&reader), reader.waiting().unwrap().len()), ((0, 0), 0));
    assert_eq!(reader.summary(CaptureId(2)).unwrap().unwrap().post, None);
    settle(&visitor, 2, 2, Next::Done);
    settle(&visitor, 3, 3, Next::Done);
    assert_eq!(reader.batches().unwrap(), []);
}

#[test]
fn of_a_batch_whose_captures_were_deleted_meanwhile_nothing_is_left() {
    let place = place();
    let writer = place.capturing();
    for n in 1..=4 {
        forward(&writer, n, &[]);
    }
    let captures = [1, 2, 3, 4].map(CaptureId).to_vec();
    post(&writer, Posting::Batch { at: at(5), spec: "{}".into(), captures });
    let filter = Filter::parse("id<3").unwrap().sql(at(0));
    assert_eq!(writer.forget(filter).unwrap().blocking_recv().unwrap().unwrap(), 2);
    let reader = Reader::open(&place.path).unwrap();
    let batch = reader.batches().unwrap().pop().unwrap();
    assert_eq!((batch.total, batch.left), (4, 2));
    assert_eq!(reader.left_of(batch.id).unwrap(), [(CaptureId(3), ErrandId(3)), (CaptureId(4), ErrandId(4))]);
    // The first was under way when it was deleted; the second could not be read any more.
    let settlement = Settlement { errand: ErrandId(1), next: Next::Done, answered: None };
    let tried = delivery(1, Outcome::Failed(Cause::Refused, "refused".into()));
    let kept = writer.settle(tried, settlement, Haste::Now).unwrap().blocking_recv().unwrap();
    assert!(kept.unwrap_err().why.contains("no capture 1"));
    assert_eq!(post(&writer, Posting::Drop(vec![ErrandId(2)])), Posted::Changed(1));
    settle(&writer, 4, 4, Next::Done);
    settle(&writer, 3, 3, Next::Done);
    assert_eq!(reader.batches().unwrap(), []);
    let rows = "SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM batch_list)";
    let store = rusqlite::Connection::open(&place.path).unwrap();
    assert_eq!(store.query_row(rows, (), |row| row.get(0)), Ok(0));
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

/// Something that happens to a store. Numbers choose among what there has been so far.
#[derive(Clone, Debug)]
enum Step {
    Capture(usize),
    Batch(Vec<usize>),
    Settle(usize, Fate),
    Drop(Vec<usize>),
    GiveUp(Vec<usize>),
    Revive(Vec<usize>),
    Forget(usize),
    /// Another process goes on.
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Done,
    Again,
    Dead,
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let some = || prop::collection::vec(any::<usize>(), 1..5);
    let fate = prop_oneof![3 => Just(Fate::Done), 1 => Just(Fate::Again), 2 => Just(Fate::Dead)];
    let step = prop_oneof![
        6 => (0_usize..4).prop_map(Step::Capture),
        2 => prop::collection::vec(any::<usize>(), 0..9).prop_map(Step::Batch),
        9 => (any::<usize>(), fate).prop_map(|(at, fate)| Step::Settle(at, fate)),
        2 => some().prop_map(Step::Drop),
        1 => some().prop_map(Step::GiveUp),
        2 => some().prop_map(Step::Revive),
        1 => any::<usize>().prop_map(Step::Forget),
        1 => Just(Step::Reopen),
    ];
    // What stands together may be written in one transaction.
    prop::collection::vec(prop::collection::vec(step, 1..7), 1..14)
}

#[derive(Debug)]
struct Known {
    capture: i64,
    batch: Option<usize>,
    tries: u32,
    dead: bool,
    is_left: bool,
}

/// What a store should say, kept in the plainest way.
#[derive(Debug, Default)]
struct Model {
    /// Whether each capture is still there.
    captures: Vec<bool>,
    errands: Vec<Known>,
    /// How many each batch had.
    batches: Vec<usize>,
}

impl Model {
    fn add(&mut self, capture: i64, batch: Option<usize>) {
        self.errands.push(Known { capture, batch, tries: 0, dead: false, is_left: true });
    }

    fn is_there(&self, capture: i64) -> bool {
        self.captures[capture as usize - 1]
    }

    /// Which errands those are, with their numbers.
    fn chosen(&self, at: &[usize]) -> Vec<i64> {
        at.iter().filter_map(|at| at.checked_rem(self.errands.len())).map(|at| at as i64 + 1).collect()
    }

    fn errand(&mut self, id: i64) -> &mut Known {
        &mut self.errands[id as usize - 1]
    }

    fn each(&mut self, ids: &[i64], change: impl Fn(&mut Known) -> bool) -> u64 {
        ids.iter().filter(|&&id| change(self.errand(id))).count() as u64
    }

    /// The errands of that kind that are left, by their numbers.
    fn left(&self, wanted: impl Fn(&Known) -> bool) -> Vec<(i64, i64)> {
        let numbered = (1..).zip(&self.errands);
        let left = numbered.filter(|(_, known)| known.is_left && self.is_there(known.capture) && wanted(known));
        left.map(|(id, known)| (id, known.capture)).collect()
    }
}

/// What was asked of a writer, and what it is to answer.
type Answer = Box<dyn FnOnce()>;

fn answer<T: PartialEq + std::fmt::Debug + 'static>(
    pending: creel::store::Pending<T>,
    right: impl FnOnce(Result<T, creel::record::Failure>) -> bool + 'static,
) -> Answer {
    Box::new(move || assert!(right(pending.blocking_recv().unwrap())))
}

fn posted(writer: &Writer, posting: Posting, wanted: Posted) -> Answer {
    answer(writer.post(posting).unwrap(), move |posted| {
        assert_eq!(posted, Ok(wanted));
        true
    })
}

/// Has a step written, and the model take it.
fn take(writer: &Writer, model: &mut Model, step: &Step) -> Option<Answer> {
    let ids = |ids: &[i64]| ids.iter().copied().map(ErrandId).collect::<Vec<_>>();
    let next_errand = ErrandId(model.errands.len() as i64 + 1);
    Some(match step {
        Step::Capture(count) => {
            model.captures.push(true);
            let id = model.captures.len() as i64;
            (0..*count).for_each(|_| model.add(id, None));
            let stored = Stored { id: CaptureId(id), duplicate_of: None, errand: (*count > 0).then_some(next_errand) };
            let onward = onward(&["a", "b", "c"][..*count]);
            answer(writer.capture_and_forward(capture(id as u64), Some(onward)).unwrap(), move |got| got == Ok(stored))
        }
        Step::Batch(at) => {
            let chosen = at.iter().filter_map(|at| at.checked_rem(model.captures.len()));
            let captures: Vec<_> = chosen.map(|at| CaptureId(at as i64 + 1)).collect();
            let batch = model.batches.len();
            model.batches.push(captures.len());
            captures.iter().for_each(|id| model.add(id.0, Some(batch)));
            let begun = Posted::Batch(BatchId(batch as i64 + 1), next_errand);
            posted(writer, Posting::Batch { at: self::at(5), spec: "{}".into(), captures }, begun)
        }
        Step::Settle(at, fate) => {
            let id = *model.chosen(&[*at]).first()?;
            let (is_there, known) = (model.is_there(model.errands[id as usize - 1].capture), model.errand(id));
            let is_forward = known.batch.is_none();
            let next = match fate {
                Fate::Done => Next::Done,
                Fate::Again => Next::Again(self::at(9), "refused".into()),
                Fate::Dead => Next::Dead("refused".into()),
            };
            if is_there {
                match fate {
                    Fate::Done => known.is_left = false,
                    Fate::Again => known.tries += 1,
                    Fate::Dead if is_forward && !known.dead => (known.tries, known.dead) = (known.tries + 1, true),
                    Fate::Dead => {}
                }
            }
            let settlement = Settlement { errand: ErrandId(id), next, answered: None };
            let tried = delivery(known.capture, Outcome::Failed(Cause::Refused, "refused".into()));
            answer(writer.settle(tried, settlement, Haste::Now).unwrap(), move |got| got.is_ok() == is_there)
        }
        Step::Drop(at) => {
            let mut chosen = model.chosen(at);
            chosen.retain(|&id| model.is_there(model.errands[id as usize - 1].capture));
            let count = model.each(&chosen, |known| std::mem::take(&mut known.is_left));
            posted(writer, Posting::Drop(ids(&chosen)), Posted::Changed(count))
        }
        Step::GiveUp(at) => {
            let chosen = model.chosen(at);
            let count = model.each(&forwards(model, at), |known| !std::mem::replace(&mut known.dead, true));
            posted(writer, Posting::GiveUp(ids(&chosen), "no app".into()), Posted::Changed(count))
        }
        Step::Revive(at) => {
            let chosen = model.chosen(at);
            let count = model.each(&forwards(model, at), |known| {
                known.tries = if known.dead { 0 } else { known.tries };
                std::mem::take(&mut known.dead)
            });
            posted(writer, Posting::Revive(ids(&chosen), self::at(7)), Posted::Changed(count))
        }
        Step::Forget(at) => {
            let place = at.checked_rem(model.captures.len())?;
            let count = u64::from(std::mem::take(&mut model.captures[place]));
            let filter = Filter::parse(&format!("id>{place} id<{}", place + 2)).unwrap().sql(self::at(0));
            answer(writer.forget(filter).unwrap(), move |got| got == Ok(count))
        }
        Step::Reopen => return None,
    })
}

/// Those of the chosen errands that forward something and are left.
fn forwards(model: &Model, at: &[usize]) -> Vec<i64> {
    let left: Vec<_> = model.left(|known| known.batch.is_none()).into_iter().map(|(id, _)| id).collect();
    model.chosen(at).into_iter().filter(|id| left.contains(id)).collect()
}

/// Whether the store says what the model says.
fn compare(reader: &Reader, model: &Model) {
    let waiting = model.left(|known| known.batch.is_none() && !known.dead);
    let dead = model.left(|known| known.batch.is_none() && known.dead);
    assert_eq!(counts(reader), (waiting.len() as u64, dead.len() as u64));
    let pairs = |errands: Vec<creel::record::Errand>| -> Vec<(i64, i64)> {
        let tries = |id: ErrandId| model.errands[id.0 as usize - 1].tries;
        assert!(errands.iter().all(|errand| errand.tries == tries(errand.id) || errand.dead), "{errands:?}");
        errands.into_iter().map(|errand| (errand.id.0, errand.capture.0)).collect()
    };
    assert_eq!(pairs(reader.waiting().unwrap()), waiting);
    assert_eq!(pairs(reader.dead(None).unwrap()), dead);
    for id in 1..=model.captures.len() as i64 {
        let of_it = |(_, capture): &&(i64, i64)| *capture == id;
        let dead: Vec<_> = dead.iter().filter(of_it).copied().collect();
        let worst = if dead.is_empty() { waiting.iter().find(of_it).map(|_| Post::Waiting) } else { Some(Post::Dead) };
        let stands = reader.summary(CaptureId(id)).unwrap().map(|row| row.post);
        assert_eq!(stands, model.is_there(id).then_some(worst), "capture {id}");
        assert_eq!(pairs(reader.dead(Some(CaptureId(id))).unwrap()), dead);
    }
    let of_batches = (1..)
        .zip(&model.batches)
        .enumerate()
        .map(|(at, (id, &total))| (id, (total as u64, model.left(|known| known.batch == Some(at)))));
    let wanted: BTreeMap<i64, _> = of_batches.filter(|(_, (_, left))| !left.is_empty()).collect();
    let listed = reader.batches().unwrap();
    assert!(listed.is_sorted_by_key(|batch| std::cmp::Reverse(batch.id)));
    let found = listed.into_iter().map(|batch| {
        let left = reader.left_of(batch.id).unwrap();
        let left: Vec<_> = left.into_iter().map(|(capture, errand)| (errand.0, capture.0)).collect();
        assert_eq!(batch.left, left.len() as u64);
        (batch.id.0, (batch.total, left))
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), wanted);
}

fn run(place: &Place, groups: &[Vec<Step>]) {
    let (mut writer, mut model) = (place.capturing(), Model::default());
    let reader = Reader::open(&place.path).unwrap();
    for group in groups {
        let answers: Vec<_> = group.iter().filter_map(|step| take(&writer, &mut model, step)).collect();
        answers.into_iter().for_each(|answer| answer());
        compare(&reader, &model);
        if group.iter().any(|step| matches!(step, Step::Reopen)) {
            writer.close().unwrap();
            writer = place.capturing();
            compare(&reader, &model);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_and_standings_are_right_whatever_happens(groups in steps()) {
        run(&place(), &groups);
    }
}
