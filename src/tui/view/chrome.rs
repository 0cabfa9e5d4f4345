//! Header, notice, footer and prompt.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{detail::end, lines, offers};
use crate::{
    body,
    engine::tunnel::State,
    record::{rate, thousands},
    store::Counts,
    tui::{
        detail::Tab,
        keys::{Bound, Command, Mode},
        layout::WIDE,
        line::{Piece, line, piece, width},
        list::Order,
        look::Paint,
        model::Model,
        prompt::Prompt,
        sheet::Content,
        stage::Place,
        stats,
    },
};

/// A part of the header: how much it matters, the most last, and what it says.
type Part = (Matters, Vec<Piece>);

/// How much a part of the header matters where there is no room for all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Matters {
    Little,
    Some,
    Much,
    /// What changes what is seen, or what others see.
    Most,
}

/// What creel is, where it is, what the store holds, which filter is in force. Of what does not fit, what matters least is
/// left out.
pub(super) fn header(model: &Model, area: Rect, buffer: &mut Buffer) {
    lines([line(&header_pieces(model, area.width), model.look)], area, buffer);
}

/// The words of the header behind the counts that lead somewhere: what was turned away, and what creel said that nobody has
/// read.
const REFUSED: &str = "refused";
const NEWS: &str = "news";

/// What the count that stands at a column of the header leads to.
pub(in crate::tui) fn leads_to(model: &Model, column: u16) -> Option<Command> {
    let mut end = 0;
    let under = header_pieces(model, model.size.0).into_iter().find(|piece| {
        end += body::width(&piece.text);
        usize::from(column) < end
    });
    let text = under?.text;
    let counts = [(REFUSED, Command::Refused), (NEWS, Command::News)];
    let word = text.rsplit(' ').next()?;
    counts.into_iter().find(|(name, _)| *name == word && text != word).map(|(_, command)| command)
}

fn header_pieces(model: &Model, columns: u16) -> Vec<Piece> {
    let room = usize::from(columns);
    let mut right: Vec<Part> = Vec::new();
    if columns >= WIDE {
        right.push((Matters::Little, pulse(model)));
    }
    right.extend(counters(model));
    right.extend(state(model));
    right.push((Matters::Most, vec![piece(Paint::Plain, " ")]));
    let in_force = right.iter().filter(|part| part.0 == Matters::Most).map(|part| width(&part.1)).sum();
    let (place, told) = place_and_told(model, in_force, room.saturating_sub(1));
    let mut left: Vec<Part> = [(Matters::Most, place)].into_iter().chain(tunnel(model)).collect();
    left.push((Matters::Most, told));
    let all = |left: &[Part], right: &[Part]| left.iter().chain(right).map(|part| width(&part.1)).sum::<usize>();
    while all(&left, &right) + 2 > room {
        let least = left.iter().chain(&right).map(|part| part.0).min();
        let Some(least) = least.filter(|least| *least != Matters::Most) else { break };
        match right.iter().rposition(|part| part.0 == least) {
            Some(at) => drop(right.remove(at)),
            None => left.retain(|part| part.0 != least),
        }
    }
    let mut left: Vec<Piece> = left.into_iter().flat_map(|part| part.1).collect();
    let right: Vec<Piece> = right.into_iter().flat_map(|part| part.1).collect();
    let right = shortened(right, room.saturating_sub(width(&left) + 2));
    let gap = room.saturating_sub(width(&left) + width(&right));
    left.push(piece(Paint::Plain, &" ".repeat(gap)));
    left.extend(right);
    left
}

/// Where this is, and what is answered, as far as they leave room for what is in force: of an address the end says enough,
/// of an answer the beginning.
fn place_and_told(model: &Model, in_force: usize, room: usize) -> (Vec<Piece>, Vec<Piece>) {
    let told = told(model);
    let [at, ..] = shares([width(&place(model, room)), width(&told), in_force], room);
    let place = place(model, at);
    let [of_told, _] = shares([width(&told), in_force], room.saturating_sub(width(&place)));
    (place, shortened(told, of_told))
}

/// How much of the room each gets of what it wants: who wants less than an equal share leaves the rest to the others.
fn shares<const COUNT: usize>(wants: [usize; COUNT], room: usize) -> [usize; COUNT] {
    let mut order: Vec<usize> = (0..COUNT).collect();
    order.sort_by_key(|at| wants[*at]);
    let (mut given, mut left) = ([0; COUNT], room);
    for (done, at) in order.into_iter().enumerate() {
        given[at] = wants[at].min(left / (COUNT - done));
        left -= given[at];
    }
    given
}

/// Who this is, and where, in so many columns. Of an address or a path the end matters most, and how it stands with the
/// capturing more than that.
fn place(model: &Model, columns: usize) -> Vec<Piece> {
    let mut brand = vec![piece(Paint::Brand, " creel "), piece(Paint::Plain, " ")];
    let live = format!("  {} live", model.look.signs().live);
    let (how, at, state) = match &model.place {
        Place::Listening(url) if model.server_ended => ("", url, piece(Paint::Bad, "  stopped")),
        Place::Listening(url) if model.door.is_failing => ("", url, piece(Paint::Bad, "  not kept: 503")),
        Place::Listening(url) => ("", url, piece(Paint::Good, &live)),
        Place::Watching { store, address: Some(_) } => ("watching ", store, piece(Paint::Good, &live)),
        Place::Watching { store, address: None } => ("watching ", store, piece(Paint::Warning, "  nobody captures")),
    };
    if width(&brand) + SHORTEST + body::width(&state.text) > columns {
        // Whose screen this is one knows; where it is, and what is in force, not.
        brand = vec![piece(Paint::Plain, " ")];
    }
    let room = columns.saturating_sub(width(&brand) + body::width(&state.text));
    // Where there is hardly any room the store's name says that it is one.
    let how = if room < body::width(how) + body::width(at).min(NAME) { "" } else { how };
    let room = room.saturating_sub(body::width(how)).max(SHORTEST);
    let at = if body::width(at) > room { end(at.trim_start_matches("http://"), room) } else { at.clone() };
    [brand, vec![piece(Paint::Dim, how), piece(Paint::Heading, &at), state]].concat()
}

/// How wide a store's name is as a rule, and the least that is seen of it or of an address.
const NAME: usize = 10;
const SHORTEST: usize = 6;

/// What is in force: the filter, and what was begun and not ended.
fn state(model: &Model) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(filter) = &model.filter {
        parts.push((Matters::Most, vec![piece(Paint::Warning, &format!("   filter: {}", filter.text()))]));
        if let Some(count) = model.list.count() {
            parts.push((Matters::Much, vec![piece(Paint::Dim, &format!(", {} match", thousands(count as u64)))]));
        }
        if model.list.is_searching() {
            let words = format!("   searching, {} %", model.list.searched);
            parts.push((Matters::Some, vec![piece(Paint::Dim, &words)]));
        }
    }
    if model.list.order != Order::Newest {
        parts.push((Matters::Some, vec![piece(Paint::Dim, &format!("   {}", model.list.order.name()))]));
    }
    if model.deleted.len() > 0 {
        let words = format!("   {} deleted", thousands(model.deleted.len() as u64));
        parts.push((Matters::Some, vec![piece(Paint::Dim, &words)]));
    }
    if let Some(held) = model.held {
        parts.push((
            Matters::Much,
            vec![piece(Paint::Warning, &format!("   {}: #{held}", model.keys.of(Command::Diff)))],
        ));
    }
    parts
}

/// The last minute: a bar for each slot of it, in the colour of its worst verdict, and the rate.
fn pulse(model: &Model) -> Vec<Piece> {
    let Some(slots) = model.pulse.slots(model.now) else { return Vec::new() };
    let levels = model.look.signs().levels;
    let most: u64 = slots.iter().map(|slot| slot.iter().sum()).max().unwrap_or(1);
    let bar = |slot: &Counts| {
        let count: u64 = slot.iter().sum();
        let level = (count * (levels.len() as u64 - 1)).div_ceil(most.max(1)) as usize;
        piece(stats::colour(slot), levels.get(level).copied().unwrap_or_default())
    };
    let mut pieces: Vec<_> = slots.iter().map(bar).collect();
    pieces.push(piece(Paint::Dim, &format!(" {:<9}", model.pulse.rate(model.now).map(rate).unwrap_or_default())));
    pieces
}

/// What is answered where it differs from the configuration.
fn told(model: &Model) -> Vec<Piece> {
    let told = model.door.told.iter();
    told.map(|(name, answer)| piece(Paint::Bad, &format!("  {name} answers {answer}"))).collect()
}

/// How the tunnel stands.
fn tunnel(model: &Model) -> Option<Part> {
    model.door.tunnel.as_ref().map(|state| match state {
        State::Open(url) => {
            (Matters::Some, vec![piece(Paint::Heading, &format!("  {} {url}", model.look.signs().tunnel))])
        }
        State::Starting => (Matters::Some, vec![piece(Paint::Dim, "  tunnel starting")]),
        State::Down(..) => (Matters::Much, vec![piece(Paint::Bad, "  tunnel down")]),
    })
}

fn counters(model: &Model) -> Vec<Part> {
    let counters = &model.counters;
    // Who filters looks for what the filter takes: how many there are in all matters less then.
    let much = if model.filter.is_some() { Matters::Some } else { Matters::Much };
    let dot = format!(" {} ", model.look.signs().dot);
    let caught = vec![piece(Paint::Plain, &format!("  {} caught", thousands(counters.captures)))];
    let others = [
        (much, counters.failed, "failed", Paint::Bad),
        (Matters::Little, counters.duplicates, "dup", Paint::Warning),
        (Matters::Some, counters.refused, REFUSED, Paint::Warning),
        (Matters::Some, counters.waiting, "waiting", Paint::Warning),
        (much, counters.dead, "given up", Paint::Bad),
        (much, counters.down, "down", Paint::Bad),
        (Matters::Much, model.news.unread, NEWS, Paint::Warning),
    ];
    let others = others.into_iter().filter(|(_, count, ..)| *count > 0).map(|(matters, count, word, paint)| {
        (matters, vec![piece(Paint::Dim, &dot), piece(paint, &format!("{} {word}", thousands(count)))])
    });
    [(much, caught)].into_iter().chain(others).collect()
}

/// As many of the pieces as there is room for, the last of them cut.
fn shortened(pieces: Vec<Piece>, room: usize) -> Vec<Piece> {
    let mut used = 0;
    let fitted = pieces.into_iter().map_while(|piece| {
        let left = room.checked_sub(used).filter(|left| *left > 0)?;
        let text = body::fit(&piece.text, left);
        used += body::width(&piece.text);
        Some(Piece { text, ..piece })
    });
    fitted.collect()
}

/// A word to the user.
pub(super) fn notice(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(notice) = &model.notice else { return };
    lines(notice.rows(model.size, &model.keys).iter().map(|pieces| line(pieces, model.look)), area, buffer);
}

/// The keys, or the prompt; where the cursor stands in it.
pub(super) fn footer(model: &Model, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if let Some(prompt) = &model.prompt {
        return Some(draw_prompt(model, prompt, area, buffer));
    }
    lines([keys(model, usize::from(area.width))], area, buffer);
    None
}

/// A hint of the footer: a chord, what it does, and the command that a click on it gives.
type Hint = (String, &'static str, Option<Command>);

/// The keys of the mode that are for the footer, as many as fit.
fn keys(model: &Model, columns: usize) -> Line<'_> {
    let mut spans = vec![Span::raw(" ")];
    for (chord, word, _) in hints(model, columns) {
        spans.push(Span::styled(chord, model.look.style(Paint::Heading)));
        spans.push(Span::styled(format!(" {word}  "), model.look.style(Paint::Dim)));
    }
    spans.into()
}

/// What a click on a column of the footer means.
pub(in crate::tui) fn footer_command(model: &Model, column: u16) -> Option<Command> {
    let mut begin = 1;
    let under = hints(model, usize::from(model.size.0)).into_iter().find(|(chord, word, _)| {
        let end = begin + body::width(chord) + 1 + body::width(word);
        let is_under = (begin..end).contains(&usize::from(column));
        // Between two of them stand two blanks.
        begin = end + 2;
        is_under
    });
    // A hand that slips is no wish to leave.
    under?.2.filter(|command| *command != Command::Quit)
}

/// As many hints as fit: the help before those that it tells of.
fn hints(model: &Model, columns: usize) -> Vec<Hint> {
    let first = |command: Command| model.keys.first(command).map(str::to_owned);
    let moves = || Some(([first(Command::Down)?, first(Command::Up)?].join("/"), "move", None));
    let tabs = || Some((first(Command::NextTab)?, "tabs", Some(Command::NextTab)));
    let back = || Some((first(Command::Back)?, "back", Some(Command::Back)));
    let nothing_there = model.mode == Mode::List && model.list.rows.is_empty();
    let own = match model.mode {
        Mode::Help | Mode::Stats | Mode::Sheet => vec![back()],
        Mode::Detail => vec![moves(), tabs(), back()],
        Mode::List if !nothing_there => vec![moves()],
        Mode::List | Mode::Prompt => Vec::new(),
    };
    // Of the sheets only a comparison has two sides, and only a preview has a program.
    let content = model.sheet.as_ref().map(|sheet| &sheet.content);
    let turns = matches!(content, Some(Content::Diff { .. }));
    let is_preview = matches!(content, Some(Content::Diff { is_preview: true, .. }));
    let is_here = |row: &&Bound| {
        let (key, command) = (row.key, row.key.command);
        key.modes.contains(&model.mode)
            && (turns || command != Command::Turn)
            && (is_preview || command != Command::Program)
            && (command != Command::Toggle || folds(model))
            && !(nothing_there && command.needs_capture())
            && (!nothing_there || command != Command::Order || model.list.order.is_sorted())
    };
    let table = model.keys.rows().filter(is_here);
    let (help, others): (Vec<_>, Vec<_>) = table.partition(|row| row.key.command == Command::Help);
    let rows = help.into_iter().chain(others);
    let rows = rows.filter_map(|row| Some((row.chords.first()?.clone(), row.key.footer?, Some(row.key.command))));
    let own = own.into_iter().flatten();
    let mut used = 1;
    let fits = |(chord, word, _): &Hint| {
        used += body::width(chord) + body::width(word) + 3;
        used <= columns
    };
    own.chain(rows).take_while(fits).collect()
}

/// Whether something folds in the open tab.
fn folds(model: &Model) -> bool {
    match model.detail.tab {
        Tab::Body => model.detail.cursor.whole().is_some_and(|whole| whole.tree().is_some()),
        Tab::Deliveries => !model.detail.deliveries.is_empty(),
        _ => false,
    }
}

fn draw_prompt(model: &Model, prompt: &Prompt, area: Rect, buffer: &mut Buffer) -> Position {
    let above = prompt.above(model.size);
    let label = if above.is_empty() { prompt.label() } else { "> ".to_owned() };
    let used = body::width(&label) + 1;
    let room = usize::from(area.width).saturating_sub(used + 1).max(1);
    let first = prompt.first_seen(room);
    let text: String = prompt.text[first..].iter().collect();
    let before: String = prompt.text[first..prompt.cursor].iter().collect();
    let mut typed = vec![piece(Paint::Heading, &format!(" {label}"))];
    typed.extend(typed_pieces(prompt, first, room));
    typed.extend(prompt_keys(model, prompt, room.saturating_sub(body::width(&text))));
    let mut rows: Vec<Line<'_>> = above.iter().map(|pieces| line(pieces, model.look)).collect();
    rows.push(line(&typed, model.look));
    match (prompt.mistake(), &prompt.wrong(model.size)[..]) {
        (Some(error), [_]) => {
            let at: String = prompt.text.iter().skip(first).take((error.column - 1).saturating_sub(first)).collect();
            let words = pointed(&error.to_string(), used + body::width(&at).min(room), usize::from(area.width));
            rows.push(line(&[piece(Paint::Bad, &words)], model.look));
        }
        (_, wrong) => rows.extend(wrong.iter().map(|pieces| line(pieces, model.look))),
    }
    lines(rows, area, buffer);
    let column = |text: &str| (used + body::width(text)).min(usize::from(area.width)) as u16;
    let piece: String = prompt.text.iter().take(prompt.assist.completion.from).skip(first).collect();
    offers::draw(model, prompt, area, column(&piece), buffer);
    Position::new(area.x + column(&before), area.y + above.len() as u16)
}

/// What is typed from a character on; the piece that is wrong is marked.
fn typed_pieces(prompt: &Prompt, first: usize, room: usize) -> Vec<Piece> {
    let count = prompt.text.len();
    let wrong = prompt.mistake().map_or(count, |error| error.column.saturating_sub(1).clamp(first, count));
    let end = prompt.text[wrong..].iter().position(|c| c.is_whitespace()).map_or(count, |length| wrong + length);
    let text = |range| prompt.seen(first, range);
    let paint = if prompt.mistake().is_some() { Paint::Bad } else { Paint::Plain };
    let parts = [(paint, text(first..wrong)), (Paint::Marked, text(wrong..end)), (paint, text(end..count))];
    let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
    shortened(parts.map(|(paint, text)| piece(paint, &text)).collect(), room)
}

/// The keys of a prompt at the right end, where nothing is typed: as many as fit.
fn prompt_keys(model: &Model, prompt: &Prompt, room: usize) -> Vec<Piece> {
    let is_open = !prompt.assist.completion.offers.is_empty();
    let rows = model.keys.rows().filter(|row| row.key.modes.contains(&Mode::Prompt) && prompt.knows(row.key.command));
    // What is offered has the key that takes it in its own frame.
    let rows = rows.filter(|row| row.key.command != Command::Take || (is_open && model.size.1 < 10));
    let keys = rows.filter_map(|row| Some((row.chords.first()?, row.key.footer?)));
    let mut pieces = Vec::new();
    let mut used = 2;
    for (chord, word) in keys {
        let text = format!(" {word}  ");
        used += body::width(chord) + body::width(&text);
        if used > room {
            break;
        }
        pieces.extend([piece(Paint::Heading, chord), piece(Paint::Dim, &text)]);
    }
    let gap = room.saturating_sub(width(&pieces));
    pieces.insert(0, Piece { paint: Paint::Plain, text: " ".repeat(gap) });
    pieces
}

/// What is wrong, with a caret below the column that it is about: before or behind the words, where there is room; else the
/// words matter more.
fn pointed(error: &str, at: usize, columns: usize) -> String {
    let words = body::width(error);
    if at + 2 + words <= columns {
        format!("{}^ {error}", " ".repeat(at))
    } else if words + 2 <= at {
        format!("{}{error} ^", " ".repeat(at - words - 1))
    } else {
        body::fit(&format!(" {error}"), columns)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn who_wants_less_than_a_share_leaves_the_rest_to_the_others() {
        for (wants, room, given) in [
            ([10, 10, 10], 60, [10, 10, 10]),
            ([56, 58, 25], 120, [47, 48, 25]),
            ([56, 0, 25], 60, [35, 0, 25]),
            ([56, 58, 25], 0, [0, 0, 0]),
        ] {
            assert_eq!(super::shares(wants, room), given);
        }
    }

    #[test]
    fn a_caret_points_at_what_is_wrong_before_or_behind_the_words() {
        assert_eq!(super::pointed("no field", 3, 20), "   ^ no field");
        assert_eq!(super::pointed("no field", 14, 20), "     no field ^");
        assert_eq!(super::pointed("no field", 6, 12), " no field");
    }
}
