//! What may be meant by what is being typed: a small list over the prompt.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    frame::{self, Frame},
    lines,
};
use crate::{
    body,
    query::Offer,
    tui::{
        keys::Command,
        line::{Pieces, line, piece},
        look::Paint,
        model::Model,
        prompt::Prompt,
    },
};

/// How many are seen at once.
const SEEN: usize = 8;
/// How wide what is offered may be, and what is said of it, in columns.
const TEXT: usize = 40;
const HELP: usize = 44;
/// From how many rows over the prompt on the list has a frame.
const FRAMED: u16 = 6;

/// Draws what is offered above the prompt, below the piece of it that it stands for; `left` is where that piece begins.
pub(super) fn draw(model: &Model, prompt: &Prompt, footer: Rect, left: u16, buffer: &mut Buffer) {
    let offers = &prompt.assist.completion.offers;
    // The header stays.
    let above = footer.y.saturating_sub(1);
    if offers.is_empty() || above == 0 {
        return;
    }
    let edge = if above >= FRAMED { 2 } else { 0 };
    let seen = SEEN.min(offers.len()).min(usize::from((above - edge).min(above / 2 + 1)));
    let chosen = prompt.assist.chosen;
    let top = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(seen));
    let width = |of: fn(&Offer) -> &str, most| offers.iter().map(|it| body::width(of(it))).max().unwrap_or(0).min(most);
    let (texts, helps) = (width(|offer| &offer.text, TEXT), width(|offer| &offer.help, HELP));
    let gap = if helps > 0 { 2 } else { 0 };
    let columns = (texts + gap + helps + 2).max(if edge > 0 { 24 } else { 0 }) + usize::from(edge);
    let columns = columns.min(usize::from(footer.width)) as u16;
    let rows = seen as u16 + edge;
    // What is offered stands over the piece that it would replace, as far as there is room.
    let x = left.saturating_sub(1 + edge / 2).min(footer.width - columns) + footer.x;
    let area = Rect { x, y: footer.y - rows, width: columns, height: rows };
    let inner = if edge > 0 {
        let note = if offers.len() > seen {
            format!("{} of {}", chosen.map_or(1, |at| at + 1), offers.len())
        } else {
            String::new()
        };
        let keys = vec![(model.keys.of(Command::Take), "takes"), (choosing(model), "choose")];
        frame::draw(model, area, &Frame { note, keys, ..Frame::default() }, buffer)
    } else {
        area
    };
    let drawn = offers
        .iter()
        .enumerate()
        .skip(top)
        .take(seen)
        .map(|(at, offer)| line(&row(offer, chosen == Some(at), texts, usize::from(inner.width)), model.look));
    lines(drawn, inner, buffer);
}

/// The keys that choose.
fn choosing(model: &Model) -> String {
    match [Command::ChoosePrevious, Command::ChooseNext].map(|command| model.keys.of(command)) {
        [up, down] if (&up[..], &down[..]) == ("up", "down") && model.look.unicode => "↑↓".to_owned(),
        keys => keys.join("/"),
    }
}

fn row(offer: &Offer, is_chosen: bool, texts: usize, columns: usize) -> Pieces {
    let text = body::fit(offer.text.trim_end(), texts);
    let blanks = " ".repeat((texts + 2).saturating_sub(body::width(&text)));
    let help = body::fit(&offer.help, columns.saturating_sub(texts + 4));
    let rest = " ".repeat(columns.saturating_sub(texts + 3 + body::width(&help)));
    let (plain, dim) = if is_chosen { (Paint::Selected, Paint::Selected) } else { (Paint::Plain, Paint::Dim) };
    vec![piece(plain, &format!(" {text}{blanks}")), piece(dim, &format!("{help}{rest}"))]
}
