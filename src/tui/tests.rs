//! The screen without a terminal: the real loop, on a stage of the test's own.

mod act_keys;
mod asking;
mod detail_keys;
mod editing;
mod exporting;
mod filtering;
mod following;
mod golden;
mod monkey;
mod over;
mod panes;
mod previewing;
mod rereading;
mod rows;
mod scene;
pub(super) mod script;
mod sending;
mod sizes;
mod the_loop;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use bytes::Bytes;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};

use self::scene::{Basket, Scene};
use super::{
    configured::Configured,
    detail::{Prepared, find},
    draft::{Outside, Returned},
    effect::{Ask, Compare, Effect},
    export::{Export, Exported},
    filters::Known,
    keys::{Keymap, Mode},
    list::{self, Order},
    look::{Depth, Look},
    model::{Model, Tone},
    msg::{BodyView, Compared, Msg, Opened},
    perform::{best, content, open_in, previewed, tagged_all},
    refused::{Refusals, Refused},
    run,
    stage::{Door, Place, SentAll, Stage, whole},
    state::State,
    update::update,
    view,
    workers::Answers,
};
use crate::{
    body,
    engine::{
        HearNews, Judged, Tidings, Transform,
        endpoint::{Endpoint, Endpoints},
        mask::Masked,
        pipe::Piped,
        preview::Lens,
        respond::{Respond, Words},
        rewrite::{self, Rewritten},
        target::Target,
        tunnel::State as Tunnel,
    },
    query::{Content, Filter},
    record::{
        Body, Capture, CaptureId, Counters, Delivery, Errand, ErrandId, Event, Evidence, Explanation, Failure, Fault,
        Flag, Head, Headers, Judgement, Post, Repeat, Summary, Tagging, Tags, Timestamp, Uid, Verdict, Zone,
    },
    store::{Beat, PIECES, Slice, Sorting, Start, Stats},
};

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
        edited_from: None,
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
    let body = Body::whole(Bytes::from_static(b"{\"evil\":\"\x1b]0;owned\x07\",\"n\":1.0,\"id\":1}"), [0; 32]);
    Capture {
        id,
        endpoint: "default".to_owned(),
        peer: "127.0.0.1:1".to_owned(),
        flags: [Flag::FromWebPage].into_iter().collect(),
        provider: Some("github".to_owned()),
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
            url: None,
        },
        reply_status: 200,
        ..Capture::new(Uid(0), Timestamp::from_unix_ms(0), Head::parse(Bytes::from(text)), body)
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
    /// What was left out of all that was sent together.
    spared: Vec<CaptureId>,
    /// What edited requests were sent, and how.
    edited: Vec<(Option<String>, bool, Arc<Rewritten>)>,
    /// What the terminal was lent for, and what comes of that.
    lent: Vec<Outside>,
    editor: fn(Outside) -> Result<Returned, Failure>,
    refusals: Refusals,
    /// What was written to files, and whether something stands at every place.
    exported: Vec<Export>,
    is_there: bool,
    export_takes_long: bool,
    /// The tries at every event, where there are any.
    tries: Option<Vec<crate::verify::Try>>,
    /// What is opened of a capture, and its body in a view.
    open: fn(CaptureId) -> Opened,
    view: fn(&Capture, usize) -> BodyView,
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
            spared: Vec::new(),
            edited: Vec::new(),
            lent: Vec::new(),
            editor: |_| Err(Failure::new("editing", "no editor")),
            refusals: Refusals::default(),
            exported: Vec::new(),
            is_there: false,
            export_takes_long: false,
            tries: None,
            open: opened,
            view: view_of_any,
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

    /// Notes what was asked for and has no answer.
    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::Mouse(taken) => self.mouse = taken,
            Effect::Copy(bytes) => self.copied.push(bytes),
            Effect::Forget(ids) => self.forgotten.extend(ids),
            _ => {}
        }
    }

    /// What an endpoint answers from now on.
    fn told(&mut self, endpoint: &str, words: Option<&Words>) -> String {
        let file = Respond::default();
        let answer = words.map_or_else(|| Ok(file.clone()), |words| words.over(&file)).unwrap().to_string();
        self.model.door.told = words.map(|_| (endpoint.to_owned(), answer.clone())).into_iter().collect();
        answer
    }

    fn sorted(&self, order: Order, filter: Option<&Filter>) -> Slice {
        let rows = self.basket.sorted(order == Order::Slowest, filter);
        let newest = CaptureId(self.basket.0.lock().unwrap().len() as i64);
        Slice { newest, ..whole(Start::Newest, usize::MAX, rows) }
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
                Some(Msg::Page { generation, ask: Ask::Newest, rows: Ok(self.sorted(order, filter.as_deref())) })
            }
            Effect::Arrived { generation, after, filter } => {
                let scene = Scene { basket: self.basket.clone(), ..Scene::default() };
                Some(Msg::Arrived { generation, counted: scene.arrived(after, filter.as_deref()) })
            }
            Effect::Drop(id) => Some(Msg::Dropped { id, dropped: Ok(self.basket.drop_errands(id)) }),
            Effect::Tag { ids, tagging } => Some(Msg::Tagged(Ok(self.basket.tag(&ids, &tagging)))),
            Effect::Beats { after, since } => Some(Msg::Beats(Ok(self.basket.beats(after, since)))),
            Effect::Stats { generation, since, until } => {
                Some(Msg::Stats { generation, stats: Ok(self.basket.stats(since, until)) })
            }
            Effect::Count => Some(Msg::Counted(Ok(self.basket.counters()))),
            Effect::Door => Some(Msg::Door(Ok(self.model.door.clone()))),
            Effect::Refusals { opens } => Some(Msg::Refusals { opens, refusals: Ok(self.refusals.clone()) }),
            Effect::Tell { endpoint, words } => {
                let answer = Ok(self.told(&endpoint, words.as_deref()));
                Some(Msg::Told { endpoint, answer })
            }
            Effect::Open { generation, id } => {
                let opened = Opened { errands: self.basket.errands(id), ..(self.open)(id) };
                Some(Msg::Opened { generation, opened: Ok(Some(opened)) })
            }
            Effect::View { generation, capture, view } => {
                Some(Msg::Viewed { generation, body: (self.view)(&capture, view) })
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
            Effect::Reply { generation, id, reply } => {
                Some(Msg::Prepared { generation, prepared: Prepared::reply(id, &reply) })
            }
            Effect::Find { generation, needle, document, first } => {
                let (hits, more) = find::in_document(&needle, &document, first, || false).unwrap();
                Some(Msg::Found { generation, hits, more })
            }
            Effect::Judge(id) => Some(Msg::Judged { id, judged: Ok(self.basket.judge(id)) }),
            Effect::Judgement(id) => {
                let capture = (self.open)(id).capture;
                let judgement = self.basket.judged_to_pass(id).unwrap_or_else(|| capture.judgement.clone());
                Some(Msg::Judgement { id, judgement: Ok(Some((capture.origin(), judgement))) })
            }
            Effect::Deliveries(id) => {
                Some(Msg::Deliveries { id, deliveries: Ok(((self.open)(id).deliveries, self.basket.errands(id))) })
            }
            Effect::Resend { id, .. } | Effect::ResendDead(id) => {
                Some(Msg::Resent { id, delivery: Err(Failure::new("resending", "no apps")) })
            }
            Effect::ResendEdited { .. }
            | Effect::KeepEdited { .. }
            | Effect::Pipe { .. }
            | Effect::Preview { .. }
            | Effect::Browse(_)
            | Effect::Doomed
            | Effect::ResendMarked(_)
            | Effect::Marked { .. }
            | Effect::MarkAll(_)
            | Effect::UnmarkAll
            | Effect::Export(_)
            | Effect::StopExport
            | Effect::Outside { .. } => self.perform_outward(effect),
            Effect::Mouse(_) | Effect::Copy(_) | Effect::Forget(_) => {
                self.note(effect);
                None
            }
            Effect::Tries { generation, .. } => {
                self.tries.clone().map(|tries| Msg::Tries { generation, tries: Ok(tries) })
            }
            Effect::Known => Some(Msg::Known(Ok(self.basket.known()))),
            Effect::KeepFilter { name, text } => Some(Msg::FilterKept { name, text, kept: Ok(()) }),
            Effect::Keep { name, bytes, masked } => Some(Msg::Kept(Ok((name, bytes.len() as u64)), masked)),
            Effect::Compare(Compare::Captures(before, after)) => {
                let parts = Ok(body::compare::captures(&(self.open)(before).capture, &(self.open)(after).capture));
                Some(Msg::Compared(Ok(Compared { names: [before, after].map(|id| format!("#{id}")), parts })))
            }
            Effect::Compare(Compare::Replies(_)) => Some(Msg::Compared(Err(Failure::new("comparing", "no replies")))),
            Effect::Quit => {
                self.quit = true;
                None
            }
        }
    }

    /// What becomes of edited requests, and of what leaves for other programs.
    fn perform_outward(&mut self, effect: Effect) -> Option<Msg> {
        match effect {
            Effect::ResendEdited { id, to, resign, request } => {
                self.edited.push((to, resign, request));
                Some(Msg::Resent { id, delivery: Err(Failure::new("resending", "no apps")) })
            }
            Effect::KeepEdited { capture, .. } => Some(Msg::KeptEdited { from: capture.id, kept: Ok(CaptureId(99)) }),
            Effect::Pipe { id, command } => {
                let ended = Some(format!("it ended with {id}"));
                let piped = Ok(Piped { output: format!("{command}\x1b[2J\nsecond\n").into_bytes(), ended });
                Some(Msg::Piped { command, piped })
            }
            Effect::Preview { id, lenses } => {
                let made = previewed(&Scene::default(), id, &lenses);
                Some(Msg::Previewed { id, lenses, made })
            }
            Effect::Browse(url) => Some(Msg::Browsed { url, browsed: Ok(()) }),
            Effect::MarkAll(_) | Effect::UnmarkAll => {
                let scene = Scene { basket: self.basket.clone(), ..Scene::default() };
                let filter = if let Effect::MarkAll(filter) = &effect { Some(&**filter) } else { None };
                Some(Msg::TaggedAll { marked: filter.is_some(), tagged: tagged_all(&scene, filter) })
            }
            Effect::ResendMarked(spared) => {
                self.spared = spared;
                Some(Msg::ResentMarked(Ok(SentAll { right: 1, wrong: 1, ..SentAll::default() })))
            }
            Effect::Doomed => Some(Msg::Doomed(Ok(self.basket.marked()))),
            Effect::Marked { format, selected } => {
                Some(Msg::Marked { format, selected, marked: Ok(self.basket.marked()) })
            }
            Effect::Export(export) if self.export_takes_long => {
                self.exported.push(export);
                None
            }
            Effect::StopExport => {
                let export = self.exported.last().cloned()?;
                Some(Msg::Exported { export, exported: Ok(Exported::Stopped) })
            }
            Effect::Export(export) => {
                let (path, count) = (export.path.clone(), export.batch.ids.len());
                let masked = Masked { headers: 2, fields: 1, ..Masked::default() };
                let is_there = self.is_there && !export.over;
                let exported =
                    if is_there { Exported::IsThere } else { Exported::Written { path, count, bytes: 2150, masked } };
                self.exported.push(export.clone());
                Some(Msg::Exported { export, exported: Ok(exported) })
            }
            Effect::Outside { what, .. } => {
                self.lent.push(what.clone());
                Some(Msg::Back((self.editor)(what)))
            }
            _ => None,
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
                '\t' => (KeyCode::Tab, KeyModifiers::NONE),
                c => (KeyCode::Char(c), KeyModifiers::NONE),
            };
            self.send(Msg::Key(KeyEvent::new(code, modifiers)));
        }
    }

    fn press(&mut self, code: KeyCode) {
        self.send(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn control(&mut self, c: char) {
        self.send(Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)));
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

/// The same, of a capture whose sender does not say what it is.
/// The endpoint of all paths, with an app.
fn with_app() -> Endpoint {
    Endpoint { app: Some(Target::url("http://app")), ..Endpoint::open_bin() }
}

fn view_of_any(capture: &Capture, view: usize) -> BodyView {
    let content = body::Content { bytes: capture.body.bytes.clone(), ..body::Content::default() };
    view_of(view, (body::VIEWS[view].open)(&content).map(Arc::from))
}

fn opened(id: CaptureId) -> Opened {
    let capture = capture(id);
    let tree = body::VIEWS.iter().position(|view| view.name == "tree").unwrap();
    Opened {
        body: view_of_any(&capture, tree),
        capture: Arc::new(capture),
        deliveries: Vec::new(),
        errands: Vec::new(),
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

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Msg {
    Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}
