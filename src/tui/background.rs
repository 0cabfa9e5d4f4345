//! Whether the terminal's background is light.
//!
//! The terminal is asked (OSC 11), and right after it for what kind it is (DA1), which every terminal answers: so that one
//! that does not know the first question is not waited for. What answers neither is waited for [`PATIENCE`].

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// How long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(150);

/// Whether the background is light: what the terminal says, else `COLORFGBG`, else dark. And what was typed meanwhile,
/// which came on the same way as the answer.
pub(super) fn is_light() -> (bool, Vec<KeyEvent>) {
    let answer = ask().unwrap_or_default();
    let by_variable = || light_by_variable(&std::env::var("COLORFGBG").ok()?);
    (light_in(&answer).or_else(by_variable).unwrap_or(false), typed(&answer))
}

/// The keys that stand among the answers: characters, Enter, Tab, and those with Ctrl.
fn typed(answer: &[u8]) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut rest = answer;
    while let Some((first, after)) = rest.split_first() {
        let sequence = match (first, after.first()) {
            // To its end: ST or BEL, whichever is first.
            (0x1b, Some(b']')) => after.iter().position(|b| [0x07, b'\\'].contains(b)),
            (0x1b, Some(b'[')) => after.iter().skip(1).position(|b| (0x40..0x7f).contains(b)).map(|at| at + 1),
            _ => None,
        };
        if let Some(end) = sequence {
            rest = after.get(end + 1..).unwrap_or_default();
            continue;
        }
        rest = after;
        keys.push(match *first {
            0x1b => KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE),
            b'\r' | b'\n' => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
            b'\t' => KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE),
            control @ 1..=26 => KeyEvent::new(KeyCode::Char((control + b'a' - 1).into()), KeyModifiers::CONTROL),
            byte @ 0x20..=0x7e => KeyEvent::new(KeyCode::Char(byte.into()), KeyModifiers::NONE),
            _ => continue,
        });
    }
    keys
}

/// `COLORFGBG` is `fg;bg` or `fg;more;bg`, by the numbers of the sixteen colours.
fn light_by_variable(value: &str) -> Option<bool> {
    let background: u8 = value.rsplit(';').next()?.parse().ok()?;
    Some(matches!(background, 7 | 9..=15))
}

/// Whether the colour in an answer, `rgb:RRRR/GGGG/BBBB` with one to four digits each, is light.
fn light_in(answer: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(answer);
    let colour = text.split("rgb:").nth(1)?;
    let parts = colour.split(['/', '\u{7}', '\u{1b}']).take(3).map(|part| {
        let digits = part.get(..part.len().min(4))?;
        let most = (1_u32 << (4 * digits.len() as u32)) - 1;
        Some(f64::from(u32::from_str_radix(digits, 16).ok()?) / f64::from(most.max(1)))
    });
    let parts: Vec<f64> = parts.collect::<Option<_>>()?;
    let [red, green, blue] = parts[..] else { return None };
    // Rec. 709: how light a colour is to the eye.
    Some(0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5)
}

fn ask() -> Option<Vec<u8>> {
    use std::{
        io::{IsTerminal, Write, stdin, stdout},
        time::Instant,
    };

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    if !stdin().is_terminal() || !stdout().is_terminal() {
        return None;
    }
    crossterm::terminal::enable_raw_mode().ok()?;
    let mut answer = Vec::new();
    let mut out = stdout();
    let asked = out.write_all(b"\x1b]11;?\x1b\\\x1b[c").and_then(|()| out.flush());
    let end = Instant::now() + PATIENCE;
    while asked.is_ok() && !is_whole(&answer) {
        let left = end.saturating_duration_since(Instant::now());
        let wait = Timespec { tv_sec: 0, tv_nsec: left.as_nanos() as _ };
        let input = stdin();
        let ready = poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&wait)).unwrap_or(0);
        let mut bytes = [0; 256];
        // Past the buffer of the standard library, which would keep what a key thread must see.
        match (ready > 0).then(|| rustix::io::read(&input, &mut bytes)) {
            Some(Ok(count)) if count > 0 => answer.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            _ => break,
        }
    }
    crossterm::terminal::disable_raw_mode().ok()?;
    Some(answer)
}

/// Whether the answer to the second question has come: `ESC [ ? … c`.
fn is_whole(answer: &[u8]) -> bool {
    let start = answer.windows(3).position(|three| three == b"\x1b[?");
    start.is_some_and(|start| answer[start..].contains(&b'c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_is_told_by_its_light() {
        assert_eq!(light_in(b"\x1b]11;rgb:ffff/ffff/dddd\x1b\\\x1b[?62c"), Some(true));
        assert_eq!(light_in(b"\x1b]11;rgb:1c/1f/26\x07"), Some(false));
        for broken in [&b""[..], b"\x1b[?62;c", b"\x1b]11;rgb:zz/00/00\x07", b"\x1b]11;rgb:ff/ff", b"rgb:\xff"] {
            assert_eq!(light_in(broken), None);
        }
        assert_eq!(
            ["0;15", "15;0", "12;default;7", "x"].map(light_by_variable),
            [Some(true), Some(false), Some(true), None]
        );
    }

    #[test]
    fn what_was_typed_meanwhile_is_not_lost() {
        let keys = typed(b"j\x1b]11;rgb:1/2/3\x1b\\q\x1b[?62;22c\x03\r");
        let codes: Vec<_> = keys.iter().map(|key| (key.code, key.modifiers)).collect();
        let plain = |code| (code, KeyModifiers::NONE);
        let control = (KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(codes, [plain(KeyCode::Char('j')), plain(KeyCode::Char('q')), control, plain(KeyCode::Enter)]);
        assert_eq!(typed(b"\x1b").len(), 1);
    }

    #[test]
    fn the_second_answer_ends_the_waiting() {
        assert!(is_whole(b"\x1b]11;rgb:0/0/0\x07\x1b[?62;22c"));
        assert!(!is_whole(b"\x1b]11;rgb:0c/0/0\x07\x1b[?62;22"));
    }
}
