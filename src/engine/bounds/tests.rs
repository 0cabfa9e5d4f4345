//! Each bound by itself, on a real store, with a clock of the test's own.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Age, Keep,
    sweeper::{Moment, Sweeper},
};
use crate::{
    engine::forward::News,
    record::{Body, Capture, CaptureId, Failure, Flag, Head, Tagging, Tags, Timestamp, Uid},
    store::{Bell, Bounds, Brought, Haste, Onward, Pending, Posting, Reach, Reader, Role, Sleep, Spot, Start, Writer},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Noon of some day.
const NOON: i64 = 1_795_435_200_000;
const HEAD: &[u8] = b"POST / HTTP/1.1\r\n\r\n";

/// A store, what forgets in it, and what is told of that.
struct Basket {
    folder: tempfile::TempDir,
    writer: Writer,
    reader: Reader,
    sweeper: Sweeper,
    began: Instant,
    heard: Arc<Mutex<Vec<String>>>,
}

fn most(captures: u64) -> Keep {
    Keep { captures: Some(captures), ..Keep::default() }
}

fn days(days: i64) -> Keep {
    let span = Duration::from_millis((days * DAY).unsigned_abs());
    Keep { age: Some(Age { span, text: format!("{days}d") }), ..Keep::default() }
}

fn done<T>(pending: Pending<T>) -> T {
    pending.blocking_recv().unwrap().unwrap()
}

fn capture(at: i64, size: usize) -> Capture {
    let bytes = vec![b'x'; size];
    let sha256 = crate::verify::sha256(&bytes);
    let head = Head::parse(Bytes::from_static(HEAD));
    Capture::new(Uid(1), Timestamp::from_unix_ms(at), head, Body::whole(bytes.into(), sha256))
}

impl Basket {
    fn new(keep: Keep) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("creel.db");
        let (writer, _) = Writer::open(&db, Role::Capturing, Bell::new()).unwrap();
        let (news, heard) = (News::default(), Arc::new(Mutex::new(Vec::new())));
        let hears = Arc::clone(&heard);
        news.listen(Box::new(move |text, _| hears.lock().unwrap().push(text.to_owned())));
        let sweeper = Sweeper::new(keep, &db, writer.clone(), news, Sleep::default());
        let reader = Reader::open(&db).unwrap();
        Self { folder, writer, reader, sweeper, began: Instant::now(), heard }
    }

    /// The same store and another start of creel.
    fn again(self, keep: Keep) -> Self {
        let Self { folder, writer, heard, .. } = self;
        writer.close().unwrap();
        let db = folder.path().join("creel.db");
        let (writer, _) = Writer::open(&db, Role::Capturing, Bell::new()).unwrap();
        let news = News::default();
        let hears = Arc::clone(&heard);
        news.listen(Box::new(move |text, _| hears.lock().unwrap().push(text.to_owned())));
        let sweeper = Sweeper::new(keep, &db, writer.clone(), news, Sleep::default());
        let reader = Reader::open(&db).unwrap();
        Self { folder, writer, reader, sweeper, began: Instant::now(), heard }
    }

    fn catch(&self, at: i64) {
        self.catch_of(at, 0);
    }

    fn catch_of(&self, at: i64, size: usize) {
        done(self.writer.capture(capture(at, size)).unwrap());
    }

    /// Catches one that goes to so many apps, and gives the first of its errands.
    fn catch_for(&self, at: i64, apps: usize) -> crate::record::ErrandId {
        let onward = Onward { lanes: vec!["a".into(); apps], then: Box::new(drop) };
        done(self.writer.capture_and_forward(capture(at, 0), Some(onward)).unwrap()).errand.unwrap()
    }

    fn import(&self, times: &[i64]) {
        let mut captures: Vec<_> = times.iter().rev().map(|at| capture(*at, 0)).collect();
        done(
            self.writer
                .import(Box::new(move || {
                    let capture = captures.pop().map(|mut capture| {
                        capture.flags.insert(Flag::Imported);
                        Brought { capture, may_be_known: false }
                    });
                    Ok::<_, Failure>(capture)
                }))
                .unwrap(),
        );
    }

    fn tag(&self, id: i64, give: Tags, take: Tags) {
        done(self.writer.tag(vec![CaptureId(id)], Tagging { give, take, ..Tagging::default() }).unwrap());
    }

    /// Looks at that time by the clock, so much time after the start. Gives how long nothing gets too old.
    fn look(&mut self, wall: i64, steady: i64) -> Option<i64> {
        let steady = self.began + Duration::from_millis(steady.unsigned_abs());
        let round = self.sweeper.round(Moment { wall: Timestamp::from_unix_ms(wall), steady }).unwrap();
        round.until.map(|until| until.as_millis() as i64)
    }

    /// The numbers of what is left, oldest first. What is counted is what is there.
    fn left(&self) -> Vec<i64> {
        let mut rows = self.reader.page(Start::Newest, usize::MAX, None).unwrap();
        rows.reverse();
        let counted = self.reader.counters().unwrap();
        let bytes: u64 = rows.iter().map(|row| row.size + HEAD.len() as u64).sum();
        assert_eq!((counted.captures, counted.bytes), (rows.len() as u64, bytes));
        rows.iter().map(|row| row.id.0).collect()
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

#[test]
fn by_number_the_oldest_go_and_exactly_as_many_are_left_as_may_be() {
    let mut basket = Basket::new(most(100));
    (0..100).for_each(|n| basket.catch(NOON + n));
    basket.look(NOON + HOUR, 0);
    assert_eq!((basket.left().len(), basket.told()), (100, vec![]), "what is not over stays");
    (0..230).for_each(|n| basket.catch(NOON + 100 + n));
    basket.look(NOON + HOUR, 1);
    assert_eq!(basket.left(), (231..=330).collect::<Vec<_>>(), "several steps go as far as one");
    assert_eq!(basket.told(), ["the store is over 100 captures: the oldest are forgotten"]);
    basket.catch(NOON);
    assert_eq!(basket.look(NOON + HOUR, 2), None, "nothing gets old");
    assert_eq!((basket.left().first().copied(), basket.left().len()), (Some(232), 100));
    assert_eq!(basket.told(), [""; 0], "it is told once a run");
}

#[test]
fn by_size_no_more_goes_than_is_over() {
    let mut basket = Basket::new(Keep { mib: Some(2), ..Keep::default() });
    let half = (1 << 19) - HEAD.len();
    (0..4).for_each(|n| basket.catch_of(NOON + n, half));
    basket.look(NOON + HOUR, 0);
    assert_eq!(basket.left(), [1, 2, 3, 4], "2 MiB to the byte are not over it");
    basket.catch_of(NOON + 5, 0);
    basket.look(NOON + HOUR, 1);
    assert_eq!(basket.left(), [2, 3, 4, 5], "a head counts, too");
    basket.catch_of(NOON + 6, 3 << 20);
    basket.look(NOON + HOUR, 2);
    assert_eq!(basket.left(), [0; 0], "one that is larger alone");
    assert_eq!(basket.told(), ["the store is over 2 MiB: the oldest are forgotten"]);
}

#[test]
fn by_age_what_is_older_goes_and_it_is_known_when_the_next_will() {
    let mut basket = Basket::new(days(3));
    [0, DAY, 2 * DAY, 3 * DAY, 4 * DAY].into_iter().for_each(|at| basket.catch(NOON + at));
    let now = NOON + 4 * DAY + HOUR;
    assert_eq!(basket.look(now, 0), Some(DAY - HOUR + 1));
    assert_eq!(
        (basket.left(), basket.told()),
        (vec![3, 4, 5], vec!["2 captures are older than 3d: they are forgotten".to_owned()])
    );
    let later = DAY - HOUR;
    assert_eq!(basket.look(now + later, later), Some(1), "it is as old as may be, and not older");
    assert_eq!(basket.left(), [3, 4, 5]);
    basket.look(now + later + 1, later + 1);
    assert_eq!((basket.left(), basket.told()), (vec![4, 5], vec![]));
}

#[test]
fn what_is_pinned_or_still_to_be_sent_stays_whatever_is_over() {
    let mut basket = Basket::new(most(2));
    basket.catch(NOON);
    basket.tag(1, Tags::PINNED, Tags::NONE);
    let two = basket.catch_for(NOON, 2);
    let given_up = basket.catch_for(NOON, 1);
    basket.catch(NOON);
    basket.catch(NOON);
    let give_up = |errand| {
        done(basket.writer.post(Posting::GiveUp(vec![errand], "x".into())).unwrap());
    };
    give_up(two);
    give_up(given_up);
    let batch = |captures: &[i64], at| {
        let captures = captures.iter().copied().map(CaptureId).collect();
        done(
            basket
                .writer
                .post(Posting::Batch { at: Timestamp::from_unix_ms(at), spec: String::new(), captures })
                .unwrap(),
        );
    };
    batch(&[4], NOON);
    batch(&[5], NOON - 2 * DAY);
    (0..2).for_each(|_| basket.catch(NOON));
    basket.look(NOON + HOUR, 0);
    assert_eq!(
        basket.left(),
        [1, 2, 4, 6, 7],
        "one of two apps is still to get 2, and 4 is of a batch; 5 is of one that was left"
    );
    assert_eq!(
        basket.told(),
        [
            "the store is over 2 captures: the oldest are forgotten, but for 3 that are pinned or wait",
            "the store is over 2 captures: 3 older captures are pinned or wait, and stay"
        ]
    );
    basket.look(NOON + HOUR, 1);
    assert_eq!((basket.left().len(), basket.told()), (5, vec![]), "nor is that told twice");
    basket.tag(1, Tags::NONE, Tags::PINNED);
    basket.look(NOON + HOUR, 2);
    assert_eq!((basket.left(), basket.told()), (vec![2, 4, 6, 7], vec![]), "it is pinned no more");
}

#[test]
fn what_stays_takes_no_place_of_what_comes() {
    let mut basket = Basket::new(Keep { mib: Some(1), ..most(3) });
    for id in 1..=4 {
        basket.catch_of(NOON, 1 << 20);
        basket.tag(id, Tags::PINNED, Tags::NONE);
    }
    basket.look(NOON + HOUR, 0);
    assert_eq!(basket.told(), ["the store is over 1 MiB: 4 older captures are pinned or wait, and stay"]);
    (0..200).for_each(|_| basket.catch(NOON));
    basket.look(NOON + HOUR, 1);
    assert_eq!(basket.left(), [1, 2, 3, 4, 202, 203, 204], "the newest three, however many are pinned");
    // Of a mebibyte the last leaves room for nothing else.
    basket.catch_of(NOON, (1 << 20) - HEAD.len());
    basket.look(NOON + HOUR, 2);
    assert_eq!(basket.left(), [1, 2, 3, 4, 205]);
    // The oldest of them are pinned no more.
    basket.tag(1, Tags::NONE, Tags::PINNED);
    basket.tag(2, Tags::NONE, Tags::PINNED);
    basket.look(NOON + HOUR, 3);
    assert_eq!(basket.left(), [3, 4, 205]);
}

#[test]
fn what_is_pinned_after_a_look_stays_too() {
    let basket = Basket::new(most(1));
    (1..=3).for_each(|at| basket.catch(NOON + at));
    let bounds = Bounds { captures: Some(1), ..Bounds::default() };
    let over =
        basket.reader.over(bounds, Timestamp::from_unix_ms(NOON), (Spot::default(), Reach::Step), &[].into()).unwrap();
    assert_eq!(over.ids, [CaptureId(1), CaptureId(2)]);
    basket.tag(1, Tags::PINNED, Tags::NONE);
    assert_eq!(done(basket.writer.forget_with(over.condition(), Haste::Soon).unwrap()), 1);
    assert_eq!(basket.left(), [1, 3]);
}

#[test]
fn what_was_imported_is_as_old_as_what_came_after_it() {
    let mut basket = Basket::new(days(10));
    basket.catch(NOON);
    basket.import(&[NOON - 900 * DAY, NOON - DAY]);
    basket.look(NOON + 4 * DAY, 0);
    assert_eq!(basket.left(), [1, 2, 3], "a file of years ago is not gone as soon as it is read");
    basket.catch(NOON + 5 * DAY);
    basket.look(NOON + 11 * DAY, 7 * DAY);
    assert_eq!(basket.left(), [2, 3, 4]);
    basket.look(NOON + 15 * DAY, 11 * DAY);
    assert_eq!(basket.left(), [2, 3, 4]);
    basket.look(NOON + 15 * DAY + 1, 11 * DAY + 1);
    assert_eq!(basket.left(), [0; 0]);
}

#[test]
fn captures_of_a_clock_that_was_wrong_go_by_what_came_around_them() {
    let mut basket = Basket::new(days(10));
    let times = [0, 900 * DAY, DAY, 4 * DAY, -20_000 * DAY, 5 * DAY];
    times.into_iter().for_each(|at| basket.catch(NOON + at));
    // Times that say nonsense are no time that was seen to pass.
    basket.look(NOON + 5 * DAY, 0);
    basket.look(NOON + 10 * DAY + 1, 5 * DAY);
    assert_eq!(basket.left(), [2, 3, 4, 5, 6], "2 came before 3, and 5 after 4, whatever they say");
    basket.look(NOON + 11 * DAY + 1, 6 * DAY);
    assert_eq!(basket.left(), [4, 5, 6]);
    basket.look(NOON + 14 * DAY + 1, 9 * DAY);
    assert_eq!(basket.left(), [6]);
    // One that is behind takes nothing.
    basket.look(0, 10 * DAY);
    assert_eq!(basket.left(), [6]);
}

#[test]
fn a_clock_that_is_far_ahead_at_a_start_empties_no_store_unsaid() {
    let mut basket = Basket::new(days(10));
    (0..20).for_each(|n| basket.catch(NOON + n * DAY / 2));
    let (now, ahead) = (NOON + 10 * DAY, NOON + 4_000 * DAY);
    // What was imported vouches for no time.
    basket.import(&[ahead - DAY, ahead]);
    assert_eq!(basket.look(ahead, 0), Some(HOUR), "it is looked again when it is to be believed");
    assert_eq!(basket.left().len(), 22);
    let said = basket.told();
    assert_eq!(
        said,
        [format!(
            "20 captures are older than 10d by this machine's clock ({}), which may be wrong: nobody saw that time pass. \
             They are forgotten in an hour if it still says so",
            Timestamp::from_unix_ms(ahead)
        )]
    );
    // What comes meanwhile vouches for nothing, nor does another start.
    basket.catch(ahead + MINUTE);
    basket.look(ahead + 2 * MINUTE, 2 * MINUTE);
    let mut basket = basket.again(days(10));
    basket.look(ahead + 3 * MINUTE, 0);
    assert_eq!((basket.left().len(), basket.told().len()), (23, 1));
    // It is set right, and then goes on.
    basket.look(now + 4 * MINUTE, MINUTE);
    basket.look(now + HOUR, HOUR);
    assert_eq!((basket.left().first().copied(), basket.told().len()), (Some(2), 1), "what was older anyway");
    assert_eq!(basket.left().len(), 22);
}

#[test]
fn a_clock_that_goes_on_saying_so_is_believed_after_a_while() {
    let mut basket = Basket::new(days(10));
    basket.catch(NOON);
    let later = NOON + 60 * DAY;
    basket.look(later, 0);
    basket.look(later + HOUR - 1, HOUR - 1);
    assert_eq!((basket.left(), basket.told().len()), (vec![1], 1));
    basket.look(later + HOUR, HOUR);
    assert_eq!(
        (basket.left(), basket.told()),
        (vec![], vec!["1 capture is older than 10d: it is forgotten".to_owned()])
    );
}

#[test]
fn a_clock_that_leaps_while_creel_runs_is_doubted_and_one_that_goes_is_not() {
    let mut basket = Basket::new(days(10));
    basket.catch(NOON);
    basket.look(NOON + DAY, 0);
    // Nothing comes for long, and the time is seen to pass.
    basket.look(NOON + 9 * DAY, 8 * DAY);
    basket.catch(NOON + 9 * DAY);
    basket.look(NOON + 11 * DAY, 10 * DAY);
    assert_eq!((basket.left(), basket.told().len()), (vec![2], 1));
    basket.look(NOON + 20 * DAY, 10 * DAY + MINUTE);
    assert_eq!((basket.left(), basket.told().len()), (vec![2], 1));
    basket.look(NOON + 12 * DAY, 11 * DAY);
    assert_eq!(basket.left(), [2], "it was set right again");
}

#[test]
fn a_store_that_cannot_be_read_is_told_of_once() {
    let mut basket = Basket::new(most(1));
    let gone = Failure::new("reading", "it is gone");
    basket.sweeper.heard(Err(gone.clone()));
    basket.sweeper.heard(Err(gone.clone()));
    basket.sweeper.heard(Ok(()));
    basket.sweeper.heard(Err(gone));
    assert_eq!(basket.told(), ["nothing is forgotten by [keep]: it is gone"; 2]);
}

#[test]
fn the_bounds_are_said_in_words() {
    let all = Keep { mib: Some(2_048), captures: Some(100_000), ..days(30) };
    assert_eq!(
        all.words().unwrap(),
        "[keep] forgets what is older than 30d, and the oldest over 2,048 MiB or over 100,000 captures; what is pinned or waits stays"
    );
    assert_eq!(most(1).words().unwrap(), "[keep] forgets the oldest over 1 capture; what is pinned or waits stays");
    assert_eq!(Keep::default().words(), None);
}
