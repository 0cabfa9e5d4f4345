//! Captures of the store judged again, by the configuration of now: a secret that came later, or another one, says more of what
//! came before it than that it could not be checked. A timestamp's age is counted from the moment at which a capture came.
//!
//! Whose it is and what its event is is told again, too: a file of the user's own may say it since, or say something else. Its
//! endpoint stays the one it came to, since forwards and people went by it.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use super::{Engine, Terms, catalog, endpoint::Endpoints, newest, now, tunnel::Outlook};
use crate::{
    query::Filter,
    record::{Capture, CaptureId, Failure, Judgement, Origin, Summary, Verdict, counted, thousands},
    store::{Bodies, JudgedAgain, Reader, Start, Writer},
    verify::Request,
};

/// How many are judged and written at once.
const AT_ONCE: usize = 100;
/// How long the doctor may look for reasons in all.
const DOCTOR_TIME: Duration = Duration::from_secs(10);
/// Of how many of the newest captures those are checked by themselves that waited for a secret.
const NEWEST: i64 = 10_000;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
    /// How many cannot be checked now, or are not signed. Where one was checked when it came, that verdict stays.
    pub open: u64,
    /// How many were left as they are: nobody knows whose they are, or their endpoint is another provider's now, of whom they bear
    /// nothing.
    pub left: u64,
}

impl Judged {
    /// How many were checked.
    pub fn checked(self) -> u64 {
        self.passed + self.failed + self.open
    }

    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed => self.failed += 1,
            Verdict::Unchecked | Verdict::Unsigned => self.open += 1,
        }
    }
}

impl fmt::Display for Judged {
    /// `3 passed, 1 failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts =
            [(self.passed, "passed"), (self.failed, "failed"), (self.open, "unchecked"), (self.left, "left alone")];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<_> = parts.map(|(count, word)| format!("{} {word}", thousands(count))).collect();
        f.write_str(if words.is_empty() { "nothing" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

impl Engine {
    /// Judges captures again, and keeps the verdicts. Blocks until it is done.
    pub fn judge_again(&self, ids: &[CaptureId]) -> Result<Judged, Failure> {
        let (reader, writer, endpoints) = (self.reader()?, self.writer()?, self.endpoints());
        Again { reader, writer, endpoints, tunnel: self.outlook.clone(), doctor: DOCTOR_TIME }.all(ids, &|| true)
    }
}

/// Judges what waited for a secret, where there is one now; what there is to say of it, if anything.
pub(super) fn waiting_for_secrets(
    db: &Path,
    writer: &Writer,
    endpoints: Endpoints,
    tunnel: Option<Outlook>,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<String>, Failure> {
    if endpoints.iter().all(|endpoint| endpoint.secrets.is_empty()) {
        return Ok(None);
    }
    let reader = Reader::open(db)?;
    let after = newest(&reader)?.0.saturating_sub(NEWEST).max(0);
    let filter = Filter::parse(&format!("fault=secret-missing id>{after}"))
        .map_err(|why| Failure::new("looking for what waits for a secret", why))?;
    let rows = reader.page(Start::Newest, NEWEST as usize, Some(&filter.sql(now())))?;
    // Whose endpoint still has none is not read.
    let waits = |row: &&Summary| !endpoints.of_row(row).secrets.is_empty();
    let ids: Vec<_> = rows.iter().filter(waits).map(|row| row.id).collect();
    let again = Again { reader, writer: writer.clone(), endpoints, tunnel, doctor: DOCTOR_TIME };
    // Those of another provider now go on waiting.
    let judged = Judged { open: 0, left: 0, ..again.all(&ids, goes_on)? };
    let count = judged.checked();
    let were = if count == 1 { "was" } else { "were" };
    let words = || format!("{} that waited for a secret {were} checked: {judged}", counted(count, "capture"));
    Ok((count > 0).then(words))
}

/// Whether there was a verdict and can be none now: nobody's secret says nothing against what one has said.
fn says_less(now: &Judgement, then: &Judgement) -> bool {
    now.verdict == Verdict::Unchecked && matches!(then.verdict, Verdict::Passed | Verdict::Failed)
}

struct Again {
    reader: Reader,
    writer: Writer,
    endpoints: Endpoints,
    tunnel: Option<Outlook>,
    /// How long the doctor may still work.
    doctor: Duration,
}

impl Again {
    fn all(mut self, ids: &[CaptureId], goes_on: &dyn Fn() -> bool) -> Result<Judged, Failure> {
        let mut all = Judged::default();
        ids.chunks(AT_ONCE).take_while(|_| goes_on()).try_for_each(|some| self.some(some, &mut all))?;
        Ok(all)
    }

    fn some(&mut self, ids: &[CaptureId], all: &mut Judged) -> Result<(), Failure> {
        const DOING: &str = "judging captures again";
        let mut changed = Vec::new();
        for &id in ids {
            let Some(capture) = self.reader.capture(id, Bodies::Read)? else { continue };
            let Some((told, judgement)) = self.said(&capture)? else {
                all.left += 1;
                continue;
            };
            all.count(judgement.verdict);
            let is_others = told.provider != capture.provider;
            let told = Some(told).filter(|told| is_others || told.event != capture.event);
            let judgement = match says_less(&judgement, &capture.judgement) {
                true if is_others => continue,
                true => capture.judgement.clone(),
                false => judgement,
            };
            if told.is_some() || judgement != capture.judgement {
                changed.push(JudgedAgain { id, judgement, told });
            }
        }
        let pending = self.writer.judge(changed).map_err(|full| Failure::new(DOING, full))?;
        pending.blocking_recv().map_err(|_| Failure::new(DOING, "the store is closed"))?.map(drop)
    }

    /// What is to be said of a capture now: whose it is, what its event is, and of its signature. None where nobody knows whose
    /// it is; or where its endpoint is another provider's now, of whom it bears nothing.
    fn said(&mut self, capture: &Capture) -> Result<Option<(Origin, Judgement)>, Failure> {
        let tunnel = || self.tunnel.as_ref().and_then(Outlook::url);
        let terms = Terms::of(capture, &self.endpoints, tunnel);
        let method = capture.head.method();
        let request = Request::of(capture, &method, terms.url.as_deref());
        let catalog = catalog()?;
        let Some(provider) = terms.provider(&catalog, &request) else { return Ok(None) };
        let mut judgement = terms.judge(&catalog, provider, &request);
        let is_others = capture.provider.as_deref().is_some_and(|name| name != provider.name());
        let is_signed = judgement.evidence.as_ref().is_some_and(|evidence| evidence.received.is_some());
        if is_others && !is_signed && !provider.has_marks(&request) {
            return Ok(None);
        }
        let told = Origin { provider: Some(provider.name().to_owned()), event: provider.event(&request) };
        judgement.handshake.clone_from(&capture.judgement.handshake);
        judgement.url.clone_from(&capture.judgement.url);
        if self.doctor.is_zero() {
            // What the doctor said then is more than what nobody says now.
            let is_as_it_was =
                (judgement.verdict, judgement.fault) == (capture.judgement.verdict, capture.judgement.fault);
            let judgement = if is_as_it_was && !is_others { capture.judgement.clone() } else { judgement };
            return Ok(Some((told, judgement)));
        }
        let began = Instant::now();
        terms.examine(&catalog, provider, &request, &mut judgement);
        self.doctor = self.doctor.saturating_sub(began.elapsed());
        Ok(Some((told, judgement)))
    }
}
