//! The stage that the real loop runs on, and the store behind it: rows in memory.

use super::*;

/// A store in memory: rows by number, newest last.
#[derive(Clone, Default)]
pub(super) struct Basket(pub(super) Arc<Mutex<Vec<Summary>>>);

type Ring = Box<dyn Fn() + Send + Sync>;

/// The stage that the real loop runs on.
#[derive(Default)]
pub(super) struct Scene {
    pub(super) basket: Basket,
    pub(super) ring: Mutex<Option<Ring>>,
    pub(super) resent: Mutex<Vec<(CaptureId, Option<String>)>>,
    /// Whether resending panics.
    pub(super) breaks: bool,
    /// How many exports were begun, and how many came to an end: each goes on until it is stopped.
    pub(super) exports: Mutex<(u32, u32)>,
}

impl Basket {
    pub(super) fn put(&self, count: i64) {
        let mut rows = self.0.lock().unwrap();
        let from = rows.len() as i64;
        rows.extend((from + 1..=from + count).map(summary));
    }

    pub(super) fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Vec<Summary> {
        let rows = self.0.lock().unwrap();
        let taken =
            rows.iter().filter(|row| filter.is_none_or(|f| f.matches(row, &Content::default(), Timestamp::default())));
        let mut page: Vec<_> = match start {
            Start::Newest => taken.rev().take(limit).cloned().collect(),
            Start::Before(id) => taken.rev().filter(|row| row.id < id).take(limit).cloned().collect(),
            Start::After(id) => taken.filter(|row| row.id > id).take(limit).cloned().collect(),
        };
        page.sort_by_key(|row| std::cmp::Reverse(row.id));
        page
    }

    /// A search that is cut off after every fifty rows.
    pub(super) fn slice(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Slice {
        const PIECE: i64 = 50;
        let newest = CaptureId(self.0.lock().unwrap().len() as i64);
        if filter.is_none() {
            return whole(start, limit, self.page(start, limit, None));
        }
        let mut rows = self.page(start, limit, filter);
        let at = match start {
            Start::After(id) => {
                let to = id.0 + PIECE;
                rows.retain(|row| row.id.0 <= to);
                let to = if rows.len() == limit { rows[0].id.0 } else { to };
                (to < newest.0).then_some(Start::After(CaptureId(to)))
            }
            Start::Newest | Start::Before(_) => {
                let from = if let Start::Before(id) = start { id.0.min(newest.0 + 1) } else { newest.0 + 1 };
                let to = from - PIECE;
                rows.retain(|row| row.id.0 >= to);
                let to = if rows.len() == limit { rows[limit - 1].id.0 } else { to };
                (to > 1).then_some(Start::Before(CaptureId(to)))
            }
        };
        Slice { rows, rest: at, percent: 7, newest, missed: Vec::new() }
    }

    pub(super) fn again(&self, ids: &[CaptureId], filter: &Filter) -> Vec<Summary> {
        let mut rows = self.page(Start::Newest, usize::MAX, Some(filter));
        rows.retain(|row| ids.contains(&row.id));
        rows
    }

    pub(super) fn sorted(&self, by_took: bool, filter: Option<&Filter>) -> Vec<Summary> {
        let mut rows = self.page(Start::Newest, usize::MAX, filter);
        rows.retain(|row| !by_took || row.took_ms.is_some());
        rows.sort_by_key(|row| std::cmp::Reverse(if by_took { row.took_ms.unwrap_or(0) } else { row.size }));
        rows.truncate(crate::tui::update::SORTED_ROWS);
        rows
    }

    pub(super) fn beats(&self, after: CaptureId, since: Timestamp) -> (CaptureId, Vec<Beat>) {
        let rows = self.0.lock().unwrap();
        let new = rows.iter().filter(|row| row.id > after && row.received_at >= since);
        let beat = |row: &Summary| Beat {
            second: row.received_at.unix_ms().div_euclid(1_000),
            verdict: row.verdict as usize,
            count: 1,
        };
        (rows.last().map_or(after, |row| row.id), new.map(beat).collect())
    }

    pub(super) fn stats(&self, since: Timestamp, until: Timestamp) -> Stats {
        let rows = self.0.lock().unwrap();
        let mut stats = Stats { since, until, pieces: vec![[0; 4]; PIECES], ..Stats::default() };
        for row in rows.iter().filter(|row| (since..until).contains(&row.received_at)) {
            let at = (row.received_at.unix_ms() - since.unix_ms()) * PIECES as i64;
            stats.pieces[(at / (until.unix_ms() - since.unix_ms())) as usize][row.verdict as usize] += 1;
            stats.all[row.verdict as usize] += 1;
        }
        stats.endpoints = vec![("default".to_owned(), stats.all)];
        stats
    }

    /// What of a capture waits or was given up, after two tries.
    pub(super) fn errands(&self, id: CaptureId) -> Vec<Errand> {
        let rows = self.0.lock().unwrap();
        let row = rows.iter().find(|row| row.id == id);
        let errand = |row: &Summary| Errand {
            id: ErrandId(1),
            capture: id,
            lane: "default → http://localhost:3000".to_owned(),
            tries: 2,
            due_at: Timestamp::from_unix_ms(row.received_at.unix_ms() + 90_000),
            dead: row.post == Some(Post::Dead),
            why: Some("answered 500".to_owned()),
        };
        row.filter(|row| row.post.is_some()).map(errand).into_iter().collect()
    }

    /// Ends what of a capture waits or was given up.
    pub(super) fn drop_errands(&self, id: CaptureId) -> u64 {
        let mut rows = self.0.lock().unwrap();
        let post = rows.iter_mut().find(|row| row.id == id).and_then(|row| row.post.take());
        u64::from(post.is_some())
    }

    pub(super) fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> u64 {
        let mut rows = self.0.lock().unwrap();
        let tagged = rows.iter_mut().filter(|row| ids.contains(&row.id)).map(|row| {
            row.tags = row.tags.without(tagging.take).with(tagging.give);
            row.note = tagging.note.clone().or(row.note.take()).filter(|note| !note.is_empty());
        });
        tagged.count() as u64
    }

    /// Every signature is right by the secrets of now.
    pub(super) fn judge(&self, id: CaptureId) -> Judged {
        let mut rows = self.0.lock().unwrap();
        let Some(row) = rows.iter_mut().find(|row| row.id == id) else { return Judged::default() };
        if row.provider.is_none() {
            return Judged { left: 1, ..Judged::default() };
        }
        (row.verdict, row.fault) = (Verdict::Passed, None);
        Judged { passed: 1, ..Judged::default() }
    }

    /// The judgement of a capture that passes and failed when it came.
    pub(super) fn judged_to_pass(&self, id: CaptureId) -> Option<Judgement> {
        let passes = |row: &Summary| row.id == id && row.verdict == Verdict::Passed;
        let was_judged = summary(id.0).verdict == Verdict::Failed && self.0.lock().unwrap().iter().any(passes);
        was_judged.then(|| Judgement { verdict: Verdict::Passed, ..Judgement::default() })
    }

    pub(super) fn marked(&self) -> Vec<CaptureId> {
        let rows = self.0.lock().unwrap();
        rows.iter().filter(|row| row.tags.has(Tags::MARKED)).map(|row| row.id).collect()
    }

    pub(super) fn known(&self) -> Known {
        let of = |rows: &[Summary]| rows.iter().filter_map(|row| row.event.kind.clone()).collect::<BTreeSet<_>>();
        let events = of(&self.0.lock().unwrap());
        let providers = vec!["github".to_owned(), "gitlab".to_owned(), "stripe".to_owned()];
        Known::from([("event".to_owned(), events.into_iter().collect()), ("provider".to_owned(), providers)])
    }

    pub(super) fn counters(&self) -> Counters {
        Counters { captures: self.0.lock().unwrap().len() as u64, ..Counters::default() }
    }
}

/// The failure of what this stage has no means for.
fn nothing(doing: &str) -> Failure {
    Failure::new(doing, "this stage cannot")
}

impl Stage for Scene {
    fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Result<Slice, Failure> {
        Ok(self.basket.slice(start, limit, filter))
    }

    fn again(&self, ids: &[CaptureId], filter: &Filter) -> Result<Vec<Summary>, Failure> {
        Ok(self.basket.again(ids, filter))
    }

    fn sorted(&self, by: Sorting, _: usize, filter: Option<&Filter>) -> Result<Slice, Failure> {
        Ok(whole(Start::Newest, usize::MAX, self.basket.sorted(by == Sorting::Took, filter)))
    }

    fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure> {
        Ok(self.basket.tag(ids, tagging))
    }

    fn judge(&self, id: CaptureId) -> Result<Judged, Failure> {
        Ok(self.basket.judge(id))
    }

    fn beats(&self, after: CaptureId, since: Timestamp) -> Result<(CaptureId, Vec<Beat>), Failure> {
        Ok(self.basket.beats(after, since))
    }

    fn stats(&self, since: Timestamp, until: Timestamp) -> Result<Stats, Failure> {
        Ok(self.basket.stats(since, until))
    }

    fn known(&self) -> Result<Known, Failure> {
        Ok(self.basket.known())
    }

    fn keep_filter(&self, name: &str, _: &str) -> Result<(), Failure> {
        Err(nothing(&format!("saving the filter `{name}`")))
    }

    fn opening(&self, id: CaptureId) -> Result<Option<Capture>, Failure> {
        self.capture(id)
    }

    fn rest(&self, capture: &Capture, goes_on: &dyn Fn() -> bool) -> Result<Option<Capture>, Failure> {
        if goes_on() { self.capture(capture.id) } else { Ok(None) }
    }

    fn tries(&self, _: &Capture) -> Result<Vec<crate::verify::Try>, Failure> {
        Ok(Vec::new())
    }

    fn resend_edited(&self, _: CaptureId, _: Option<String>, _: bool, _: &Rewritten) -> Result<Delivery, Failure> {
        Err(nothing("resending what was edited"))
    }

    fn keep(&self, _: &Capture, _: &Rewritten) -> Result<CaptureId, Failure> {
        Err(nothing("saving what was edited"))
    }

    fn pipe(&self, _: CaptureId, _: &str) -> Result<Piped, Failure> {
        Err(nothing("running a command"))
    }

    /// A program here is the new body; what is no JSON cannot be run.
    fn through(&self, capture: &Capture, lens: &Lens) -> Result<Capture, Failure> {
        let Transform { program, whole } = &lens.transform;
        serde_json::from_str::<serde_json::Value>(program)
            .map_err(|_| Failure::new("transforming by jq", "column 2: no such function").hint("mend it"))?;
        let head =
            if *whole { Head::parse(Bytes::from_static(b"PUT / HTTP/1.1\r\n\r\n")) } else { capture.head.clone() };
        Ok(Capture { head, body: Body::whole(program.clone().into(), [0; 32]), ..capture.clone() })
    }

    fn browse(&self, _: &str) -> Result<(), Failure> {
        Err(nothing("opening a URL"))
    }

    fn door(&self) -> Result<Door, Failure> {
        Ok(Door::default())
    }

    fn refusals(&self) -> Result<Refusals, Failure> {
        Ok(Refusals::default())
    }

    fn tell(&self, endpoint: &str, _: Option<&Words>) -> Result<String, Failure> {
        Err(nothing(&format!("telling the endpoint `{endpoint}` what to answer")))
    }

    fn counters(&self) -> Result<Counters, Failure> {
        Ok(self.basket.counters())
    }

    fn capture(&self, id: CaptureId) -> Result<Option<Capture>, Failure> {
        Ok(Some(capture(id)))
    }

    fn signed(&self, _: &Capture) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, name: &str, _: &[u8]) -> Result<String, Failure> {
        Ok(name.to_owned())
    }

    fn deliveries(&self, _: CaptureId) -> Result<Vec<Delivery>, Failure> {
        Ok(Vec::new())
    }

    fn errands(&self, id: CaptureId) -> Result<Vec<Errand>, Failure> {
        Ok(self.basket.errands(id))
    }

    fn resend(&self, id: CaptureId, to: Option<String>, _: bool) -> Result<Delivery, Failure> {
        self.resent.lock().unwrap().push((id, to));
        assert!(!self.breaks, "a part that breaks");
        Err(Failure::new("resending", "this stage has no apps"))
    }

    fn resend_marked(&self, _: &[CaptureId]) -> Result<SentAll, Failure> {
        Ok(SentAll { right: 1, wrong: 1, ..SentAll::default() })
    }

    fn taken(&self, filter: &Filter) -> Result<Vec<CaptureId>, Failure> {
        let rows = self.basket.page(Start::Newest, usize::MAX, Some(filter));
        Ok(rows.iter().rev().map(|row| row.id).collect())
    }

    fn marked(&self) -> Result<Vec<CaptureId>, Failure> {
        Ok(self.basket.marked())
    }

    fn export(&self, _: &Export, goes_on: &mut dyn FnMut(usize) -> bool) -> Result<Exported, Failure> {
        self.exports.lock().unwrap().0 += 1;
        while goes_on(1) {
            std::thread::yield_now();
        }
        self.exports.lock().unwrap().1 += 1;
        Ok(Exported::Stopped)
    }

    fn stop_resending(&self) {}

    fn resend_dead(&self, id: CaptureId) -> Result<Delivery, Failure> {
        self.resend(id, None, false)
    }

    fn drop_errands(&self, id: CaptureId) -> Result<u64, Failure> {
        Ok(self.basket.drop_errands(id))
    }

    fn on_news(&self, _: HearNews) {}

    fn on_reread(&self, _: Box<dyn Fn(Configured) + Send>) {}

    fn forget(&self, _: &[CaptureId]) -> Result<(), Failure> {
        Ok(())
    }

    fn on_ring(&self, ring: Ring) {
        *self.ring.lock().unwrap() = Some(ring);
    }

    fn on_end(&self, _: Box<dyn FnOnce() + Send>) -> Result<(), Failure> {
        Ok(())
    }
}
