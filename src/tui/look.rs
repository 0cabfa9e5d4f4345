//! Colours by role, and the signs where a terminal has none for them.

use ratatui::style::{Color, Modifier, Style};

use crate::body;

/// How the screen looks on this terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Whether colours are used; without them roles are told apart by weight.
    pub(super) colour: bool,
    /// Whether the terminal shows more than ASCII.
    pub(super) unicode: bool,
}

/// What a thing on the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    /// What matters less.
    Dim,
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
    /// Characters that differ.
    Marked,
    Body(body::Role),
}

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
};

impl Look {
    /// What the environment says: `NO_COLOR` (no-color.org), `TERM=dumb`, the locale.
    pub(super) fn from_environment() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(name)).unwrap_or_default().to_lowercase();
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        Self {
            colour: set("NO_COLOR").is_none() && !dumb,
            unicode: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }

    pub(super) fn signs(self) -> &'static Signs {
        if self.unicode { &UNICODE } else { &ASCII }
    }

    /// The style of a role. Only the terminal's own 16 colours are used: they fit its background.
    pub(super) fn style(self, paint: Paint) -> Style {
        let (colour, weight) = match paint {
            Paint::Plain => (None, Modifier::empty()),
            Paint::Dim => (Some(Color::DarkGray), Modifier::DIM),
            Paint::Heading => (None, Modifier::BOLD),
            Paint::Brand => (Some(Color::Cyan), Modifier::BOLD),
            Paint::Good => (Some(Color::Green), Modifier::empty()),
            Paint::Bad => (Some(Color::Red), Modifier::BOLD),
            Paint::Warning => (Some(Color::Yellow), Modifier::empty()),
            Paint::Selected => return bare().add_modifier(Modifier::REVERSED),
            Paint::Resting if self.colour => return bare().bg(Color::DarkGray),
            Paint::Resting => return Style::new().add_modifier(Modifier::UNDERLINED),
            Paint::Marked => return self.style(Paint::Bad).add_modifier(Modifier::REVERSED),
            Paint::Body(role) => body_style(role),
        };
        let style = Style::new();
        match colour {
            Some(colour) if self.colour && weight == Modifier::DIM => style.fg(colour),
            Some(colour) if self.colour => style.fg(colour).add_modifier(weight),
            _ => style.add_modifier(weight),
        }
    }
}

/// A style that lays itself over all others: a row of many colours would be a row of many patches.
fn bare() -> Style {
    Style::new().fg(Color::Reset).bg(Color::Reset).remove_modifier(Modifier::all())
}

fn body_style(role: body::Role) -> (Option<Color>, Modifier) {
    match role {
        body::Role::Plain => (None, Modifier::empty()),
        body::Role::Key => (Some(Color::Blue), Modifier::empty()),
        body::Role::Text => (Some(Color::Green), Modifier::empty()),
        body::Role::Number => (Some(Color::Cyan), Modifier::empty()),
        body::Role::Literal => (Some(Color::Magenta), Modifier::empty()),
        body::Role::Punctuation | body::Role::Address | body::Role::Dim => (Some(Color::DarkGray), Modifier::DIM),
        body::Role::Markup => (Some(Color::Yellow), Modifier::empty()),
        body::Role::Control => (Some(Color::Yellow), Modifier::BOLD),
        body::Role::Error => (Some(Color::Red), Modifier::BOLD),
    }
}
