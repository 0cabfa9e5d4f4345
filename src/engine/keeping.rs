//! Says when what comes cannot be kept, and when it can again: senders hear it by 503, and a person must hear it too.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::forward::{News, Tidings};
use crate::record::Failure;

/// The shortest time between two times of trouble that are told, so that one bad request among many floods nobody.
const PAUSE: Duration = Duration::from_secs(1);

/// How the keeping goes.
pub(super) struct Keeping {
    news: News,
    /// Looked at for each request: whether there is anything to say.
    is_failing: Arc<AtomicBool>,
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    /// How many could not be kept since it was told.
    lost: u64,
    told: Option<Instant>,
}

impl Keeping {
    pub(super) fn new(news: News) -> Self {
        Self { is_failing: Arc::clone(&news.is_failing), news, trouble: Mutex::default() }
    }

    /// One was kept, or was not.
    pub(super) fn hear<T>(&self, kept: &Result<T, Failure>) {
        match kept {
            Ok(_) if !self.is_failing.load(Ordering::Relaxed) => {}
            Ok(_) => self.kept(),
            Err(failure) => self.failed(failure),
        }
    }

    fn failed(&self, failure: &Failure) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.lost += 1;
        if self.is_failing.load(Ordering::Relaxed) || trouble.told.is_some_and(|told| told.elapsed() < PAUSE) {
            return;
        }
        self.is_failing.store(true, Ordering::Relaxed);
        trouble.told = Some(Instant::now());
        let hint = failure.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
        self.news.tell(format!("what comes cannot be kept, and senders get 503: {}{hint}", failure.why));
    }

    fn kept(&self) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_failing.swap(false, Ordering::Relaxed) {
            let lost = std::mem::take(&mut trouble.lost);
            self.news.tell_as(Tidings::Good, format!("what comes is kept again; {lost} got 503 meanwhile"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_lost_is_told_and_the_first_that_is_kept_again() {
        let (news, heard) = (News::default(), Arc::new(Mutex::new(Vec::new())));
        let hears = Arc::clone(&heard);
        news.listen(Box::new(move |text, _| hears.lock().unwrap().push(text.to_owned())));
        let keeping = Keeping::new(news);
        let full = || Err::<(), _>(Failure::new("storing a batch", "the disk is full").hint("free some space"));
        keeping.hear(&Ok(()));
        (0..3).for_each(|_| keeping.hear(&full()));
        (0..2).for_each(|_| keeping.hear(&Ok(())));
        // Again within a second: one bad request among good ones is not told each time.
        keeping.hear(&full());
        keeping.hear(&Ok(()));
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "what comes cannot be kept, and senders get 503: the disk is full (free some space)",
                "what comes is kept again; 3 got 503 meanwhile"
            ]
        );
    }
}
