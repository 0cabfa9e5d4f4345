//! The screen without a terminal: the real loop, on a stage of the test's own.

mod act_keys;
mod detail_keys;

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use bytes::Bytes;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};

use super::{
    detail::{Prepared, find},
    effect::{Ask, Compare, Effect},
    keys::{Keymap, Mode},
    list::Order,
    look::{Depth, Look},
    model::{Model, Tone},
    msg::{BodyView, Compared, Msg, Opened},
    run::{self, Options},
    stage::{Place, Stage, whole},
    state::State,
    update::update,
    view,
};
use crate::{
    body,
    engine::{respond::Respond, tunnel::State as Tunnel},
    query::{Content, Filter},
    record::{
        Body, Capture, CaptureId, Counters, Delivery, Event, Evidence, Explanation, Failure, Fault, Flag, Head,
        Headers, Judgement, Repeat, Summary, Tagging, Timestamp, Uid, Verdict, Zone,
    },
    store::{Beat, PIECES, Slice, Sorting, Start, Stats},
};

/// A store in memory: rows by number, newest last.
#[derive(Clone, Default)]
struct Basket(Arc<Mutex<Vec<Summary>>>);

type Ring = Box<dyn Fn() + Send + Sync>;

/// The stage that the real loop runs on.
#[derive(Default)]
struct Scene {
    basket: Basket,
    ring: Mutex<Option<Ring>>,
    resent: Mutex<Vec<(CaptureId, Option<String>)>>,
    /// Whether resending panics.
    breaks: bool,
}

fn summary(id: i64) -> Summary {
    Summary {
        id: CaptureId(id),
        uid: Uid(id as u128),
        received_at: Timestamp::from_unix_ms(1_795_424_700_000 + id * 1000),
        endpoint: "default".to_owned(),
        peer: "127.0.0.1:1".to_owned(),
        method: "POST".to_owned(),
        path: format!("/path/{id}"),
        query: None,
        size: 2150,
        truncated: false,
        flags: crate::record::Flags::default(),
        provider: Some("github".to_owned()),
        event: Event { id: None, kind: Some(if id % 3 == 0 { "push" } else { "issues" }.to_owned()), created_at: None },
        verdict: if id % 5 == 0 { Verdict::Failed } else { Verdict::Passed },
        fault: (id % 5 == 0).then_some(Fault::Mismatch),
        covers_body: Some(true),
        age_s: None,
        duplicate_of: None,
        repeat: None,
        late_ms: None,
        tags: crate::record::Tags::NONE,
        note: None,
        reply_status: 200,
        deliveries: 0,
        last_delivery: None,
        took_ms: None,
        post: None,
    }
}

fn capture(id: CaptureId) -> Capture {
    let text = format!(
        "POST /path/{id}?x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abcdef\r\nX-Evil: \u{9b}31m\u{202e}\r\n\r\n"
    );
    Capture {
        id,
        uid: Uid(0),
        received_at: Timestamp::from_unix_ms(0),
        endpoint: "default".to_owned(),
        peer: "127.0.0.1:1".to_owned(),
        head: Head::parse(Bytes::from(text)),
        body: Body {
            size: 40,
            bytes: Bytes::from_static(b"{\"evil\":\"\x1b]0;owned\x07\",\"n\":1.0,\"id\":1}"),
            sha256: [0; 32],
            declared: None,
            truncated: false,
        },
        trailers: Headers::default(),
        flags: [Flag::FromWebPage].into_iter().collect(),
        provider: Some("github".to_owned()),
        event: Event::default(),
        judgement: Judgement {
            verdict: Verdict::Failed,
            fault: Some(Fault::Mismatch),
            explanation: Some(Explanation { by: None, text: "Not of these bytes.".to_owned(), tried: 1 }),
            evidence: Some(Evidence {
                place: "X-Hub-Signature-256".to_owned(),
                received: Some("sha256=00ff".to_owned()),
                expected: Some("sha256=01ff".to_owned()),
                content: "{body}".to_owned(),
                difference: None,
            }),
            age_s: None,
            covers_body: Some(true),
            handshake: None,
        },
        duplicate_of: None,
        repeat: None,
        late_ms: None,
        tags: crate::record::Tags::NONE,
        note: None,
        reply_status: 200,
    }
}

impl Basket {
    fn put(&self, count: i64) {
        let mut rows = self.0.lock().unwrap();
        let from = rows.len() as i64;
        rows.extend((from + 1..=from + count).map(summary));
    }

    fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Vec<Summary> {
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
    fn slice(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Slice {
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
        Slice { rows, rest: at, percent: 7, newest }
    }

    fn again(&self, ids: &[CaptureId], filter: &Filter) -> Vec<Summary> {
        let mut rows = self.page(Start::Newest, usize::MAX, Some(filter));
        rows.retain(|row| ids.contains(&row.id));
        rows
    }

    fn sorted(&self, by_took: bool, filter: Option<&Filter>) -> Vec<Summary> {
        let mut rows = self.page(Start::Newest, usize::MAX, filter);
        rows.retain(|row| !by_took || row.took_ms.is_some());
        rows.sort_by_key(|row| std::cmp::Reverse(if by_took { row.took_ms.unwrap_or(0) } else { row.size }));
        rows.truncate(super::update::SORTED_ROWS);
        rows
    }

    fn beats(&self, after: CaptureId, since: Timestamp) -> (CaptureId, Vec<Beat>) {
        let rows = self.0.lock().unwrap();
        let new = rows.iter().filter(|row| row.id > after && row.received_at >= since);
        let beat = |row: &Summary| Beat {
            second: row.received_at.unix_ms().div_euclid(1_000),
            verdict: row.verdict as usize,
            count: 1,
        };
        (rows.last().map_or(after, |row| row.id), new.map(beat).collect())
    }

    fn stats(&self, since: Timestamp, until: Timestamp) -> Stats {
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

    fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> u64 {
        let mut rows = self.0.lock().unwrap();
        let tagged = rows.iter_mut().filter(|row| ids.contains(&row.id)).map(|row| {
            row.tags = row.tags.without(tagging.take).with(tagging.give);
            row.note = tagging.note.clone().or(row.note.take()).filter(|note| !note.is_empty());
        });
        tagged.count() as u64
    }

    fn counters(&self) -> Counters {
        Counters { captures: self.0.lock().unwrap().len() as u64, ..Counters::default() }
    }
}

impl Stage for Scene {
    fn page(&self, start: Start, limit: usize, filter: Option<&Filter>) -> Result<Slice, Failure> {
        Ok(self.basket.slice(start, limit, filter))
    }

    fn again(&self, ids: &[CaptureId], filter: &Filter) -> Result<Vec<Summary>, Failure> {
        Ok(self.basket.again(ids, filter))
    }

    fn sorted(&self, by: Sorting, _: usize, filter: Option<&Filter>) -> Result<Vec<Summary>, Failure> {
        Ok(self.basket.sorted(by == Sorting::Took, filter))
    }

    fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure> {
        Ok(self.basket.tag(ids, tagging))
    }

    fn beats(&self, after: CaptureId, since: Timestamp) -> Result<(CaptureId, Vec<Beat>), Failure> {
        Ok(self.basket.beats(after, since))
    }

    fn stats(&self, since: Timestamp, until: Timestamp) -> Result<Stats, Failure> {
        Ok(self.basket.stats(since, until))
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

    fn resend(&self, id: CaptureId, to: Option<String>, _: bool) -> Result<Delivery, Failure> {
        self.resent.lock().unwrap().push((id, to));
        assert!(!self.breaks, "a part that breaks");
        Err(Failure::new("resending", "this stage has no apps"))
    }

    fn resend_marked(&self) -> Result<(u64, u64), Failure> {
        Ok((2, 1))
    }

    fn stop_resending(&self) {}

    fn resend_dead(&self, id: CaptureId) -> Result<Delivery, Failure> {
        self.resend(id, None, false)
    }

    fn on_news(&self, _: Box<dyn Fn(&str) + Send>) {}

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

const LOOK: Look = Look::plain(true, true);

fn place() -> Place {
    Place::Listening("http://127.0.0.1:27335".to_owned())
}

/// A model whose effects are done at once, as the workers would.
struct Play {
    model: Model,
    basket: Basket,
    quit: bool,
    mouse: bool,
    copied: Vec<Vec<u8>>,
    forgotten: Vec<CaptureId>,
}

impl Play {
    fn new(rows: i64, size: (u16, u16)) -> Self {
        let basket = Basket::default();
        basket.put(rows);
        let mut play = Self {
            model: Model::new(place(), Zone::utc(), LOOK, size),
            basket,
            quit: false,
            mouse: true,
            copied: Vec::new(),
            forgotten: Vec::new(),
        };
        play.frame();
        play
    }

    fn send(&mut self, msg: Msg) {
        let mut effects = update(&mut self.model, msg);
        while let Some(effect) = effects.pop() {
            if let Some(answer) = self.perform(effect) {
                effects.extend(update(&mut self.model, answer));
            }
        }
        self.check();
    }

    fn perform(&mut self, effect: Effect) -> Option<Msg> {
        match effect {
            Effect::Page { generation, ask, start, limit, filter } => {
                Some(Msg::Page { generation, ask, rows: Ok(self.basket.slice(start, limit, filter.as_deref())) })
            }
            Effect::Again { generation, ids, filter } => {
                let rows = whole(Start::Newest, usize::MAX, self.basket.again(&ids, &filter));
                Some(Msg::Page { generation, ask: Ask::Kept, rows: Ok(rows) })
            }
            Effect::Sorted { generation, order, filter } => {
                let rows = self.basket.sorted(order == Order::Slowest, filter.as_deref());
                Some(Msg::Page { generation, ask: Ask::Newest, rows: Ok(whole(Start::Newest, usize::MAX, rows)) })
            }
            Effect::Tag { ids, tagging } => Some(Msg::Tagged(Ok(self.basket.tag(&ids, &tagging)))),
            Effect::Beats { after, since } => Some(Msg::Beats(Ok(self.basket.beats(after, since)))),
            Effect::Stats { generation, since, until } => {
                Some(Msg::Stats { generation, stats: Ok(self.basket.stats(since, until)) })
            }
            Effect::Mouse(taken) => {
                self.mouse = taken;
                None
            }
            Effect::Count => Some(Msg::Counted(Ok(self.basket.counters()))),
            Effect::Door => Some(Msg::Door(Ok(self.model.door.clone()))),
            Effect::Tell { endpoint, words } => {
                let file = Respond::default();
                let answer = words.as_ref().map_or_else(|| Ok(file.clone()), |words| words.over(&file)).unwrap();
                let told = words.map(|_| (endpoint.clone(), answer.to_string()));
                self.model.door.told = told.into_iter().collect();
                Some(Msg::Told { endpoint, answer: Ok(answer.to_string()) })
            }
            Effect::Open { generation, id } => Some(Msg::Opened { generation, opened: Ok(Some(opened(id))) }),
            Effect::View { generation, capture, view } => {
                let content = body::Content { bytes: capture.body.bytes.clone(), ..body::Content::default() };
                let document = (body::VIEWS[view].open)(&content).map(Arc::from);
                Some(Msg::Viewed { generation, body: view_of(view, document) })
            }
            Effect::Rest { .. } | Effect::Save { .. } | Effect::StopResending => None,
            Effect::Locate { generation, document, line } => {
                Some(Msg::Located { generation, line, node: document.tree().unwrap().node(line) })
            }
            Effect::FoldTo { generation, document, depth } => {
                Some(Msg::Folded { generation, folds: document.tree().unwrap().folded_to(depth) })
            }
            Effect::Prepare { generation, capture, part } => {
                let prepared = Prepared::new(part, &capture, |_| Some(b"signed \x1b[2J bytes".to_vec()));
                Some(Msg::Prepared { generation, prepared })
            }
            Effect::Find { generation, needle, document, first } => {
                let (hits, more) = find::in_document(&needle, &document, first, || false).unwrap();
                Some(Msg::Found { generation, hits, more })
            }
            Effect::Deliveries(id) => Some(Msg::Deliveries { id, deliveries: Ok(Vec::new()) }),
            Effect::Resend { id, .. } | Effect::ResendDead(id) => {
                Some(Msg::Resent { id, delivery: Err(Failure::new("resending", "no apps")) })
            }
            Effect::ResendMarked => Some(Msg::ResentMarked(Ok((2, 1)))),
            Effect::Copy(bytes) => {
                self.copied.push(bytes);
                None
            }
            Effect::Forget(ids) => {
                self.forgotten.extend(ids);
                None
            }
            Effect::Keep { name, bytes } => Some(Msg::Kept(Ok((name, bytes.len() as u64)))),
            Effect::Compare(Compare::Captures(before, after)) => {
                let parts = body::compare::captures(&capture(before), &capture(after));
                Some(Msg::Compared(Ok(Compared { names: [before, after].map(|id| format!("#{id}")), parts })))
            }
            Effect::Compare(Compare::Replies(_)) => Some(Msg::Compared(Err(Failure::new("comparing", "no replies")))),
            Effect::Quit => {
                self.quit = true;
                None
            }
        }
    }

    /// What always holds: the selection is a row, and is seen.
    fn check(&self) {
        let list = &self.model.list;
        if let Some(id) = list.selected.filter(|_| list.asked.is_none()) {
            assert!(list.rows.is_empty() || list.rows.iter().any(|row| row.id == id), "{id} is no row");
            let place = list.place();
            let seen = list.height == 0 || (list.top <= place && place < list.top + list.height);
            assert!(seen, "row {place} is not among {} from {}", list.height, list.top);
        }
        let in_order = list.order.is_sorted() || list.rows.windows(2).all(|pair| pair[0].id > pair[1].id);
        assert!(in_order, "the window is out of order");
    }

    fn frame(&mut self) {
        self.send(Msg::Frame);
    }

    fn ring(&mut self) {
        self.send(Msg::Ring);
        self.frame();
    }

    fn keys(&mut self, keys: &str) {
        for c in keys.chars() {
            let (code, modifiers) = match c {
                '\n' => (KeyCode::Enter, KeyModifiers::NONE),
                '\u{1b}' => (KeyCode::Esc, KeyModifiers::NONE),
                c => (KeyCode::Char(c), KeyModifiers::NONE),
            };
            self.send(Msg::Key(KeyEvent::new(code, modifiers)));
        }
    }

    fn selected(&self) -> i64 {
        self.model.list.selected.map_or(0, |id| id.0)
    }

    fn screen(&self) -> String {
        let (columns, rows) = self.model.size;
        // The backend of the tests cannot print a screen without columns.
        let mut terminal = Terminal::new(TestBackend::new(columns.max(1), rows)).unwrap();
        terminal.draw(|frame| view::draw(&self.model, frame)).unwrap();
        terminal.backend().to_string()
    }
}

/// A body for which the views of JSON and those of any bytes fit.
fn view_of(view: usize, document: Result<Arc<dyn body::Document>, String>) -> BodyView {
    let fits = body::VIEWS.iter().map(|view| ["tree", "json", "text", "hex"].contains(&view.name)).collect();
    BodyView { view, fits, is_cut: false, document }
}

fn opened(id: CaptureId) -> Opened {
    let capture = capture(id);
    let content = body::Content { bytes: capture.body.bytes.clone(), ..body::Content::default() };
    let view = body::VIEWS.iter().position(|view| view.name == "tree").unwrap();
    let document = (body::VIEWS[view].open)(&content).map(Arc::from);
    Opened { capture: Arc::new(capture), deliveries: Vec::new(), body: view_of(view, document) }
}

#[test]
fn the_newest_is_followed_until_the_user_moves() {
    let mut play = Play::new(100, (80, 24));
    assert_eq!(play.selected(), 100);
    play.basket.put(5);
    play.ring();
    assert_eq!(play.selected(), 105);
    play.keys("jj");
    play.basket.put(7);
    play.ring();
    assert_eq!(play.selected(), 103);
    assert!(play.screen().contains("7 new ↑"), "{}", play.screen());
    play.keys("g");
    assert_eq!(play.selected(), 112);
    assert!(!play.screen().contains("new ↑"));
}

#[test]
fn a_long_list_is_walked_from_end_to_end_with_a_window_that_stays_small() {
    let mut play = Play::new(5_000, (80, 24));
    for _ in 0..4_999 {
        play.keys("j");
    }
    assert_eq!(play.selected(), 1);
    assert!(play.model.list.rows.len() < 500, "{} rows", play.model.list.rows.len());
    for _ in 0..4_999 {
        play.keys("k");
    }
    assert_eq!(play.selected(), 5_000);
    play.keys("G");
    assert_eq!(play.selected(), 1);
    play.keys("g");
    assert_eq!(play.selected(), 5_000);
}

#[test]
fn a_filter_keeps_the_selection_where_it_can_and_the_last_good_one_stays() {
    let mut play = Play::new(300, (80, 24));
    play.keys("jjjjj");
    assert_eq!(play.selected(), 295);
    play.keys("/sig:failed");
    assert_eq!(play.selected(), 295, "it is among the failed");
    assert!(play.model.list.rows.iter().all(|row| row.verdict == Verdict::Failed));
    play.keys(" evnt:x");
    let screen = play.screen();
    assert!(screen.contains("there is no field `evnt`; did you mean `event`?"), "{screen}");
    // What was typed before the colon was a word, and a good filter.
    assert_eq!(play.model.filter.as_ref().unwrap().text(), "sig:failed evnt");
    play.keys("\u{1b}");
    assert!(play.model.filter.is_none() && play.model.prompt.is_none());
    assert_eq!(play.selected(), 295);
    play.keys("/path:/nowhere\n");
    assert!(play.screen().contains("Nothing matches"), "{}", play.screen());
    play.keys("\u{1b}");
    assert!(play.model.filter.is_none() && !play.quit);
}

#[test]
fn a_search_shows_what_it_found_while_it_goes_on() {
    let mut play = Play::new(2_000, (120, 30));
    play.keys("/path:/path/77\n");
    assert_eq!(play.model.list.rows.len(), 11, "77 and 770 to 779, forty pieces apart");
    assert!(!play.model.list.is_searching() && !play.screen().contains("searching"));
    let generation = play.model.list.generation;
    let piece = |rows: Vec<Summary>, rest| Slice { rows, rest, percent: 62, newest: CaptureId(2_000) };
    let first = piece(vec![summary(779)], Some(Start::Before(CaptureId(700))));
    let effects = update(&mut play.model, Msg::Page { generation, ask: Ask::Newest, rows: Ok(first) });
    assert!(play.screen().contains("/path/779") && play.screen().contains("62 %"), "{}", play.screen());
    let goes_on =
        |effect: &Effect| matches!(effect, Effect::Page { ask: Ask::Older, start: Start::Before(CaptureId(700)), .. });
    assert!(effects.iter().any(goes_on));
    // Typing on leaves the search: what it still finds is not wanted any more.
    play.keys("/0");
    let late = piece(vec![summary(1)], None);
    update(&mut play.model, Msg::Page { generation, ask: Ask::Older, rows: Ok(late) });
    assert!(play.model.list.rows.iter().all(|row| row.id.0 != 1));
}

#[test]
fn what_comes_while_a_filter_is_followed_is_added_above() {
    let mut play = Play::new(300, (120, 30));
    play.keys("/path:/path/3\n");
    let before = play.model.list.rows.len();
    play.basket.put(200);
    play.send(Msg::Ring);
    play.send(Msg::Frame);
    assert!(play.model.list.rows.len() > before, "{before}");
    assert_eq!(play.model.list.rows[0].id.0, 399);
}

#[test]
fn late_answers_are_dropped() {
    let mut play = Play::new(50, (120, 30));
    let before = play.model.list.generation;
    play.keys("/event:push\n");
    let rows = whole(Start::Newest, 60, vec![summary(999)]);
    play.send(Msg::Page { generation: before, ask: Ask::Newest, rows: Ok(rows) });
    assert!(play.model.list.rows.iter().all(|row| row.id.0 != 999));
    let stale = play.model.detail.generation;
    play.keys("j");
    play.send(Msg::Opened { generation: stale, opened: Ok(Some(opened(CaptureId(777)))) });
    assert_ne!(play.model.detail.capture.as_ref().unwrap().id.0, 777);
}

#[test]
fn the_detail_has_what_there_is_to_know_and_nothing_that_acts() {
    let mut play = Play::new(10, (100, 40));
    play.keys("\n");
    let overview = play.screen();
    for words in
        ["#10 POST /path/10?x", "failed: it is not of these bytes", "sent by the page of a web site", "\"evil\""]
    {
        assert!(overview.contains(words), "{words}:\n{overview}");
    }
    play.keys("2");
    assert!(play.screen().contains("\"␛]0;owned␇\""), "{}", play.screen());
    play.keys("v");
    assert!(play.screen().contains(" json: invalid"), "{}", play.screen());
    play.keys("3");
    let headers = play.screen();
    assert!(headers.contains("Authorization: ••••••") && !headers.contains("Bearer"), "{headers}");
    assert!(headers.contains("‹U+009B›31m‹U+202E›"), "{headers}");
    play.keys("m");
    assert!(play.screen().contains("Bearer abcdef"));
    play.keys("4");
    let signature = play.screen();
    for words in ["received   sha256=00ff", "expected   sha256=01ff", "signed     {body}"] {
        assert!(signature.contains(words), "{words}:\n{signature}");
    }
    play.keys("5");
    assert!(play.screen().contains("Not sent on yet"));
    play.keys("?");
    assert!(play.screen().contains("Keys"));
    play.keys("\u{1b}\u{1b}\u{1b}");
    assert!(!play.quit, "Esc never quits");
    play.keys("q");
    assert!(play.quit);
}

#[test]
fn what_is_marked_goes_out_by_one_key_and_the_same_key_stops_it() {
    let mut model = Model::new(place(), Zone::utc(), LOOK, (80, 24));
    let press = |model: &mut Model| {
        let key = KeyEvent::new(KeyCode::Char('B'), KeyModifiers::NONE);
        update(model, Msg::Key(key))
    };
    assert!(matches!(press(&mut model)[..], [Effect::ResendMarked]));
    assert!(matches!(press(&mut model)[..], [Effect::StopResending]));
    update(&mut model, Msg::ResentMarked(Ok((5, 3))));
    assert_eq!(model.notice.as_ref().unwrap().text, "5 sent: 3 answered 2xx, 2 not");
    assert!(matches!(press(&mut model)[..], [Effect::ResendMarked]));
    update(&mut model, Msg::News("forwarding a → b pauses: 5 tries failed".to_owned()));
    assert_eq!(model.notice.as_ref().unwrap().tone, Tone::Bad);
}

#[test]
fn resending_asks_for_a_url_where_no_app_is_known() {
    let mut play = Play::new(3, (80, 24));
    play.keys("r");
    assert!(play.screen().contains("resend #3 to: http://localhost:"), "{}", play.screen());
    play.keys("9\n");
    assert_eq!(play.model.last_url.as_deref(), Some("http://localhost:9"));
    assert!(play.screen().contains("resending: no apps"), "{}", play.screen());
    play.model.apps.insert("default".to_owned(), "http://app".to_owned());
    play.keys("r");
    assert!(play.model.prompt.is_none());
    play.model.apps.clear();
    play.keys("s");
    assert!(play.screen().contains("resend #3, signed anew, to: http://localhost:9"), "{}", play.screen());
}

#[test]
fn nothing_caught_yet_tells_where_to_send() {
    for size in [(40, 10), (80, 24), (200, 60)] {
        let play = Play::new(0, size);
        let screen = play.screen().replace(['\n', '"', ' '], "");
        assert!(screen.contains("http://127.0.0.1:27335"), "{screen}");
    }
    assert!(Play::new(0, (80, 24)).screen().contains("curl -d '{\"hello\":\"creel\"}' http://127.0.0.1:27335/hello"));
}

#[test]
fn every_size_shows_the_rows_and_their_verdicts() {
    for size in [(40, 10), (80, 24), (120, 35), (200, 60), (300, 100)] {
        let screen = Play::new(200, size).screen();
        assert!(screen.contains("/path/200") && screen.contains('✗') && screen.contains('✓'), "{size:?}\n{screen}");
    }
}

#[test]
fn without_colour_and_without_unicode_the_same_is_told() {
    let mut play = Play::new(20, (120, 30));
    play.model.look = Look::plain(false, false);
    let mut terminal = Terminal::new(TestBackend::new(120, 30)).unwrap();
    terminal.draw(|frame| view::draw(&play.model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let colourless = |colour| colour == ratatui::style::Color::Reset;
    assert!(buffer.content.iter().all(|cell| colourless(cell.fg) && colourless(cell.bg)));
    let list = buffer.content.iter().enumerate().filter(|(at, _)| at % 120 < 60);
    assert!(list.clone().all(|(_, cell)| cell.symbol().is_ascii()));
    assert!(list.clone().any(|(_, cell)| cell.symbol() == "x"));
}

/// The real loop: keys in, frames out, a bell that rings while it draws.
#[test]
fn the_loop_runs_on_any_terminal() {
    let scene = Arc::new(Scene::default());
    scene.basket.put(30);
    let stage: Arc<dyn Stage> = scene.clone();
    let (messages, inbox): (Sender<Msg>, Receiver<Msg>) = channel();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let to = messages.clone();
    let ringing = scene.clone();
    let typist = std::thread::spawn(move || {
        while ringing.ring.lock().unwrap().is_none() {
            std::thread::yield_now();
        }
        for _ in 0..2_000 {
            ringing.basket.put(1);
            ringing.ring.lock().unwrap().as_ref().unwrap()();
        }
        // Until the first rows have come there is nothing to resend.
        while ringing.resent.lock().unwrap().is_empty() {
            for code in [KeyCode::Char('R'), KeyCode::Char('5'), KeyCode::Enter] {
                to.send(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))).unwrap();
            }
            std::thread::yield_now();
        }
        to.send(Msg::Stop).unwrap();
    });
    let options = Options {
        place: place(),
        apps: std::collections::BTreeMap::new(),
        notices: Vec::new(),
        zone: Zone::utc(),
        look: LOOK,
        keys: Keymap::default(),
        state: State::default(),
        typed: Vec::new(),
        clipboard: |_| Ok(()),
    };
    run::run(&mut terminal, &stage, options, &messages, &inbox).unwrap();
    typist.join().unwrap();
    let resent = scene.resent.lock().unwrap().clone();
    assert_eq!(resent[0].1.as_deref(), Some("http://localhost:5"));
    assert!(terminal.backend().to_string().contains("creel"));
}

/// A panic on another thread is told, its wish is answered, and the screen goes on.
#[test]
fn what_breaks_elsewhere_does_not_end_the_screen() {
    let scene = Arc::new(Scene { breaks: true, ..Scene::default() });
    scene.basket.put(3);
    let stage: Arc<dyn Stage> = scene.clone();
    let (messages, inbox): (Sender<Msg>, Receiver<Msg>) = channel();
    let (seen, heard) = channel();
    let to = messages.clone();
    let watched = scene.clone();
    let typist = std::thread::spawn(move || {
        while watched.resent.lock().unwrap().len() < 2 {
            for code in [KeyCode::Char('R'), KeyCode::Char('5'), KeyCode::Enter] {
                to.send(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))).unwrap();
            }
            std::thread::yield_now();
        }
        // A second one can only be sent once the first is answered.
        seen.send(watched.resent.lock().unwrap().len()).unwrap();
        to.send(Msg::Stop).unwrap();
    });
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let options = Options {
        place: place(),
        apps: std::collections::BTreeMap::new(),
        notices: Vec::new(),
        zone: Zone::utc(),
        look: LOOK,
        keys: Keymap::default(),
        state: State::default(),
        typed: Vec::new(),
        clipboard: |_| Ok(()),
    };
    run::run(&mut terminal, &stage, options, &messages, &inbox).unwrap();
    typist.join().unwrap();
    assert!(heard.recv().unwrap() >= 2);
}

fn any_msg() -> impl Strategy<Value = Msg> {
    let key = prop_oneof![
        "[ -~]".prop_map(|text| KeyEvent::new(KeyCode::Char(text.chars().next().unwrap_or('j')), KeyModifiers::NONE)),
        Just(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)),
        Just(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)),
        Just(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)),
        Just(KeyEvent::new(KeyCode::PageDown, KeyModifiers::NONE)),
        Just(KeyEvent::new(KeyCode::Char('d'), KeyModifiers::CONTROL)),
    ];
    prop_oneof![
        6 => key.prop_map(Msg::Key),
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

    /// Whatever happens in whatever order: no panic, the selection is a row that is seen, every frame can be drawn.
    #[test]
    fn nothing_that_happens_breaks_it(rows in 0_i64..400, msgs in prop::collection::vec(any_msg(), 1..80), more in 0_i64..3) {
        let mut play = Play::new(rows, (80, 24));
        for msg in msgs {
            play.basket.put(more);
            play.send(msg);
            play.frame();
        }
        play.screen();
    }
}

/// The lines of the list that a screen shows, without the frame of quotes.
fn list_rows(play: &Play) -> Vec<String> {
    let (columns, rows) = play.model.size;
    let width = usize::from(super::layout::areas(&play.model).list.width);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| view::draw(&play.model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y: u16| (0..width as u16).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (1..rows).map(row).collect()
}

#[test]
fn marks_pins_and_notes_show_in_the_row_and_can_be_taken_back() {
    let mut play = Play::new(20, (80, 24));
    play.keys(" ");
    assert_eq!(play.selected(), 19, "the next one is at hand");
    play.keys("p;ask Anna\n");
    play.ring();
    let rows = list_rows(&play);
    assert!(rows[1].starts_with("●       20"), "{rows:?}");
    assert!(rows[2].starts_with(" ◆      19"), "{rows:?}");
    assert_eq!(play.model.list.row().unwrap().note.as_deref(), Some("ask Anna"));
    play.keys("P");
    assert_eq!((play.model.list.rows.len(), play.selected()), (1, 19));
    play.keys("Pp");
    play.ring();
    assert_eq!(play.model.list.rows.len(), 20);
    assert!(list_rows(&play).iter().any(|row| row.starts_with(" ¶      19")), "the note is left");
    play.keys(";");
    play.send(Msg::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
    play.keys("\n");
    play.ring();
    assert_eq!(play.model.list.row().unwrap().note, None);
}

#[test]
fn the_order_turns_around_and_sorts_and_the_selection_stays() {
    let mut play = Play::new(300, (80, 24));
    {
        let mut rows = play.basket.0.lock().unwrap();
        for (at, row) in rows.iter_mut().enumerate() {
            row.size = (at as u64 * 7919) % 1000;
            row.took_ms = (at % 100 == 0).then_some(at as u64);
        }
    }
    play.keys("jj");
    play.keys("o");
    assert_eq!((play.model.list.order, play.selected()), (Order::Oldest, 298));
    let rows = list_rows(&play);
    let at = |id: &str| rows.iter().position(|row| row.contains(&format!(" {id} "))).unwrap();
    assert!(at("297") < at("298") && at("298") < at("299"), "{rows:?}");
    play.keys("j");
    assert_eq!(play.selected(), 299, "down is to the newer");
    play.keys("o");
    assert_eq!(play.selected(), 299);
    let sizes: Vec<_> = play.model.list.rows.iter().map(|row| row.size).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes.len() == 300);
    play.basket.put(5);
    play.ring();
    assert_eq!(play.model.list.rows.len(), 300, "a sorted list is what there was");
    play.keys("o");
    let ids: Vec<_> = play.model.list.rows.iter().map(|row| row.id.0).collect();
    assert_eq!(ids, [201, 101, 1], "the others were never delivered");
    play.keys("o");
    play.keys("g");
    assert_eq!((play.model.list.order, play.selected()), (Order::Newest, 305));
}

#[test]
fn repeats_are_folded_under_their_first_and_counted() {
    let mut play = Play::new(30, (80, 24));
    {
        let mut rows = play.basket.0.lock().unwrap();
        for (at, attempt) in [(21_usize, 2), (24, 3), (29, 4)] {
            rows[at].duplicate_of = Some(CaptureId(20));
            rows[at].repeat = Some(Repeat { attempt, gap_ms: 1_000, is_retry: true, is_replay: false });
        }
    }
    play.ring();
    assert_eq!(play.selected(), 30);
    play.keys("X");
    assert_eq!(play.selected(), 20, "what is folded away is stood for by its first");
    let rows = list_rows(&play).join("\n");
    assert!(rows.contains("▸+3 /path/20") && !rows.contains("/path/30"), "{rows}");
    play.keys("x");
    let rows = list_rows(&play);
    let first = rows.iter().position(|row| row.contains("▾3 /path/20")).unwrap();
    assert!(rows[first + 1].contains("  ↻4 /path/30") && rows[first + 3].contains("↻2 /path/22"), "{rows:?}");
    play.keys("jx");
    assert_eq!(play.selected(), 20);
    play.keys("Xg");
    assert!(list_rows(&play).join("\n").contains("/path/30"));
}

#[test]
fn a_pane_is_widened_narrowed_and_zoomed() {
    let mut play = Play::new(20, (160, 40));
    let width = |play: &Play| super::layout::areas(&play.model).list.width;
    let before = width(&play);
    play.keys("]]");
    assert!(width(&play) > before);
    play.keys("[[[[[[[[[[[[[[[[[[[[[[[");
    assert_eq!(width(&play), 160 / 5);
    play.keys("z");
    assert_eq!(width(&play), 160);
    play.keys("\n");
    assert_eq!(super::layout::areas(&play.model).detail.width, 160);
    assert!(play.screen().contains("Overview"));
    play.keys("z");
    assert!(super::layout::areas(&play.model).list.width > 0);
}

#[test]
fn times_are_told_by_how_long_ago_and_the_frame_comes_when_they_age() {
    let mut play = Play::new(3, (80, 24));
    play.send(Msg::Clock(Timestamp::from_unix_ms(1_795_424_703_000 + 65_200)));
    assert_eq!(super::age::next(&play.model), None, "by the clock nothing ages");
    play.keys("t");
    assert!(list_rows(&play)[1].contains("     1m "), "{:?}", list_rows(&play));
    assert_eq!(super::age::next(&play.model), Some(std::time::Duration::from_millis(52_800)), "until 2m");
}

#[test]
fn a_body_folds_under_the_cursor_and_says_where_it_is() {
    let mut play = Play::new(10, (100, 40));
    play.keys("\n2j");
    let screen = play.screen();
    assert!(screen.contains(".evil  jq"), "{screen}");
    play.keys("i");
    assert!(play.screen().contains("/evil  JSON pointer"), "{}", play.screen());
    play.keys("ii\n");
    let screen = play.screen();
    assert!(screen.contains("{…} 3 values") && screen.contains(".  jq"), "{screen}");
    play.keys("\n");
    assert!(play.screen().contains("\"n\": 1.0"), "{}", play.screen());
    play.keys("-");
    assert_eq!(play.model.detail.cursor.under().unwrap().path, ".", "nothing opens below the first level");
    play.keys("G");
    assert_eq!(play.model.detail.cursor.row(), 4);
    play.keys("kk");
    let under = play.model.detail.cursor.under().unwrap();
    assert_eq!((&under.path[..], &under.value[..]), (".n", &b"1.0"[..]));
    play.keys("*+x");
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Msg {
    Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

#[test]
fn the_mouse_clicks_scrolls_and_drags_until_it_is_switched_off() {
    let left = MouseEventKind::Down(MouseButton::Left);
    let mut play = Play::new(200, (160, 40));
    play.send(mouse(left, 5, 6));
    assert_eq!(play.selected(), 196);
    play.send(mouse(MouseEventKind::ScrollDown, 5, 6));
    assert_eq!(play.selected(), 193);
    play.keys("o");
    let bottom = super::layout::areas(&play.model).list.bottom() - 1;
    play.send(mouse(left, 5, bottom));
    let below = play.selected();
    play.send(mouse(left, 5, bottom - 1));
    assert_eq!(play.selected(), below - 1, "the newest is below");
    let areas = super::layout::areas(&play.model);
    play.send(mouse(left, areas.tabs.x + 12, areas.tabs.y));
    assert_eq!((play.model.detail.tab as usize, play.model.mode), (1, Mode::Detail));
    play.send(mouse(left, areas.rule.x, 10));
    play.send(mouse(MouseEventKind::Drag(MouseButton::Left), 48, 12));
    play.send(mouse(MouseEventKind::Up(MouseButton::Left), 48, 12));
    assert_eq!(super::layout::areas(&play.model).list.width, 48);
    play.send(mouse(MouseEventKind::Drag(MouseButton::Left), 90, 12));
    assert_eq!(super::layout::areas(&play.model).list.width, 48, "nothing is held any more");
    play.keys("M");
    assert!(!play.mouse && play.screen().contains("the mouse is the terminal's"));
}

#[test]
fn the_last_minute_beats_in_the_header_and_goes_quiet() {
    let mut play = Play::new(0, (160, 40));
    play.basket.put(60);
    let newest = 1_795_424_700_000 + 60_000;
    play.send(Msg::Clock(Timestamp::from_unix_ms(newest + 500)));
    play.ring();
    let header = |play: &Play| play.screen().lines().next().unwrap().to_owned();
    assert!(header(&play).contains("▁") || header(&play).contains("█"), "{}", header(&play));
    assert!(header(&play).contains("1.0/s"), "{}", header(&play));
    let due = super::age::next(&play.model).unwrap();
    assert!(due.as_millis() <= 3_000);
    play.send(Msg::Clock(Timestamp::from_unix_ms(newest + 70_000)));
    assert!(!header(&play).contains("/s "), "{}", header(&play));
    assert_eq!(super::age::next(&play.model), None, "an idle screen sleeps without end");
}

#[test]
fn statistics_are_drawn_for_a_minute_an_hour_and_a_day() {
    let mut play = Play::new(0, (120, 35));
    play.basket.put(200);
    play.send(Msg::Clock(Timestamp::from_unix_ms(1_795_424_700_000 + 200_500)));
    play.ring();
    play.keys("S");
    play.frame();
    let minute = play.screen();
    for words in ["60 caught", "1.0/s", "48 passed", "12 failed", "endpoint", "default", "60s ago", "now", "█"] {
        assert!(minute.contains(words), "{words}:\n{minute}");
    }
    play.keys("l");
    play.frame();
    assert!(play.screen().contains("200 caught"), "{}", play.screen());
    for size in [(1, 1), (20, 5), (80, 24), (200, 60)] {
        play.send(Msg::Resize(size.0, size.1));
        play.screen();
    }
    play.keys("\u{1b}");
    assert_eq!(play.model.mode, Mode::List);
    assert!(!play.quit);
}

#[test]
fn what_was_left_is_there_again() {
    let mut play = Play::new(30, (160, 40));
    play.keys("]tXzo/sig:failed\n");
    let state = State::parse(&State::of(&play.model).text());
    let mut again = Play::new(30, (160, 40));
    state.lay_over(&mut again.model);
    assert_eq!((again.model.panes, again.model.list.order), (play.model.panes, Order::Oldest));
    assert_eq!(again.model.filter.as_ref().unwrap().text(), "sig:failed");
    assert!(again.model.list.grouped && again.model.mouse);
}

#[test]
fn the_footer_and_the_help_tell_the_users_own_keys() {
    let mut play = Play::new(3, (120, 35));
    let wish = crate::engine::KeyWish {
        command: "filter".to_owned(),
        at: String::new(),
        chords: vec!["f1".to_owned()],
        chords_at: String::new(),
    };
    play.model.keys = Keymap::with(&[wish]).unwrap();
    assert!(play.screen().contains("f1 filter"), "{}", play.screen());
    play.keys("/");
    assert!(play.model.prompt.is_none());
    play.send(Msg::Key(KeyEvent::new(KeyCode::F(1), KeyModifiers::NONE)));
    assert!(play.model.prompt.is_some());
}

#[test]
fn an_endpoint_is_told_what_to_answer_and_the_header_says_so() {
    let mut play = Play::new(3, (160, 24));
    let header = |play: &Play| play.screen().lines().next().unwrap().to_owned();
    let endpoint = play.model.list.row().unwrap().endpoint.clone();
    play.keys("A");
    assert!(play.screen().contains(&format!("{endpoint} answers: ")) && play.screen().contains("503 first 3"));
    play.keys("tea\n");
    assert!(play.screen().contains("`tea`") && play.model.prompt.is_some(), "{}", play.screen());
    play.keys("\u{1b}A503 first 3\n");
    assert!(header(&play).contains(&format!("{endpoint} answers 503 to the first 3")), "{}", header(&play));
    assert!(play.screen().contains("of each event, else 200"));
    play.keys("Afile\n");
    assert!(!header(&play).contains("answers"), "{}", header(&play));
    play.keys("A\n");
    assert!(play.model.prompt.is_none() && play.model.notice.is_none());
}

#[test]
fn a_tunnel_is_in_the_header_and_a_camera_can_read_it() {
    let mut play = Play::new(0, (80, 24));
    play.model.door.tunnel = Some(Tunnel::Open("https://t.example".to_owned()));
    // Where nothing can be painted dark on light, the light is filled.
    for (depth, finder) in [(Depth::Sixteen, " ▄▄▄▄▄ "), (Depth::True, "█▀▀▀▀▀█")] {
        play.model.look = Look { depth, ..LOOK };
        let screen = play.screen();
        assert!(screen.lines().next().unwrap().contains("⇄ https://t.example"), "{screen}");
        assert_eq!(screen.matches(finder).count(), 3, "its three corners are there\n{screen}");
    }
    play.model.size = (80, 14);
    assert!(!play.screen().contains('▀'), "half a code is none");
    play.model.size = (80, 24);
    play.model.door.tunnel = Some(Tunnel::Down("exit status: 1: \u{1b}[2Jno route".to_owned(), 4));
    let screen = play.screen();
    assert!(screen.contains("tunnel down") && screen.contains("again in 4 s"), "{screen}");
}
