//! The screen in a real terminal: what a person sees, and the terminal whole again however it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use support::{Home, port::Port};

/// Longer than anything may take on a busy machine; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program on a terminal of its own, with the screen that its output draws and every byte of that output.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

const CREEL: &str = env!("CARGO_BIN_EXE_creel");

fn nonzero(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    ended: bool,
}

impl Terminal {
    fn start(home: &Home, args: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        Self::of(home, CREEL, args, size, env)
    }

    fn of(home: &Home, program: &str, args: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        let (rows, cols) = size;
        let pty = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(home.path());
        for name in ["NO_COLOR", "CREEL_CONFIG", "CREEL_LISTEN", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env_remove(name);
        }
        let own = [("HOME", home.path()), ("CREEL_DB", &home.db()), ("TZ", Path::new("UTC"))];
        own.iter().for_each(|(name, value)| command.env(name, value));
        [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")]
            .iter()
            .chain(env)
            .for_each(|(n, v)| command.env(n, v));
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let seen = Arc::new((
            Mutex::new(Seen {
                screen: vt100::Parser::new(nonzero(rows), nonzero(cols), 0),
                bytes: Vec::new(),
                ended: false,
            }),
            Condvar::new(),
        ));
        let (mut reader, heard) = (pty.master.try_clone_reader().unwrap(), Arc::clone(&seen));
        thread::spawn(move || {
            let mut part = [0; 8192];
            loop {
                let n = reader.read(&mut part).unwrap_or(0);
                let mut seen = heard.0.lock().unwrap();
                seen.screen.process(&part[..n]);
                seen.bytes.extend_from_slice(&part[..n]);
                seen.ended = n == 0;
                heard.1.notify_all();
                if n == 0 {
                    break;
                }
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { master: pty.master, child, keys, seen }
    }

    fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen is as wanted, and gives its text.
    fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let (lock, changed) = &*self.seen;
        let until = Instant::now() + PATIENCE;
        let mut seen = lock.lock().unwrap();
        loop {
            let text = seen.screen.screen().contents();
            if wanted(&text) {
                return text;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.ended, "never saw {what}:\n{text}");
            seen = changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    fn wait_for(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Where the server listens, read from the screen.
    fn address(&self) -> String {
        let screen = self.wait_for("http://127.0.0.1:");
        let after = screen.split("http://").nth(1).unwrap();
        after.split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit()).next().unwrap().to_owned()
    }

    fn pid(&self) -> String {
        self.child.process_id().unwrap().to_string()
    }

    /// Waits for the end: the exit code, and what the program left on the terminal.
    fn end(mut self) -> (u32, Ended) {
        let (lock, changed) = &*self.seen;
        let waiting = changed.wait_timeout_while(lock.lock().unwrap(), PATIENCE, |seen| !seen.ended);
        let (seen, late) = waiting.unwrap();
        if late.timed_out() {
            self.child.kill().unwrap();
            panic!("it did not end:\n{}", seen.screen.screen().contents());
        }
        let code = self.child.wait().unwrap().exit_code();
        let screen = seen.screen.screen();
        let ended = Ended {
            alternate: screen.alternate_screen(),
            cursor_hidden: screen.hide_cursor(),
            paste: screen.bracketed_paste(),
            mouse: screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
            text: screen.contents(),
            bytes: seen.bytes.clone(),
        };
        drop(self.master);
        (code, ended)
    }
}

struct Ended {
    alternate: bool,
    cursor_hidden: bool,
    paste: bool,
    mouse: bool,
    text: String,
    bytes: Vec<u8>,
}

impl Ended {
    fn assert_whole(&self, how: &str) {
        assert!(
            !self.alternate && !self.cursor_hidden && !self.paste && !self.mouse,
            "after {how} the terminal is not whole"
        );
    }
}

fn post(address: &str, head: &[u8], body: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head).unwrap();
    stream
        .write_all(format!("Host: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes())
        .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

fn creel(home: &Home, size: (u16, u16)) -> Terminal {
    Terminal::start(home, &["--listen", "127.0.0.1:0"], size, &[])
}

#[test]
fn a_newcomer_sees_where_to_send_and_then_what_came() {
    let home = Home::new();
    let mut terminal = creel(&home, (24, 80));
    let address = terminal.address();
    let screen = terminal.wait_for("curl");
    assert!(screen.contains(&address), "{screen}");
    post(&address, b"POST /first HTTP/1.1\r\n", b"{\"hello\":\"creel\"}");
    terminal.wait_for("/first");
    terminal.keys("\r");
    let screen = terminal.wait_for("\"hello\"");
    assert!(screen.contains("Overview") && screen.contains("no provider creel knows"), "{screen}");
    terminal.keys("q");
    let (code, ended) = terminal.end();
    assert_eq!(code, 0);
    ended.assert_whole("quit");
}

#[test]
fn the_terminal_is_whole_after_every_signal() {
    for signal in ["TERM", "INT", "HUP"] {
        let home = Home::new();
        let terminal = creel(&home, (24, 80));
        terminal.address();
        assert!(Command::new("kill").args([&format!("-{signal}"), &terminal.pid()]).status().unwrap().success());
        let (code, ended) = terminal.end();
        assert_eq!(code, 0, "{signal}");
        ended.assert_whole(signal);
    }
}

#[test]
fn the_terminal_is_whole_where_it_is_quit_by_force() {
    let home = Home::new();
    let mut terminal = creel(&home, (24, 80));
    terminal.address();
    let is_cooked = is_cooked(&terminal);
    assert!(!is_cooked());
    assert!(Command::new("kill").args(["-QUIT", &terminal.pid()]).status().unwrap().success());
    let ended = terminal.child.wait().unwrap();
    assert!(ended.signal().is_some_and(|signal| signal.starts_with("Quit")), "{ended:?}");
    assert!(is_cooked(), "the terminal reads lines again");
    terminal.end().1.assert_whole("QUIT");
}

/// The first column of a terminal is 1; the debug build of what reads its reports would end at a 0.
#[test]
fn a_mouse_outside_the_terminal_ends_nothing() {
    let home = Home::new();
    let mut terminal = creel(&home, (24, 120));
    post(&terminal.address(), b"POST /first HTTP/1.1\r\n", b"{}");
    terminal.wait_for("/first");
    for button in ["0", "32", "64", "65", "66", "67"] {
        terminal.keys(&format!("\x1b[<{button};0;5M\x1b[<{button};5;0M\x1b[<{button};0;0m\x1b[<{button};65535;65535M"));
    }
    terminal.keys("?");
    terminal.wait_for("Moving");
    terminal.keys("q");
    let (code, ended) = terminal.end();
    assert_eq!(code, 0);
    assert!(!ended.text.contains("failed"), "{}", ended.text);
}

#[test]
fn a_terminal_that_is_closed_ends_it_in_order() {
    let home = Home::new();
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_creel"));
    command.args(["--listen", "127.0.0.1:0", "--db"]);
    command.arg(home.db());
    command.cwd(home.path());
    command.env("TERM", "xterm-256color");
    command.env("HOME", home.path());
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let (mut screen, mut seen, mut part) = (pty.master.try_clone_reader().unwrap(), Vec::new(), [0; 4096]);
    while !seen.windows(7).any(|w| w == b"http://") {
        let n = screen.read(&mut part).unwrap();
        seen.extend_from_slice(&part[..n]);
    }
    // The window is closed: nobody reads what creel writes, and all that it writes fails.
    drop((screen, pty.master));
    assert_eq!(child.wait().unwrap().exit_code(), 0);
}

/// Only builds for debugging, as tests have them, know where to fail.
#[cfg(debug_assertions)]
#[test]
fn the_terminal_is_whole_after_a_panic_of_the_screen() {
    let home = Home::new();
    let (code, ended) =
        Terminal::start(&home, &["--listen", "127.0.0.1:0"], (24, 80), &[("CREEL_FAULT", "screen")]).end();
    assert_eq!(code, 2);
    ended.assert_whole("a panic of the screen");
    assert!(ended.text.contains("a fault was asked for at the screen"), "{}", ended.text);
    assert!(!ended.text.contains("backtrace"), "{}", ended.text);
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_on_another_thread_is_told_and_the_screen_goes_on() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["--listen", "127.0.0.1:0"], (24, 120), &[("CREEL_FAULT", "worker")]);
    let address = terminal.address();
    post(&address, b"POST /first HTTP/1.1\r\n", b"{}");
    terminal.wait_for("a part of creel failed");
    // It still catches, lists and answers keys.
    post(&address, b"POST /second HTTP/1.1\r\n", b"{}");
    terminal.wait_for("/second");
    terminal.keys("?");
    terminal.wait_for("Moving");
    terminal.keys("q");
    let (code, ended) = terminal.end();
    assert_eq!(code, 0);
    ended.assert_whole("a panic on another thread");
    assert!(ended.text.contains("a fault was asked for at the worker"), "{}", ended.text);
}

#[cfg(debug_assertions)]
#[test]
fn a_screen_that_can_hear_no_keys_ends_and_says_why() {
    let home = Home::new();
    let (_, ended) = Terminal::start(&home, &["--listen", "127.0.0.1:0"], (24, 80), &[("CREEL_FAULT", "keys")]).end();
    ended.assert_whole("keys that cannot be read");
    assert!(ended.text.contains("a fault was asked for at the keys"), "{}", ended.text);
}

#[test]
fn an_error_before_the_screen_is_plain_words() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    let (code, ended) = Terminal::start(&home, &[], (24, 80), &[("CREEL_LISTEN", &serving.address.to_string())]).end();
    assert_eq!(code, 2);
    ended.assert_whole("an error");
    assert!(ended.text.contains("taken by another creel") && ended.text.contains("creel watch"), "{}", ended.text);
}

#[test]
fn keys_that_cannot_be_leave_all_that_is_saved_with_them_as_it_was() {
    let home = Home::new();
    let endpoint = "[[endpoint]]\nname = \"shop\"\npath = \"/shop\"\n";
    home.write("creel.toml", "");
    let mut terminal = creel(&home, (24, 120));
    let address = terminal.address();
    home.write("creel.toml", format!("[keys]\ndown = \"n\"\n{endpoint}"));
    let screen = terminal.wait_for("`n` is bound to `find-next` already");
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("creel goes on as before"), "{screen}");
    post(&address, b"POST /shop/1 HTTP/1.1\r\n", b"{}");
    assert_eq!(home.captures()[0]["endpoint"], "default");
    home.write("creel.toml", format!("[keys]\ndown = [\"j\", \"ctrl-n\"]\n{endpoint}"));
    terminal.wait_for("endpoint shop is new");
    post(&address, b"POST /shop/2 HTTP/1.1\r\n", b"{}");
    assert_eq!(home.captures()[1]["endpoint"], "shop");
    terminal.keys("q");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn watch_shows_what_another_process_catches() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/before", &[], b"{}");
    let mut terminal = Terminal::start(&home, &["watch"], (24, 80), &[]);
    terminal.wait_for("/before");
    serving.post("/after", &[], b"{}");
    terminal.wait_for("/after");
    terminal.keys("q");
    terminal.end().1.assert_whole("quit");
}

#[test]
fn a_screen_that_is_stopped_leaves_the_terminal_to_the_shell_and_comes_back() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/before", &[], b"{}");
    let script = "set -m; \"$0\" watch; echo it stands still; read line; fg; echo over: $?";
    let mut terminal = Terminal::of(&home, "sh", &["-c", script, CREEL], (24, 80), &[]);
    terminal.wait_for("/before");
    terminal.keys("\u{1a}");
    let shell = terminal.wait_for("it stands still");
    assert!(!shell.contains("/before"), "{shell}");
    serving.post("/meanwhile", &[], b"{}");
    terminal.keys("\n");
    terminal.wait_for("/meanwhile");
    terminal.keys("q");
    let (_, ended) = terminal.end();
    ended.assert_whole("stopping and going on");
    let places = ["it stands still", "over: 0"].map(|words| ended.text.find(words));
    assert!(places[0].is_some() && places[0] < places[1], "nothing is written over: {}", ended.text);
}

#[test]
fn any_number_of_screens_watch_one_creel_live() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/first", &[], b"{}");
    let mut screens: Vec<_> = (0..3).map(|_| Terminal::start(&home, &["watch"], (24, 80), &[])).collect();
    screens.iter().for_each(|screen| drop(screen.wait_for("/first")));
    serving.post("/second", &[], b"{}");
    screens.iter().for_each(|screen| drop(screen.wait_for("/second")));
    // What one person says, all see.
    screens[0].keys(" ");
    for screen in &screens {
        screen.wait("the mark", |text| text.lines().any(|row| row.starts_with('●') && row.contains("/second")));
    }
    for mut screen in screens {
        screen.keys("q");
        let (code, ended) = screen.end();
        assert_eq!(code, 0);
        ended.assert_whole("q");
    }
}

/// Keys at random, and sizes down to a single cell: it goes on, and the terminal is whole at the end.
#[test]
fn a_monkey_at_the_keys_breaks_nothing() {
    // Keys of the list and of how it looks; none that sends, or that a shell could get to see. Escape is written in its long form
    // (CSI 27 u): a bare ESC byte that happened to be read alone with what follows would open a sequence that eats the keys after it,
    // the last ones among them.
    const KEYS: &[&str] = &[
        "j",
        "k",
        "g",
        "G",
        "\r",
        "\x1b[27u",
        "\t",
        "l",
        "h",
        "1",
        "2",
        "3",
        "4",
        "5",
        " ",
        "p",
        "P",
        ";",
        "o",
        "t",
        "X",
        "x",
        "z",
        "]",
        "[",
        "S",
        "T",
        "M",
        "?",
        "/",
        "m",
        "v",
        "\x1b[<0;5;5M",
        "\x1b[<0;5;5m",
        "\x1b[<65;9;9M",
        "\x1b[<32;40;5M",
        "~",
    ];
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for path in ["/a", "/b", "/c", "/d"] {
        serving.post(path, &[], br#"{"a":[1,2,{"b":"c"}]}"#);
    }
    let mut terminal = Terminal::start(&home, &["watch"], (24, 80), &[]);
    terminal.wait_for("/d");
    let mut chance: u64 = 0x2545_f491_4f6c_dd1d;
    let mut next = |below: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        (chance % below as u64) as usize
    };
    for turn in 0..600 {
        terminal.keys(KEYS[next(KEYS.len())]);
        if turn % 20 == 0 {
            let (rows, cols) = [(1, 1), (2, 7), (24, 80), (60, 200), (5, 30)][next(5)];
            terminal.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        }
    }
    terminal.master.resize(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
    // The first may only leave a prompt, or belong to an Escape before it.
    terminal.keys("\x03\x03\x03");
    let (code, ended) = terminal.end();
    assert_eq!(code, 0, "{}", ended.text);
    ended.assert_whole("a monkey");
    assert!(!ended.text.contains("failed"), "{}", ended.text);
}

#[test]
fn a_resend_shows_in_its_row() {
    let home = Home::new();
    let nobody = Port::reserved();
    let forward = nobody.url();
    let mut terminal = Terminal::start(&home, &["--listen", "127.0.0.1:0", "--forward", &forward], (30, 120), &[]);
    let address = terminal.address();
    post(&address, b"POST /x HTTP/1.1\r\n", b"{}");
    terminal.wait_for("/x");
    terminal.keys("r");
    terminal.wait_for("connection refused");
    terminal.keys("q");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn a_capture_is_seen_through_a_program_and_nothing_is_sent() {
    let home = Home::new();
    let mut terminal = creel(&home, (30, 100));
    let address = terminal.address();
    post(&address, b"POST /x HTTP/1.1\r\n", b"{\"n\":1,\"kept\":true}");
    terminal.wait_for("/x");
    terminal.keys("f");
    terminal.wait_for("jq on the body of #1:");
    terminal.keys(".n = (\r");
    terminal.wait_for("closing parenthesis expected");
    terminal.keys("2)\r");
    let screen = terminal.wait_for("#1 by jq: 1 difference");
    assert!(screen.contains("- 1") && screen.contains("+ 2") && screen.contains("the same: request"), "{screen}");
    terminal.keys("\u{1b}");
    terminal.wait("the list", |screen| !screen.contains("by jq"));
    terminal.keys("q");
    assert_eq!(terminal.end().0, 0);
    assert!(home.yes(&["show", "1", "--json"]).contains("\"deliveries\":[]"), "nothing was sent");
}

/// What creel itself asks a terminal: the colour of its background.
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// Everything a terminal might obey, in every field a sender fills.
#[test]
fn no_payload_byte_reaches_the_terminal_unescaped() {
    const EVIL: &[&[u8]] = &[
        b"\x1b]0;owned\x07",
        b"\x1b]52;c;b3duZWQ=\x07",
        b"\x1b[2J",
        b"\x1b[?1049l",
        b"\x1bP+q\x1b\\",
        b"\x9b31m",
        b"\x07",
        b"\x0e",
        b"\xc2\x9b2J",
        "\u{202e}evil".as_bytes(),
        "\u{200b}\u{200d}".as_bytes(),
        "\u{e0041}".as_bytes(),
        b"\x08\x08\x7f",
    ];
    let home = Home::new();
    let mut terminal = creel(&home, (40, 160));
    let address = terminal.address();
    for (n, evil) in EVIL.iter().enumerate() {
        let printable: Vec<u8> = evil.iter().copied().filter(|b| *b >= 0x80 || (0x21..0x7f).contains(b)).collect();
        // What is not UTF-8 cannot be in a target; as a header's value it can.
        let target = if std::str::from_utf8(&printable).is_ok() { &printable[..] } else { b"raw" };
        let number = format!("/{n}");
        let parts = [
            b"POST /",
            target,
            number.as_bytes(),
            b" HTTP/1.1\r\nX-Evil: ",
            &printable,
            b"\r\nContent-Type: application/json\r\n",
        ];
        let head = parts.concat();
        post(&address, &head, &[b"{\"evil\":\"", *evil, b"\"}", b"\n", *evil].concat());
    }
    terminal.wait(&format!("row {}", EVIL.len()), |screen| screen.contains(&format!("{} ", EVIL.len())));
    // Through every capture and every tab of it.
    terminal.keys("g\r");
    for _ in EVIL {
        terminal.keys("12345");
        // An escape with a key right behind it would be that key with Alt.
        terminal.keys("\x1b");
        terminal.wait_for("enter open");
        terminal.keys("j\r");
        terminal.wait_for("esc back");
    }
    terminal.keys("?");
    terminal.wait_for("Moving");
    terminal.keys("q");
    let (_, ended) = terminal.end();
    ended.assert_whole("hostile payloads");
    // creel itself sends one operating system command, the question for the background, no device control string and no bell.
    let asked = ended.bytes.windows(QUESTION.len()).position(|w| w == QUESTION).expect("the background is asked for");
    let bytes = [&ended.bytes[..asked], &ended.bytes[asked + QUESTION.len()..]].concat();
    for needle in
        [&b"\x1b]"[..], b"\x1bP", b"\x07", b"\x0e", b"\xc2\x9b", b"\xe2\x80\xae", b"\xe2\x80\x8b", b"\xf3\xa0\x81\x81"]
    {
        assert!(
            !bytes.windows(needle.len()).any(|w| w == needle),
            "{:?} reached the terminal",
            String::from_utf8_lossy(needle)
        );
    }
}

#[test]
fn the_smallest_and_the_largest_terminal_and_no_colour() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/some/path", &[], b"{\"a\":1}");
    for (size, env) in [
        ((10, 40), &[][..]),
        ((100, 300), &[]),
        ((24, 80), &[("NO_COLOR", "1")]),
        ((1, 1), &[]),
        ((24, 80), &[("TERM", "dumb")]),
    ] {
        let mut terminal = Terminal::start(&home, &["watch"], size, env);
        if size.0 > 1 {
            terminal.wait_for("/some");
        } else {
            terminal.wait("anything", |text| !text.is_empty() || size == (1, 1));
        }
        terminal.keys("\r12345q");
        let colours = { String::from_utf8_lossy(&terminal.seen.0.lock().unwrap().bytes).contains("\x1b[38;") };
        let (code, ended) = {
            terminal.keys("qq");
            terminal.end()
        };
        assert_eq!(code, 0, "{size:?} {env:?}");
        ended.assert_whole("quit");
        assert!(!(colours && env.contains(&("NO_COLOR", "1"))), "colours in spite of NO_COLOR");
    }
}

#[test]
fn resizing_at_random_breaks_nothing() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for n in 0..30 {
        serving.post(&format!("/{n}"), &[], b"{\"a\":[1,2,3]}");
    }
    let mut terminal = Terminal::start(&home, &["watch"], (24, 80), &[]);
    terminal.wait_for("/29");
    let mut seed = 7_u32;
    for _ in 0..200 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (rows, cols) = (1 + (seed >> 8) % 60, 1 + (seed >> 16) % 200);
        terminal
            .master
            .resize(PtySize { rows: rows as u16, cols: cols as u16, pixel_width: 0, pixel_height: 0 })
            .unwrap();
        let keys = b"jkgG\rhl1234\t/?v";
        let key = keys[(seed >> 20) as usize % keys.len()];
        terminal.keys.write_all(&[key, 0x1b]).unwrap();
    }
    terminal.master.resize(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
    assert!(Command::new("kill").args(["-TERM", &terminal.pid()]).status().unwrap().success());
    let (code, ended) = terminal.end();
    assert_eq!(code, 0);
    ended.assert_whole("200 sizes");
}

/// Processor time of a process so far (proc(5): `stat`, fields 14 and 15, in ticks of 10 ms).
#[cfg(target_os = "linux")]
fn processor_ticks(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().split(' ').skip(11).take(2).map(|f| f.parse::<u64>().unwrap()).sum()
}

/// An idle screen blocks. Two seconds of wall time cost it no tick of 10 ms, or one that was just beginning.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_screen_uses_no_processor() {
    let home = Home::new();
    let mut terminal = creel(&home, (40, 120));
    let address = terminal.address();
    post(&address, b"POST /x HTTP/1.1\r\n", b"{}");
    terminal.wait_for("/x");
    // The rate in the header runs out within seconds; then nothing is left to draw.
    let pid = terminal.pid();
    let mut quiet = false;
    for _ in 0..20 {
        let before = processor_ticks(&pid);
        thread::park_timeout(Duration::from_secs(1));
        quiet = processor_ticks(&pid) - before == 0;
        if quiet {
            break;
        }
    }
    terminal.keys("q");
    terminal.end();
    assert!(quiet, "the idle screen kept the processor busy for twenty seconds");
}

#[test]
fn used_filters_and_named_ones_outlive_the_screen() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    serving.post("/small", &[], b"{}");
    let mut terminal = Terminal::start(&home, &["watch"], (24, 80), &[]);
    terminal.wait_for("/small");
    terminal.keys("/path:/small");
    terminal.wait("the filter in force", |screen| screen.contains("filter: path:/small") && screen.contains("caught"));
    terminal.keys("\x13");
    terminal.wait_for("save this filter as @");
    terminal.keys("small\r");
    terminal.wait_for("@small is path:/small");
    // It has its name before the screen is left.
    assert!(home.yes(&["ls", "@small"]).contains("/small"));
    terminal.keys("\x1b");
    terminal.wait("no filter", |screen| !screen.contains("filter: "));
    terminal.keys("/size<9\r");
    terminal.wait("the other filter", |screen| screen.contains("filter: size<9") && screen.contains("j/k"));
    terminal.keys("q");
    assert_eq!(terminal.end().0, 0);
    let mut terminal = Terminal::start(&home, &["watch"], (24, 80), &[]);
    terminal.wait_for("filter: size<9");
    terminal.keys("/\x10");
    terminal
        .wait("the filter before it", |screen| screen.lines().last().is_some_and(|row| row.contains("path:/small")));
    terminal.keys("\x15@sm\t\r");
    terminal.wait("the name", |screen| screen.contains("filter: @small") && screen.contains("/small"));
    terminal.keys("q");
    assert_eq!(terminal.end().0, 0);
    assert!(home.yes(&["ls", "@small"]).contains("/small"), "leaving the screen forgets no name");
}

/// A home with an editor that runs those lines of shell, its file as `$1`.
fn with_editor(lines: &str) -> (Home, String) {
    let home = Home::new();
    let path = home.write("editor", format!("#!/bin/sh\n{lines}\n"));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = path.display().to_string();
    (home, path)
}

fn with_a_capture(home: &Home, editor: &str) -> Terminal {
    let terminal = Terminal::start(home, &["--listen", "127.0.0.1:0"], (24, 80), &[("VISUAL", editor)]);
    post(&terminal.address(), b"POST /first HTTP/1.1\r\nX-Mine: a\r\n", b"{\"n\": 1}");
    terminal.wait_for("/first");
    terminal
}

/// Whether the terminal reads lines and shows what is typed, as before the program.
fn is_cooked(terminal: &Terminal) -> impl Fn() -> bool + use<> {
    let name = terminal.master.tty_name().unwrap();
    move || {
        let modes = Command::new("stty").arg("-a").stdin(std::fs::File::open(&name).unwrap()).output().unwrap();
        let modes = String::from_utf8_lossy(&modes.stdout).into_owned();
        modes.contains(" icanon") && modes.contains(" echo ") && !modes.contains("-icanon")
    }
}

#[test]
fn the_editor_has_the_terminal_and_all_that_is_typed_until_it_ends() {
    let (home, editor) = with_editor(
        "printf 'in the editor\\n'; read typed; sed -i \"s/\\\"n\\\": 1/\\\"n\\\": $typed/\" \"$1\"; test \"$typed\" = q7",
    );
    let mut terminal = with_a_capture(&home, &editor);
    terminal.keys("e");
    terminal.wait("the editor and nothing of creel", |text| text.contains("in the editor") && !text.contains("/first"));
    // Not one of these is creel's.
    terminal.keys("q7\r");
    let screen = terminal.wait_for("its body was JSON and is none any more");
    assert!(screen.contains("resend as it is, broken") && !screen.contains("in the editor"), "{screen}");
    terminal.keys("save\r");
    terminal.wait_for("#2 is an edited #1");
    terminal.keys("q");
    let (code, ended) = terminal.end();
    assert_eq!(code, 0);
    ended.assert_whole("an editor");
    assert_eq!(home.yes(&["show", "2", "--body"]), "{\"n\": q7}");
}

#[test]
fn an_editor_that_is_killed_leaves_no_trace_on_the_terminal() {
    let (home, editor) = with_editor("stty raw -echo; printf '\\033[?1049h\\033[?1003h\\033[5;9r\\033[7m'; kill -9 $$");
    let mut terminal = with_a_capture(&home, &editor);
    let is_cooked = is_cooked(&terminal);
    terminal.keys("e");
    let screen = terminal.wait_for("it ended with signal: 9");
    assert!(screen.contains("/first"), "{screen}");
    terminal.keys("?");
    terminal.wait_for("Moving");
    assert!(!is_cooked(), "the screen reads keys one by one");
    terminal.keys("q");
    assert_eq!(terminal.child.wait().unwrap().exit_code(), 0);
    assert!(is_cooked(), "the terminal reads lines again");
    terminal.end().1.assert_whole("a killed editor");
}

#[test]
fn a_person_is_asked_what_becomes_of_json_that_broke() {
    let (home, editor) = with_editor("sed -i 's/: 1}$/: 1/; t; s/: 1$/: 2}/' \"$1\"");
    let serving = home.serve(&[]);
    serving.post("/first", &[], b"{\"n\": 1}");
    let mut terminal = Terminal::start(&home, &["resend", "1", "--edit", "--save"], (24, 80), &[("VISUAL", &editor)]);
    terminal.wait_for("e edits it again, s sends it as it is, q gives up");
    terminal.keys("e\r");
    terminal.wait_for("#2 is an edited #1");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(home.yes(&["show", "2", "--body"]), "{\"n\": 2}");
}
