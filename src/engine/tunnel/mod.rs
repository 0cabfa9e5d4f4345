//! The user's own tunnel: its command is run as long as creel runs, its public address is found in what it prints, and it
//! is started again when it dies.
//!
//! creel opens no tunnel by itself and knows no service: whatever command prints a URL will do.

mod address;

use std::{
    fmt,
    io::Read,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use self::address::{Finder, without_colours};
use crate::record::Failure;

/// How long the first new start waits; each further one twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest wait before a new start.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A tunnel that stood so long did not fail at its start: the next pause is the first one again.
const STOOD: Duration = Duration::from_secs(60);
/// How long a tunnel that is asked to end may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest line that is looked at, in bytes; of a longer one its first part is.
const LINE: usize = 4096;

/// Runs the command of `$1` with nothing to read, and ends it when creel closes this shell's input, or is no more: a
/// killed creel leaves no tunnel behind.
const KEEPER: &str = "exec 3<&0; sh -c \"$1\" 3<&- </dev/null & tunnel=$!
{ cat <&3 >/dev/null; kill -TERM 0; } 2>/dev/null &
wait $tunnel; status=$?; trap '' TERM; kill -TERM 0; exit $status";

/// How a tunnel stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, and has not said where it leads.
    Starting,
    /// It leads here from that URL.
    Open(String),
    /// It died, for that reason, and is started again after so many seconds.
    Down(String, u64),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("the tunnel is starting; no URL in what it prints yet"),
            Self::Open(url) => write!(f, "the tunnel leads here from {url}"),
            Self::Down(why, seconds) => write!(f, "the tunnel died ({why}); again in {seconds} s"),
        }
    }
}

/// How it stands, for who looks.
#[derive(Clone, Debug)]
pub struct Outlook(Arc<Mutex<State>>);

impl Outlook {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State::Starting)))
    }

    /// How it stands now.
    pub fn state(&self) -> State {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The public URL, where there is one.
    pub fn url(&self) -> Option<String> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open(url) => Some(url.clone()),
            State::Starting | State::Down(..) => None,
        }
    }
}

/// A tunnel that is kept up.
pub(super) struct Tunnel {
    stop: Sender<Event>,
    thread: JoinHandle<()>,
}

/// What the keeper waits for.
enum Event {
    Line(String),
    /// One of its two outputs ended.
    Ended,
    Stop,
}

impl Tunnel {
    /// Starts a command, in which `{port}` is the port that leads here; `changed` is called at each change.
    pub(super) fn start(
        command: &str,
        port: u16,
        outlook: Outlook,
        changed: impl Fn() + Send + 'static,
    ) -> Result<Self, Failure> {
        let command = command.replace("{port}", &port.to_string());
        let (stop, events) = mpsc::channel();
        let keeper = Keeper { command, port, outlook, changed: Box::new(changed), sender: stop.clone(), events };
        let thread = super::spawn("creel-tunnel", move || keeper.run())?;
        Ok(Self { stop, thread })
    }

    /// Ends it, and all that it started.
    pub(super) fn stop(self) {
        let _ = self.stop.send(Event::Stop);
        let _ = self.thread.join();
    }
}

struct Keeper {
    command: String,
    port: u16,
    outlook: Outlook,
    changed: Box<dyn Fn() + Send>,
    sender: Sender<Event>,
    events: Receiver<Event>,
}

impl Keeper {
    fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            self.set(State::Starting);
            let Some((why, child)) = self.once() else { return };
            if began.elapsed() >= STOOD {
                pause = FIRST_PAUSE;
            }
            self.set(State::Down(why, pause.as_secs()));
            // What is left of it may take its time, and is nobody's news.
            child.into_iter().for_each(end);
            if self.rest(pause) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn set(&self, state: State) {
        *self.outlook.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
        (self.changed)();
    }

    /// Waits; true where it is to stop.
    fn rest(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// Runs the command to its end and gives the reason of it, and what is still to be ended; none where it is to stop.
    fn once(&self) -> Option<(String, Option<Child>)> {
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(why) => return Some((why.to_string(), None)),
        };
        let outputs = [
            child.stdout.take().map(|output| self.listen(output)),
            child.stderr.take().map(|output| self.listen(output)),
        ];
        let mut open = outputs.iter().flatten().flatten().count();
        let (mut finder, mut last) = (Finder::new(&self.command, self.port), String::new());
        while open > 0 {
            match self.events.recv() {
                Ok(Event::Line(line)) => {
                    if let Some(url) = finder.look(&line) {
                        self.set(State::Open(url));
                    }
                    // ssh ends its lines with both, and between the two stands nothing.
                    last = Some(without_colours(&line)).filter(|line| !line.trim().is_empty()).unwrap_or(last);
                }
                Ok(Event::Ended) => open -= 1,
                Ok(Event::Stop) | Err(_) => {
                    end(child);
                    return None;
                }
            }
        }
        let status = child.wait().map_or_else(|why| why.to_string(), |status| status.to_string());
        let why = if last.trim().is_empty() { status } else { format!("{status}: {}", last.trim()) };
        Some((why, Some(child)))
    }

    fn spawn(&self) -> std::io::Result<Child> {
        Command::new("sh")
            .args(["-c", KEEPER, "creel-tunnel", &self.command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }

    /// Hands on an output line by line.
    fn listen(&self, output: impl Read + Send + 'static) -> Result<JoinHandle<()>, Failure> {
        let lines = self.sender.clone();
        super::spawn("creel-tunnel-out", move || {
            read_lines(output, |line| drop(lines.send(Event::Line(line))));
            let _ = lines.send(Event::Ended);
        })
    }
}

/// Reads lines that end with a line feed or a carriage return, each up to [`LINE`].
fn read_lines(mut output: impl Read, mut hear: impl FnMut(String)) {
    let (mut line, mut part) = (Vec::new(), [0; LINE]);
    while let Ok(read) = output.read(&mut part) {
        if read == 0 {
            break;
        }
        for &byte in &part[..read] {
            if matches!(byte, b'\n' | b'\r') {
                hear(String::from_utf8_lossy(&line).into_owned());
                line.clear();
            } else if line.len() < LINE {
                line.push(byte);
            }
        }
    }
    if !line.is_empty() {
        hear(String::from_utf8_lossy(&line).into_owned());
    }
}

/// Ends a child and all of its process group: asked first, then made to.
fn end(mut child: Child) {
    // Its input ends, which the keeper's shell takes for the end of creel.
    drop(child.stdin.take());
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let Some(group) = group else { return };
    let _ = kill_process_group(group, Signal::TERM);
    let until = Instant::now() + PATIENCE;
    // Whoever of the group is left can be found by signalling nobody.
    while Instant::now() < until && (child.try_wait().is_ok_and(|ended| ended.is_none()) || is_there(group)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    if is_there(group) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

fn is_there(group: Pid) -> bool {
    rustix::process::test_kill_process_group(group).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_they_end_and_where_they_are_too_long() {
        let long = "x".repeat(2 * LINE);
        let mut lines = Vec::new();
        read_lines(format!("a\rb\n\n{long}\nlast").as_bytes(), |line| lines.push(line));
        assert_eq!(lines, ["a", "b", "", &long[..LINE], "last"]);
    }
}
