//! The list.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::lines;
use crate::{
    body,
    engine::tunnel::State,
    record::{LastDelivery, Summary, Tags, Verdict, counted, thousands},
    tui::{
        age, copy,
        detail::facts::in_words,
        keys::{Command, Mode},
        layout::{self, Areas},
        line::{Pieces, line, modules, paragraph, piece, wrap},
        list::Order,
        look::{Look, Paint},
        model::{Model, at_most},
        stage::Place,
    },
};

/// A column: its name, how wide it is, whether it stands to the right, and when it is there.
struct Column {
    name: &'static str,
    width: usize,
    right: bool,
    /// From how many columns of the list on.
    from: usize,
    /// Whether anything is to be expected in it. Never by the rows that are seen: scrolling would move the others.
    wanted: fn(&Model) -> bool,
    cell: fn(&Model, &Summary) -> (Paint, String),
}

const fn column(
    name: &'static str,
    width: usize,
    right: bool,
    from: usize,
    cell: fn(&Model, &Summary) -> (Paint, String),
) -> Column {
    Column { name, width, right, from, wanted: always, cell }
}

/// The columns from left to right. What is left of the width goes to path and event.
const COLUMNS: &[Column] = &[
    // What is said stands close to the number, in room that numbers seldom need: a first mark moves nothing.
    column("", SAID, false, 0, said),
    column("#", NUMBER, true, 0, |_, row| (Paint::Dim, row.id.to_string())),
    column("time", 8, false, 50, time),
    Column {
        wanted: |model| model.list.had.endpoints,
        ..column("endpoint", 10, false, 88, |_, row| (Paint::Dim, row.endpoint.clone()))
    },
    column("method", 6, false, 46, |_, row| (Paint::Plain, row.method.clone())),
    column("path", PATH, false, 0, path),
    Column { wanted: |model| model.list.had.events, ..column("event", EVENT, false, 62, event) },
    column("size", 5, true, 56, |_, row| (Paint::Dim, body::size(row.size))),
    column("sig", 3, false, 0, signature),
    Column { wanted: any_repeats, ..column("facts", FACTS_WIDTH, false, FACTS, facts) },
    column("app", 4, true, 0, app),
    Column { wanted: |model| model.list.had.took, ..column("took", 5, true, 76, took) },
];

/// From how many columns on the facts of a delivery have a column of their own, and how wide that is.
const FACTS: usize = 92;
const FACTS_WIDTH: usize = 10;

fn always(_: &Model) -> bool {
    true
}

/// Repeats are what the facts are about as a rule. Where the store has none, the few others stand before the path.
fn any_repeats(model: &Model) -> bool {
    model.counters.duplicates > 0
}

/// Stand for widths that depend on the terminal's.
const PATH: usize = usize::MAX;
const EVENT: usize = usize::MAX - 1;
/// Stands for the width of the longest number, and for no less than [`DIGITS`].
const NUMBER: usize = usize::MAX - 2;
const DIGITS: usize = 5;
/// What a person said of it: two signs, and no blank behind them.
const SAID: usize = 2;

/// How wide the numbers are.
fn digits(model: &Model) -> usize {
    let longest = model.list.rows.iter().map(|row| row.id).max().unwrap_or_default().max(model.list.newest);
    longest.to_string().len().max(DIGITS)
}

/// Draws the list, or what to do where there is none.
pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    if areas.list.height == 0 {
        return;
    }
    if model.list.rows.is_empty() {
        if model.list.read {
            empty(model, areas.list, buffer);
        }
        return;
    }
    let columns = columns(model, usize::from(areas.list.width));
    let names = names(&columns);
    lines([line(&names, model.look)], areas.columns, buffer);
    arrived(model, &names, areas.columns, buffer);
    let mut rows: Vec<&Summary> = model.list.seen().take(usize::from(areas.list.height)).collect();
    if model.list.order == Order::Oldest {
        rows.reverse();
    }
    if areas.detail.height == 0 && rows.len() + 1 < usize::from(areas.list.height) {
        let last = Rect { y: areas.list.bottom() - 1, height: 1, ..areas.list };
        lines(told(model, usize::from(last.width)).map(|pieces| line(&pieces, model.look)), last, buffer);
    }
    for (row, y) in rows.into_iter().zip(areas.list.y..) {
        let area = Rect { y, height: 1, ..areas.list };
        let selected = model.list.selected == Some(row.id);
        let pieces = cells(model, row, &columns);
        lines([line(&pieces, model.look)], area, buffer);
        if selected {
            buffer.set_style(area.intersection(buffer.area), selection(model));
        }
    }
}

/// What the sign of the selected row means, and what says more, for who sees no detail beside the list.
fn told(model: &Model, columns: usize) -> Option<Pieces> {
    let row = model.list.row()?;
    // Why it is not signed is not told by the list alone.
    let is_known = row.verdict != Verdict::Unsigned || row.provider.is_none();
    let (_, sign) = signature(model, row);
    let (paint, words) = in_words(row.verdict, row.fault, row.covers_body);
    let key = match row.verdict {
        Verdict::Failed | Verdict::Unchecked => "   {tab-4} says why",
        Verdict::Passed | Verdict::Unsigned => "   {open} opens the capture",
    };
    let said = body::fit(&format!(" {}  signature {words}", sign.trim()), columns);
    let key = model.keys.told(key);
    let fits = body::width(&said) + body::width(&key) <= columns;
    let pieces = [piece(paint, &said)].into_iter().chain(fits.then(|| piece(Paint::Dim, &key)));
    is_known.then(|| pieces.collect())
}

/// The selected row stands out where the keys are, and is known again where they are not.
fn selection(model: &Model) -> Style {
    let paint = if model.mode == Mode::Detail { Paint::Resting } else { Paint::Selected };
    model.look.style(paint)
}

/// The columns that a width has room for, with their widths.
fn columns(model: &Model, width: usize) -> Vec<(&'static Column, usize)> {
    let there: Vec<_> = COLUMNS.iter().filter(|column| width >= column.from && (column.wanted)(model)).collect();
    let digits = digits(model);
    let fixed: usize = there
        .iter()
        .map(|column| match column.width {
            PATH | EVENT => 0,
            NUMBER => digits + 1,
            SAID => SAID,
            width => width + 1,
        })
        .sum();
    let has_event = there.iter().any(|column| column.width == EVENT);
    let rest = width.saturating_sub(fixed + if has_event { 3 } else { 2 });
    let event = if has_event { rest * 11 / 20 } else { 0 };
    there
        .into_iter()
        .map(|column| match column.width {
            PATH => (column, rest - event),
            EVENT => (column, event),
            NUMBER => (column, digits),
            width => (column, width),
        })
        .collect()
}

fn names(columns: &[(&Column, usize)]) -> Pieces {
    columns.iter().map(|(column, width)| piece(Paint::Dim, &column.in_it(column.name, *width))).collect()
}

fn cells(model: &Model, row: &Summary, columns: &[(&Column, usize)]) -> Pieces {
    let cells = columns.iter().map(|(column, width)| {
        let (paint, text) = (column.cell)(model, row);
        piece(paint, &column.in_it(&text, *width))
    });
    cells.collect()
}

impl Column {
    /// A text in the column, with a blank behind it.
    fn in_it(&self, text: &str, width: usize) -> String {
        let text = body::fit(text, width);
        let blanks = " ".repeat(width.saturating_sub(body::width(&text)));
        let behind = if self.width == SAID { "" } else { " " };
        if self.right { format!("{blanks}{text}{behind}") } else { format!("{text}{blanks}{behind}") }
    }
}

/// What a person said of it: a mark, and a pin, a note or an edit.
fn said(model: &Model, row: &Summary) -> (Paint, String) {
    let signs = model.look.signs();
    let mark = if row.tags.has(Tags::MARKED) { signs.marked } else { " " };
    let other = if row.tags.has(Tags::PINNED) {
        signs.pinned
    } else if row.note.is_some() {
        signs.noted
    } else if row.tags.has(Tags::EDITED) {
        signs.edited
    } else {
        " "
    };
    (Paint::Brand, format!("{mark}{other}"))
}

/// When it came: by the clock, or how long ago.
fn time(model: &Model, row: &Summary) -> (Paint, String) {
    let text = if model.panes.relative {
        format!("{:>8}", age::words(model.now, row.received_at))
    } else {
        row.received_at.clock(&model.zone)
    };
    (Paint::Dim, text)
}

fn is_odd(row: &Summary) -> bool {
    row.truncated || !row.flags.is_empty()
}

/// The path; before it, where there is no column for them, the facts that a person should see at once.
fn path(model: &Model, row: &Summary) -> (Paint, String) {
    let query = if row.query.is_some() { "?" } else { "" };
    let fold = fold(model, row);
    let (paint, facts) = facts(model, row);
    let has_column = usize::from(layout::areas(model).list.width) >= FACTS && any_repeats(model);
    if has_column || facts.is_empty() {
        return (Paint::Plain, format!("{fold}{}{query}", row.path));
    }
    (paint, format!("{fold}{facts} {}{query}", row.path))
}

/// How many repeats are folded under a row, and that a row is one of them.
fn fold(model: &Model, row: &Summary) -> String {
    let signs = model.look.signs();
    match model.list.fold_of(row.id) {
        Some((count, false)) => format!("{}+{count} ", signs.folded),
        Some((count, true)) => format!("{}{count} ", signs.unfolded),
        None if model.list.is_under(row) => "  ".to_owned(),
        None => String::new(),
    }
}

/// How it stands among its like, and what is odd about it.
fn facts(model: &Model, row: &Summary) -> (Paint, String) {
    let signs = model.look.signs();
    let duplicate = match (row.duplicate_of, row.repeat) {
        (Some(_), Some(repeat)) => Some(format!("{}{}", signs.duplicate, repeat.attempt)),
        (Some(_), None) => Some(signs.duplicate.to_owned()),
        (None, _) => None,
    };
    let late = row.late_ms.map(|_| signs.late.to_owned());
    let flag = is_odd(row).then(|| signs.flag.to_owned());
    let words: Vec<_> = duplicate.into_iter().chain(late).chain(flag).collect();
    (Paint::Warning, words.join(" "))
}

/// How long the app took.
fn took(_: &Model, row: &Summary) -> (Paint, String) {
    (Paint::Dim, row.took_ms.map_or(String::new(), span))
}

/// Milliseconds as a person reads them: `12ms`, `1.4s`, `3m`.
fn span(ms: u64) -> String {
    match ms {
        ms if ms < 1_000 => format!("{ms}ms"),
        ms if ms < 10_000 => format!("{:.1}s", ms as f64 / 1_000.0),
        ms if ms < 120_000 => format!("{}s", ms / 1_000),
        ms => format!("{}m", ms / 60_000),
    }
}

fn event(_: &Model, row: &Summary) -> (Paint, String) {
    match (&row.event.kind, &row.provider) {
        (Some(kind), _) => (Paint::Plain, kind.clone()),
        (None, Some(provider)) => (Paint::Dim, provider.clone()),
        (None, None) => (Paint::Dim, String::new()),
    }
}

fn signature(model: &Model, row: &Summary) -> (Paint, String) {
    let signs = model.look.signs();
    let (paint, sign) = match row.verdict {
        Verdict::Passed if row.covers_body == Some(false) => (Paint::Warning, signs.partly),
        Verdict::Passed => (Paint::Good, signs.passed),
        Verdict::Failed => (Paint::Bad, signs.failed),
        Verdict::Unsigned => (Paint::Dim, signs.unsigned),
        Verdict::Unchecked => (Paint::Warning, signs.unchecked),
    };
    (paint, format!(" {sign}"))
}

fn app(model: &Model, row: &Summary) -> (Paint, String) {
    if model.sending.contains(&row.id) {
        return (Paint::Warning, model.look.signs().sending.to_owned());
    }
    match row.last_delivery {
        Some(LastDelivery::Replied(status)) if (200..300).contains(&status) => (Paint::Good, status.to_string()),
        Some(LastDelivery::Replied(status)) => (Paint::Bad, status.to_string()),
        Some(LastDelivery::Failed) => (Paint::Bad, "fail".to_owned()),
        None => (Paint::Dim, String::new()),
    }
}

/// What arrived since following ended, and the key that leads there: in the widest room that the columns' names leave, as
/// much of it as fits there.
fn arrived(model: &Model, names: &Pieces, area: Rect, buffer: &mut Buffer) {
    if model.list.follow || model.list.arrived.count == 0 {
        return;
    }
    let names: String = names.iter().map(|piece| &piece.text[..]).collect();
    let (from, room) = widest_gap(&names, usize::from(area.width));
    let Some(words) = arrived_words(model).into_iter().find(|words| body::width(words) <= room) else { return };
    let width = body::width(&words);
    let area = Rect { x: area.x + (from + room - width) as u16, width: width as u16, height: 1, ..area };
    let style = model.look.style(Paint::Brand).add_modifier(ratatui::style::Modifier::REVERSED);
    lines([ratatui::text::Line::styled(words, style)], area, buffer);
}

/// What is said of it, the longest first.
fn arrived_words(model: &Model) -> [String; 4] {
    let (arrived, signs) = (&model.list.arrived, model.look.signs());
    let (sign, command) = match model.list.order {
        Order::Newest => (signs.up, Command::Top),
        Order::Oldest => (signs.down, Command::Bottom),
        Order::Largest | Order::Slowest => ("", Command::Top),
    };
    // In the detail the same key leads elsewhere.
    let rows = model.keys.rows().filter(|_| model.mode != Mode::Detail);
    let chord = rows.filter(|row| row.key.command == command).find_map(|row| row.chords.first());
    // A repeat is no row of its own where it is folded under its first.
    let repeats = match arrived.repeats {
        0 => String::new(),
        _ if !model.list.grouped => String::new(),
        count => format!(", {}", counted(count, "repeat")),
    };
    let chord = chord.map_or("", |chord| &chord[..]);
    let count = thousands(arrived.count);
    let joined = |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
        format!(" {} ", words.join(" "))
    };
    [
        joined(&[&format!("{count} new{repeats}"), sign, chord]),
        joined(&[&format!("{count} new"), sign, chord]),
        joined(&[&format!("+{count}"), sign, chord]),
        joined(&[&format!("+{count}")]),
    ]
}

/// The widest room between two names or behind the last: where it begins, and how wide it is.
fn widest_gap(names: &str, columns: usize) -> (usize, usize) {
    let letters = names.bytes().take(columns).enumerate().filter(|(_, byte)| *byte != b' ').map(|(at, _)| at);
    let ends: Vec<usize> = letters.chain([columns]).collect();
    let gaps = ends.windows(2).map(|pair| (pair[0] + 1, pair[1] - pair[0] - 1));
    gaps.max_by_key(|(_, room)| *room).unwrap_or_default()
}

/// Nothing to list: because nothing came, or because the filter takes nothing.
fn empty(model: &Model, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width).saturating_sub(4).max(10);
    let mut rows = vec![Vec::new()];
    if let Some(filter) = &model.filter {
        let heading = if model.list.is_searching() { "Nothing found yet" } else { "Nothing matches" };
        rows.push(vec![piece(Paint::Heading, heading)]);
        let most = usize::from(area.height).saturating_sub(AROUND_FILTER).max(1);
        rows.extend(at_most(Paint::Plain, filter.text(), columns, most).into_iter().map(|row| row[1..].to_vec()));
        rows.push(Vec::new());
        rows.push(vec![
            piece(Paint::Heading, &model.keys.of(Command::Back)),
            piece(Paint::Dim, " takes it away, "),
            piece(Paint::Heading, &model.keys.of(Command::Filter)),
            piece(Paint::Dim, " changes it"),
        ]);
    } else if model.list.order.is_sorted() && model.counters.captures > 0 {
        rows.push(vec![piece(Paint::Heading, "Nothing was sent to an app yet")]);
        rows.push(Vec::new());
        let words = "Slowest first lists what an app was given, by how long it took.";
        rows.extend(paragraph(Paint::Plain, words, columns));
        rows.push(Vec::new());
        let key = piece(Paint::Heading, &model.keys.of(Command::Order));
        rows.push(vec![key, piece(Paint::Dim, " lists the captures in another order")]);
    } else {
        rows.extend(welcome(model, columns, usize::from(area.height)));
        let height = usize::from(area.height);
        if height < BRIEF || (rows.len() > height && model.door.tunnel.is_none()) {
            rows = brief(model, columns);
        }
    }
    let rows = rows.into_iter().map(|mut row| {
        row.insert(0, piece(Paint::Plain, "  "));
        line(&row, model.look)
    });
    lines(rows, area, buffer);
}

/// How many rows the words around a filter take that nothing matches.
const AROUND_FILTER: usize = 4;

/// How many rows the words around the code take.
const AROUND_CODE: usize = 5;

/// How the tunnel stands, and where it leads from for a phone's camera, where there is room for all of that.
fn gate(state: &State, look: Look, columns: usize, height: usize) -> Vec<Pieces> {
    let State::Open(url) = state else { return paragraph(Paint::Warning, &state.to_string(), columns) };
    let mut rows = vec![vec![piece(Paint::Plain, "Others reach it here:")]];
    rows.push(vec![piece(Paint::Brand, &format!("  {url}"))]);
    let fits = |code: &Vec<String>| {
        let is_narrow = code.first().is_some_and(|line| body::width(line) + 2 <= columns);
        look.unicode && is_narrow && code.len() + AROUND_CODE <= height
    };
    for line in body::qr(url).filter(fits).into_iter().flatten() {
        rows.push(vec![piece(Paint::Plain, "  "), modules(&line, look)]);
    }
    rows
}

/// Under how many rows a newcomer is told only what nobody can do without.
const BRIEF: usize = 12;

/// The same where there is hardly any room: as much as a newcomer cannot do without.
fn brief(model: &Model, columns: usize) -> Vec<Pieces> {
    let Some(url) = copy::address(model) else {
        return paragraph(Paint::Plain, "Nothing caught, nobody catches: start `creel serve` on this store", columns);
    };
    let port = url.rsplit(':').next().unwrap_or_default();
    let mut rows = vec![vec![piece(Paint::Heading, "Waiting for the first webhook:")]];
    // Any path will do: rather none than one that is torn.
    let lines = [format!("curl -d hi {url}/hello"), format!("curl -d hi {url}")];
    let line = lines.iter().find(|line| body::width(line) <= columns).unwrap_or(&lines[1]);
    rows.extend(wrap(&[piece(Paint::Good, line)], columns));
    if let Some(state) = &model.door.tunnel {
        // The code needs more room than there is.
        rows.extend(gate(state, model.look, columns, 0));
    } else {
        let words = format!("For others, a tunnel: creel --tunnel CMD, or ssh -R … to port {port}");
        rows.extend(paragraph(Paint::Dim, &words, columns));
    }
    rows.push(leave(model));
    rows
}

fn leave(model: &Model) -> Pieces {
    vec![
        piece(Paint::Heading, &model.keys.of(Command::Help)),
        piece(Paint::Dim, " shows every key, "),
        piece(Paint::Heading, &model.keys.of(Command::Quit)),
        piece(Paint::Dim, " quits"),
    ]
}

/// What a newcomer needs: where to send, a line that works, how to let others in.
fn welcome(model: &Model, columns: usize, height: usize) -> Vec<Pieces> {
    let (url, here) = match &model.place {
        Place::Listening(url) => (Some(url.clone()), true),
        Place::Watching { address, .. } => (address.clone(), false),
    };
    let mut rows = Vec::new();
    let Some(url) = url else {
        rows.push(vec![piece(Paint::Heading, "Nothing caught yet, and nobody is catching")]);
        rows.push(Vec::new());
        rows.extend(paragraph(
            Paint::Plain,
            "Start `creel serve` on this store in another terminal; what it catches shows up here.",
            columns,
        ));
        return rows;
    };
    rows.push(vec![piece(Paint::Heading, "Waiting for the first webhook")]);
    rows.push(Vec::new());
    if let Some(state) = &model.door.tunnel {
        rows.extend(gate(state, model.look, columns, height));
        rows.push(Vec::new());
    }
    let how = if here { "Send any request to this address, on any path:" } else { "Another creel listens here:" };
    rows.extend(paragraph(Paint::Plain, how, columns));
    rows.push(vec![piece(Paint::Brand, &format!("  {url}"))]);
    rows.push(Vec::new());
    rows.extend(paragraph(Paint::Plain, "For example, in another terminal:", columns));
    let curl = format!("curl -d '{{\"hello\":\"creel\"}}' {url}/hello");
    rows.extend(wrap(&[piece(Paint::Good, &curl)], columns));
    rows.push(Vec::new());
    if model.door.tunnel.is_some() {
        return rows;
    }
    let port = url.rsplit(':').next().unwrap_or_default().to_owned();
    let tunnel = format!(
        "To let a provider reach it, open a tunnel of yours: creel --tunnel 'bore local {{port}} --to bore.pub', or ssh -R, \
         cloudflared, ngrok, to port {port}."
    );
    rows.extend(paragraph(Paint::Dim, &tunnel, columns));
    rows.push(Vec::new());
    rows.push(leave(model));
    rows
}
