//! A creel of the test's own: its store in a folder that goes with it, its port picked by the system.

#![allow(dead_code, unreachable_pub, reason = "every test file uses its own part of this")]

pub mod app;
pub mod port;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Longer than anything may take on a busy machine; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test, with nothing of the user's around it.
pub fn creel() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_creel"));
    for name in ["CREEL_DB", "CREEL_LISTEN", "CREEL_CONFIG", "NO_COLOR"] {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
    command
}

/// A folder to work in, which is also home: neither configuration nor store of the user's is seen.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn db(&self) -> PathBuf {
        self.path().join("creel.db")
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A command in this home, on its store.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = creel();
        command.args(args).current_dir(self.path()).env("HOME", self.path()).env("CREEL_DB", self.db());
        command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must answer yes and say nothing beside its result.
    pub fn yes(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {}\n{said}", output.status);
        assert_eq!(said, "", "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must answer yes and masks something of what it writes, which it says.
    pub fn shares(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        let is_told = said.starts_with("masked: ") && said.lines().count() == 1;
        assert!(output.status.success() && is_told, "{args:?}: {}\n{said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail with this code, and gives what it said.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs a command until it prints what it should.
    pub fn until(&self, args: &[&str], wanted: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let printed = String::from_utf8(self.run(args).stdout).unwrap();
            if wanted(&printed) {
                return printed;
            }
            assert!(began.elapsed() < PATIENCE, "{args:?}: {printed}");
            std::thread::yield_now();
        }
    }

    /// Runs a command on a terminal of its own; gives its exit code and all that was written there.
    pub fn on_a_terminal(&self, args: &[&str]) -> (u32, String) {
        let size = PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_creel"));
        command.args(args);
        command.cwd(self.path());
        command.env("HOME", self.path());
        command.env("CREEL_DB", self.db());
        let mut child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut shown = Vec::new();
        // The terminal is gone with its last program: that ends the reading by an error.
        let _ = pty.master.try_clone_reader().unwrap().read_to_end(&mut shown);
        (child.wait().unwrap().exit_code(), String::from_utf8(shown).unwrap())
    }

    /// The captures in the store as JSON, oldest first, bodies left out.
    pub fn captures(&self) -> Vec<serde_json::Value> {
        let output = self.run(&["ls", "--json", "--limit", "0"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut rows: Vec<_> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        rows.reverse();
        rows
    }

    /// Starts `creel serve` here.
    pub fn serve(&self, args: &[&str]) -> Serving {
        self.serve_on("127.0.0.1:0", args)
    }

    /// Starts a `creel serve` here by another program.
    pub fn serve_by(&self, words: &[&str]) -> Serving {
        let creel = self.command(&[]);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.path());
        for (name, value) in creel.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Serving::start(command)
    }

    /// Starts `creel serve` here, at that address.
    pub fn serve_on(&self, address: &str, args: &[&str]) -> Serving {
        let mut all = vec!["serve", "--listen", address];
        all.extend(args);
        Serving::start(self.command(&all))
    }
}

/// A running `creel serve`; killed when dropped.
pub struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
    pub address: SocketAddr,
}

impl Serving {
    /// Starts that command, which must be a `creel serve`.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        let Some(address) = first
            .trim()
            .strip_prefix("listening on http")
            .map(|rest| rest.trim_start_matches('s').trim_start_matches("://"))
        else {
            let mut said = String::new();
            err.read_to_string(&mut said).unwrap();
            panic!("creel did not start: {first}{said}");
        };
        Self { address: address.parse().unwrap(), child, out, err }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line it prints.
    pub fn line(&mut self) -> String {
        let _patience = Patience::with(self.pid());
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line it says on standard error that has this in it.
    pub fn says(&mut self, words: &str) -> String {
        let _patience = Patience::with(self.pid());
        loop {
            let mut line = String::new();
            assert!(self.err.read_line(&mut line).unwrap() > 0, "it never said `{words}`");
            if line.contains(words) {
                return line.trim_end().to_owned();
            }
        }
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Sends raw bytes on a connection of their own and gives all that comes back.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Posts a body and gives the capture's number.
    pub fn post(&self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> i64 {
        let mut request = format!("POST {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let answer = self.raw(&[request.as_bytes(), body].concat());
        let caught = answer.split("{\"caught\":").nth(1).unwrap_or_else(|| panic!("no capture: {answer}"));
        caught.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Asks it to end, and gives its exit code and what it still printed and said.
    pub fn stop(mut self) -> (Option<i32>, String, String) {
        self.signal("TERM");
        self.end()
    }

    /// Waits for its end and reads nothing of what it prints; gives its exit code.
    pub fn end_unread(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            std::thread::yield_now();
        }
    }

    /// Waits for its end.
    pub fn end(&mut self) -> (Option<i32>, String, String) {
        let (mut printed, mut said) = (String::new(), String::new());
        self.out.read_to_string(&mut printed).unwrap();
        self.err.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), printed, said)
    }
}

/// Ends a process that somebody waits for in vain, so that a test that fails comes to its end. Until it is dropped.
struct Patience(#[expect(dead_code, reason = "it is there to be dropped")] Sender<()>);

impl Patience {
    fn with(pid: u32) -> Self {
        let (stop, stopped) = channel();
        std::thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            }
        });
        Self(stop)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
