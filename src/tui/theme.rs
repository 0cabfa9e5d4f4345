//! Themes: files that say how each role looks.

use std::{collections::BTreeMap, path::Path};

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::look::{Depth, Paint, ROLES, bare};
use crate::record::Failure;

/// The themes that come with creel, in the order in which a key goes through them.
const BUILTIN: &[(&str, &str)] = &[
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.toml")),
    ("terminal", TERMINAL),
];
const TERMINAL: &str = include_str!("../../assets/themes/terminal.toml");

/// The largest theme file that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// How each role looks.
#[derive(Clone, Debug)]
pub(super) struct Theme {
    pub(super) name: String,
    /// Whether it has only the terminal's own 16 colours.
    pub(super) is_plain: bool,
    /// A style for each of [`ROLES`]: as the file has it, and in 256 colours.
    styles: Vec<(Style, Style)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    style: BTreeMap<String, Entry>,
}

/// A style as a file has it: a colour, or a table.
#[derive(Deserialize, Clone)]
#[serde(
    untagged,
    expecting = "a style is a colour, or a table of fg, bg, bold, dim, italic, underlined, reversed and bare"
)]
enum Entry {
    Colour(String),
    Table(Table),
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields)]
struct Table {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    italic: bool,
    #[serde(default)]
    underlined: bool,
    #[serde(default)]
    reversed: bool,
    /// Whether it lays itself over the colours below.
    #[serde(default)]
    bare: bool,
}

impl Theme {
    /// Reads a theme; what is wrong with it is said with its line.
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            format!("line {line}: {}", error.message())
        })?;
        if let Some(unknown) = file.style.keys().find(|key| ROLES.iter().all(|role| role.1 != **key)) {
            let names = ROLES.iter().map(|role| role.1);
            let near = names.max_by(|a, b| strsim::jaro(a, unknown).total_cmp(&strsim::jaro(b, unknown)));
            return Err(format!("there is no role `{unknown}`; did you mean `{}`?", near.unwrap_or_default()));
        }
        let mut styles = Vec::new();
        for (paint, role, _) in ROLES {
            let entry = entry(&file, *paint);
            let style =
                entry.map_or(Ok(Style::new()), |entry| style(&entry)).map_err(|why| format!("`{role}`: {why}"))?;
            styles.push((style, narrowed(style)));
        }
        let is_true = |style: &Style| [style.fg, style.bg].iter().any(|colour| matches!(colour, Some(Color::Rgb(..))));
        let is_plain = !styles.iter().any(|(style, _)| is_true(style));
        Ok(Self { name: name.to_owned(), is_plain, styles })
    }

    /// The style of a role.
    pub(super) fn style(&self, paint: Paint, depth: Depth) -> Style {
        let at = ROLES.iter().position(|role| role.0 == paint).unwrap_or(0);
        let Some((full, many)) = self.styles.get(at) else { return Style::new() };
        if depth == Depth::Many { *many } else { *full }
    }
}

/// What a file says of a role, or of the one that stands for it.
fn entry(file: &File, mut paint: Paint) -> Option<Entry> {
    // Each role stands for one that comes before it in the table, the first for itself.
    for _ in 0..ROLES.len() {
        let (_, name, base) = ROLES.iter().find(|role| role.0 == paint)?;
        if let Some(entry) = file.style.get(*name) {
            return Some(entry.clone());
        }
        paint = *base;
    }
    None
}

fn style(entry: &Entry) -> Result<Style, String> {
    let table = match entry {
        Entry::Colour(fg) => &Table { fg: Some(fg.clone()), ..Table::default() },
        Entry::Table(table) => table,
    };
    let mut style = if table.bare { bare() } else { Style::new() };
    if let Some(fg) = &table.fg {
        style = style.fg(colour(fg)?);
    }
    if let Some(bg) = &table.bg {
        style = style.bg(colour(bg)?);
    }
    for (set, modifier) in [
        (table.bold, Modifier::BOLD),
        (table.dim, Modifier::DIM),
        (table.italic, Modifier::ITALIC),
        (table.underlined, Modifier::UNDERLINED),
        (table.reversed, Modifier::REVERSED),
    ] {
        if set {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

/// A colour: `#rrggbb`, a name of the sixteen (`red`, `bright-red`), or `default`.
fn colour(text: &str) -> Result<Color, String> {
    let text = text.trim();
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.is_ascii());
    if let Some(number) = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
        return Ok(Color::from_u32(number));
    }
    Ok(match text {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        _ => return Err(format!("`{text}` is no colour; write #rrggbb, red, bright-red, or default")),
    })
}

/// The style in 256 colours.
fn narrowed(style: Style) -> Style {
    let narrow = |colour: Option<Color>| match colour {
        Some(Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest(r, g, b))),
        other => other,
    };
    Style { fg: narrow(style.fg), bg: narrow(style.bg), ..style }
}

/// The nearest of the 240 colours that xterm has beside the sixteen: a cube of 6 steps, and 24 greys.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let step = |value: u8| (0..6_u8).min_by_key(|at| (STEPS[usize::from(*at)] - i32::from(value)).abs()).unwrap_or(0);
    let far = |to: [i32; 3]| -> i32 {
        let from = [r, g, b].map(i32::from);
        from.iter().zip(to).map(|(from, to)| (from - to) * (from - to)).sum()
    };
    let cube = [step(r), step(g), step(b)];
    let mean = (i32::from(r) + i32::from(g) + i32::from(b)) / 3;
    let grey = ((mean - 3) / 10).clamp(0, 23);
    if far([8 + grey * 10; 3]) < far(cube.map(|at| STEPS[usize::from(at)])) {
        232 + grey as u8
    } else {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    }
}

/// The theme of the terminal's own colours.
pub(super) fn terminal() -> Theme {
    Theme::parse("terminal", TERMINAL).unwrap_or(Theme {
        name: "terminal".to_owned(),
        is_plain: true,
        styles: Vec::new(),
    })
}

/// creel's themes and those of a folder, which come before creel's of the same name; and what is wrong with any.
pub(super) fn all(folder: Option<&Path>) -> (Vec<Theme>, Vec<Failure>) {
    let mut failures = Vec::new();
    let mut themes = Vec::new();
    for (name, text, path) in own(folder) {
        match text.and_then(|text| Theme::parse(&name, &text)) {
            Ok(theme) => themes.push(theme),
            Err(why) => failures.push(Failure::new(format!("reading the theme {path}"), why)),
        }
    }
    for (name, text) in BUILTIN {
        if themes.iter().all(|theme| theme.name != *name) {
            themes.extend(Theme::parse(name, text).ok());
        }
    }
    (themes, failures)
}

/// The files of a folder: name, content or what is wrong, path.
fn own(folder: Option<&Path>) -> Vec<(String, Result<String, String>, String)> {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut paths: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    let read = |path: &Path| {
        let size = std::fs::metadata(path).map_err(|why| why.to_string())?.len();
        if size > LARGEST {
            return Err(format!("it is larger than {} KiB", LARGEST >> 10));
        }
        std::fs::read_to_string(path).map_err(|why| why.to_string())
    };
    let named = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    paths.iter().map(|path| (named(path), read(path), path.display().to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_of_creels_is_whole_and_tells_the_verdicts_apart() {
        for (name, text) in BUILTIN {
            let theme = Theme::parse(name, text).unwrap();
            assert_eq!(theme.styles.len(), ROLES.len());
            for depth in [Depth::Many, Depth::True] {
                let verdicts =
                    [Paint::Good, Paint::Bad, Paint::Warning, Paint::Dim].map(|paint| theme.style(paint, depth));
                for (at, style) in verdicts.iter().enumerate() {
                    assert!(!verdicts[..at].contains(style), "{name}: {style:?}");
                }
                assert_ne!(theme.style(Paint::Selected, depth), theme.style(Paint::Resting, depth), "{name}");
            }
            assert_eq!(theme.is_plain, *name == "terminal");
        }
    }

    /// How far a part of a colour lets light through (WCAG 2.2, relative luminance).
    fn luminance(colour: Color) -> f64 {
        let Color::Rgb(red, green, blue) = colour else { panic!("{colour:?} is not a theme's own") };
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
    }

    #[test]
    fn every_text_stands_out_from_what_is_behind_it() {
        for (name, text) in BUILTIN.iter().filter(|(name, _)| *name != "terminal") {
            let theme = Theme::parse(name, text).unwrap();
            let plain = theme.style(Paint::Plain, Depth::True);
            let resting = theme.style(Paint::Resting, Depth::True);
            for (paint, role, _) in ROLES.iter().filter(|(paint, ..)| *paint != Paint::Rule) {
                let style = plain.patch(theme.style(*paint, Depth::True));
                // On the selected row of a pane without the keys the cells keep their colours.
                let rests = resting.fg.is_none() && theme.style(*paint, Depth::True).bg.is_none();
                for behind in [style.bg, resting.bg.filter(|_| rests)].into_iter().flatten() {
                    let (a, b) = (luminance(style.fg.unwrap()), luminance(behind));
                    let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                    assert!(contrast >= 4.5, "{name}: {role} has a contrast of {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_the_nearest_name() {
        let failed = |text| Theme::parse("mine", text).unwrap_err();
        assert!(failed("[style]\ngoood = \"red\"").contains("`good`"));
        assert!(failed("[style]\n\ngood = 1").contains("line 3"), "{}", failed("[style]\n\ngood = 1"));
        assert!(failed("[style]\ngood = \"reddish\"").contains("`good`: `reddish` is no colour"));
    }

    #[test]
    fn a_role_that_is_left_out_is_as_its_base() {
        let theme = Theme::parse("mine", "[style]\ndim = \"#808080\"").unwrap();
        let rule = theme.style(Paint::Rule, Depth::True);
        assert_eq!(rule.fg, Some(Color::Rgb(128, 128, 128)));
        assert_eq!(theme.style(Paint::Rule, Depth::Many).fg, Some(Color::Indexed(244)));
        assert_eq!(theme.style(Paint::Good, Depth::True), Style::new());
    }

    #[test]
    fn a_folders_theme_comes_before_creels_and_a_broken_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dark.toml"), "[style]\nbrand = \"red\"").unwrap();
        std::fs::write(folder.path().join("broken.toml"), "[").unwrap();
        let (themes, failures) = all(Some(folder.path()));
        let names: Vec<_> = themes.iter().map(|theme| &theme.name[..]).collect();
        assert_eq!(names, ["dark", "light", "high-contrast", "terminal"]);
        assert_eq!(themes[0].style(Paint::Brand, Depth::True).fg, Some(Color::Red));
        assert!(failures[0].to_string().contains("broken.toml"), "{failures:?}");
    }
}
