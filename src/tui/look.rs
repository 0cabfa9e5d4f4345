//! Colours by role, and the signs where a terminal has none for them.
//!
//! A theme is a file (`assets/themes/NAME.toml`, or the user's `creel/themes/NAME.toml`): a style for each role. What a
//! theme leaves out is as its base role has it, in [`ROLES`]. Themes of 24-bit colours are narrowed to what the terminal
//! shows; where that is 16 colours, the theme `terminal` takes their place, since only its user knows what those look like.

use std::sync::LazyLock;

use ratatui::style::{Color, Modifier, Style};

use super::theme::{self, Theme};
use crate::body;

/// How the screen looks on this terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Whether colours are used; without them roles are told apart by weight.
    pub(super) colour: bool,
    /// Whether the terminal shows more than ASCII.
    pub(super) unicode: bool,
    /// How many colours there are.
    pub(super) depth: Depth,
    /// The theme; none: the terminal's own colours.
    pub(super) theme: Option<&'static Theme>,
    /// All there are.
    pub(super) themes: &'static [Theme],
}

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Sixteen,
    Many,
    True,
}

/// What a thing on the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    /// What matters less.
    Dim,
    /// Lines between things.
    Rule,
    /// Names of columns, tabs and parts.
    Heading,
    /// What creel is called, and what is alive.
    Brand,
    Good,
    Bad,
    Warning,
    /// The selected row.
    Selected,
    /// The selected row of a pane that has not the keys.
    Resting,
    /// Characters that differ, and those in their place.
    Marked,
    Added,
    /// Dark on light, whatever the theme: a camera wants it so.
    Paper,
    Body(body::Role),
}

/// Every role: its name in a theme's file, and the role that stands for it where the file has none.
pub(super) const ROLES: &[(Paint, &str, Paint)] = &[
    (Paint::Plain, "plain", Paint::Plain),
    (Paint::Dim, "dim", Paint::Plain),
    (Paint::Rule, "rule", Paint::Dim),
    (Paint::Heading, "heading", Paint::Plain),
    (Paint::Brand, "brand", Paint::Heading),
    (Paint::Good, "good", Paint::Plain),
    (Paint::Bad, "bad", Paint::Plain),
    (Paint::Warning, "warning", Paint::Plain),
    (Paint::Selected, "selected", Paint::Plain),
    (Paint::Resting, "resting", Paint::Selected),
    (Paint::Marked, "marked", Paint::Bad),
    (Paint::Added, "added", Paint::Good),
    (Paint::Body(body::Role::Plain), "body.plain", Paint::Plain),
    (Paint::Body(body::Role::Key), "body.key", Paint::Heading),
    (Paint::Body(body::Role::Text), "body.text", Paint::Good),
    (Paint::Body(body::Role::Number), "body.number", Paint::Plain),
    (Paint::Body(body::Role::Literal), "body.literal", Paint::Plain),
    (Paint::Body(body::Role::Punctuation), "body.punctuation", Paint::Dim),
    (Paint::Body(body::Role::Address), "body.address", Paint::Dim),
    (Paint::Body(body::Role::Dim), "body.dim", Paint::Dim),
    (Paint::Body(body::Role::Markup), "body.markup", Paint::Warning),
    (Paint::Body(body::Role::Control), "body.control", Paint::Warning),
    (Paint::Body(body::Role::Error), "body.error", Paint::Bad),
];

/// The signs that stand for facts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signs {
    pub(super) passed: &'static str,
    /// Passed, but the body is not covered.
    pub(super) partly: &'static str,
    pub(super) failed: &'static str,
    pub(super) unsigned: &'static str,
    pub(super) unchecked: &'static str,
    pub(super) duplicate: &'static str,
    /// Came after an event that happened later.
    pub(super) late: &'static str,
    pub(super) flag: &'static str,
    pub(super) live: &'static str,
    pub(super) rule: &'static str,
    pub(super) dot: &'static str,
    pub(super) mask: &'static str,
    pub(super) sending: &'static str,
    pub(super) marked: &'static str,
    pub(super) pinned: &'static str,
    pub(super) noted: &'static str,
    pub(super) edited: &'static str,
    /// What is folded, and what is not.
    pub(super) folded: &'static str,
    pub(super) unfolded: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    /// That more stands to the left, and to the right.
    pub(super) left: &'static str,
    pub(super) right: &'static str,
    /// From nothing to a whole cell.
    pub(super) levels: &'static [&'static str],
    /// From nothing to a whole cell, from left to right.
    pub(super) parts: &'static [&'static str],
    pub(super) tunnel: &'static str,
}

const UNICODE: Signs = Signs {
    passed: "✓",
    partly: "○",
    failed: "✗",
    unsigned: "·",
    unchecked: "?",
    duplicate: "↻",
    late: "⇅",
    flag: "⚑",
    live: "●",
    rule: "│",
    dot: "·",
    mask: "••••••",
    sending: "…",
    marked: "●",
    pinned: "◆",
    noted: "¶",
    edited: "±",
    folded: "▸",
    unfolded: "▾",
    up: "↑",
    down: "↓",
    left: "‹",
    right: "›",
    levels: &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    parts: &["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    tunnel: "⇄",
};

const ASCII: Signs = Signs {
    passed: "+",
    partly: "o",
    failed: "x",
    unsigned: ".",
    unchecked: "?",
    duplicate: "d",
    late: "<",
    flag: "!",
    live: "*",
    rule: "|",
    dot: "-",
    mask: "******",
    sending: "~",
    marked: "*",
    pinned: "^",
    noted: "n",
    edited: "e",
    folded: ">",
    unfolded: "v",
    up: "^",
    down: "v",
    left: "<",
    right: ">",
    levels: &[" ", ".", ":", "|", "#"],
    parts: &["", "#"],
    tunnel: "<->",
};

impl Look {
    /// A look with the terminal's own colours, or with none.
    pub(super) const fn plain(colour: bool, unicode: bool) -> Self {
        Self { colour, unicode, depth: Depth::Sixteen, theme: None, themes: &[] }
    }

    /// What the environment says: `NO_COLOR` (no-color.org), `TERM=dumb`, `COLORTERM`, the locale.
    pub(super) fn from_environment() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(name)).unwrap_or_default().to_lowercase();
        let term = set("TERM").unwrap_or_default();
        let depth = match set("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Depth::True,
            _ if term.contains("direct") => Depth::True,
            _ if term.contains("256color") => Depth::Many,
            _ => Depth::Sixteen,
        };
        let unicode = locale.contains("utf-8") || locale.contains("utf8");
        Self { depth, ..Self::plain(set("NO_COLOR").is_none() && term != "dumb", unicode) }
    }

    /// The look with the theme of that name, if there is one.
    #[must_use]
    pub(super) fn themed(self, name: &str) -> Self {
        let theme = self.themes.iter().find(|theme| theme.name == name);
        Self { theme: theme.or(self.theme), ..self }
    }

    /// The look with the theme after this one.
    #[must_use]
    pub(super) fn next_theme(self) -> Self {
        let at = self.theme.and_then(|theme| self.themes.iter().position(|other| other.name == theme.name));
        let next = at.map_or(0, |at| at + 1) % self.themes.len().max(1);
        Self { theme: self.themes.get(next), ..self }
    }

    pub(super) fn signs(self) -> &'static Signs {
        if self.unicode { &UNICODE } else { &ASCII }
    }

    /// The style of a role.
    pub(super) fn style(self, paint: Paint) -> Style {
        if !self.colour {
            return without_colour(paint);
        }
        match paint {
            Paint::Body(body::Role::Pixels(top, bottom)) => return self.pixels(top, bottom),
            Paint::Paper if self.has_pixels() => return self.pixels([0; 3], [255; 3]),
            Paint::Paper => return Style::new().fg(Color::Black).bg(Color::White),
            _ => {}
        }
        match self.theme {
            Some(theme) if theme.is_plain || self.depth != Depth::Sixteen => theme.style(paint, self.depth),
            _ => TERMINAL.style(paint, self.depth),
        }
    }
}

impl Look {
    /// Whether two pixels can be told apart in a cell; where not, a shade stands for them.
    pub(super) fn has_pixels(self) -> bool {
        self.colour && self.depth != Depth::Sixteen
    }

    /// Two pixels in a cell: the upper one in the character, the lower one behind it.
    fn pixels(self, top: [u8; 3], bottom: [u8; 3]) -> Style {
        // The cube of six steps a side that begins at 16.
        let step = |part: u8| if part < 48 { 0 } else { (part - 35) / 40 };
        let colour = |[red, green, blue]: [u8; 3]| {
            if self.depth == Depth::True {
                Color::Rgb(red, green, blue)
            } else {
                Color::Indexed(16 + 36 * step(red) + 6 * step(green) + step(blue))
            }
        };
        if self.has_pixels() { Style::new().fg(colour(top)).bg(colour(bottom)) } else { Style::new() }
    }
}

/// The theme of the terminal's own colours.
static TERMINAL: LazyLock<Theme> = LazyLock::new(theme::terminal);

/// Roles told apart by weight alone.
fn without_colour(paint: Paint) -> Style {
    let style = Style::new();
    match paint {
        Paint::Heading | Paint::Brand | Paint::Bad | Paint::Body(body::Role::Error | body::Role::Control) => {
            style.add_modifier(Modifier::BOLD)
        }
        Paint::Dim | Paint::Rule | Paint::Body(body::Role::Dim | body::Role::Punctuation | body::Role::Address) => {
            style.add_modifier(Modifier::DIM)
        }
        Paint::Selected => bare().add_modifier(Modifier::REVERSED),
        Paint::Resting => style.add_modifier(Modifier::UNDERLINED),
        Paint::Marked | Paint::Added => style.add_modifier(Modifier::BOLD | Modifier::REVERSED),
        _ => style,
    }
}

/// A style that lays itself over all others: a row of many colours would be a row of many patches.
pub(super) fn bare() -> Style {
    Style::new().fg(Color::Reset).bg(Color::Reset).remove_modifier(Modifier::all())
}
