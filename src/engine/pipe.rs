//! A shell command of the user's that is given bytes, and a program that opens a URL.

use std::{
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::spawn;
use crate::record::Failure;

/// How long a command may take.
const LONGEST: Duration = Duration::from_secs(10);
/// How often it is asked whether a command goes on.
const LOOK: Duration = Duration::from_millis(100);
/// How often it is looked whether one that prints nothing more has ended.
const SOON: Duration = Duration::from_millis(5);
/// How much of a command's output is kept, in bytes; with more it is ended.
const LARGEST: usize = 256 << 10;
/// How much is read at once, in bytes.
const PART: usize = 8 << 10;
/// The programs that open a URL, the one of this system first.
const OPENERS: &[&str] = if cfg!(target_os = "macos") { &["open", "xdg-open"] } else { &["xdg-open", "open"] };

/// Runs the command of `$1`, its errors in its output, and ends it and all that it started when creel closes the pipe that stands
/// at this shell's place for errors, or is no more: a killed creel leaves no command behind. What a command that has ended left
/// running goes on.
const KEEPER: &str = "exec 3<&2 2>&1
{ read creel <&3; kill -KILL 0; } >/dev/null 2>&1 & keeper=$!
sh -c \"$1\" 3<&-; status=$?; kill $keeper 2>/dev/null; exit $status";

/// What a command printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piped {
    /// Its output and its errors, in the order in which they came.
    pub output: Vec<u8>,
    /// How it ended, in words; none where it did with success.
    pub ended: Option<String>,
}

/// Gives bytes to a command of the shell, and gives what it prints. Blocks until it ends, or is ended.
pub fn pipe(command: &str, bytes: Vec<u8>) -> Result<Piped, Failure> {
    pipe_with(command, bytes, &[], LONGEST, &|| true)
}

/// The same, with variables in the command's environment, for so long at most, and only as long as it `goes_on`.
pub(super) fn pipe_with(
    command: &str,
    bytes: Vec<u8>,
    env: &[(&str, String)],
    longest: Duration,
    goes_on: &dyn Fn() -> bool,
) -> Result<Piped, Failure> {
    let doing = || format!("running `{command}`");
    let failed = |why: io::Error| Failure::new(doing(), why);
    // Its other end is held until the command has ended, and by nobody who does not live as long as creel.
    let (alive, _creel) = io::pipe().map_err(failed)?;
    let mut child = Command::new("sh")
        .args(["-c", KEEPER, "sh", command])
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(alive)
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (Some(mut input), Some(mut output)) = (input, output) else {
        return Err(Failure::new(doing(), "it has no input and no output"));
    };
    // A command that reads no more than it wants is none that failed.
    spawn("creel-pipe", move || drop(input.write_all(&bytes)))?;
    let (told, heard) = channel();
    spawn("creel-pipe", move || {
        let mut part = [0; PART];
        while let Ok(n) = output.read(&mut part) {
            if n == 0 || told.send(part[..n].to_vec()).is_err() {
                return;
            }
        }
    })?;
    let (until, mut all) = (Instant::now() + longest, Vec::new());
    let too_long = || Some(format!("it was ended after {} s", longest.as_secs()));
    let with_creel = || Some("it was ended with creel".to_owned());
    let mut stopped = loop {
        let left = until.saturating_duration_since(Instant::now());
        match heard.recv_timeout(left.min(LOOK)) {
            Ok(part) => all.extend(part),
            Err(RecvTimeoutError::Disconnected) => break None,
            Err(RecvTimeoutError::Timeout) if left.is_zero() => break too_long(),
            Err(RecvTimeoutError::Timeout) if !goes_on() => break with_creel(),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if all.len() > LARGEST {
            all.truncate(LARGEST);
            break Some(format!("it was ended after {} KiB of output", LARGEST >> 10));
        }
    };
    // One that prints nothing more may still go on.
    while stopped.is_none() && child.try_wait().map_err(failed)?.is_none() {
        stopped = if Instant::now() >= until { too_long() } else { (!goes_on()).then(with_creel).flatten() };
        thread::sleep(SOON);
    }
    if stopped.is_some() {
        end(&child);
    }
    let ended = child.wait().map_err(failed)?;
    Ok(Piped { output: all, ended: stopped.or_else(|| (!ended.success()).then(|| format!("it ended with {ended}"))) })
}

/// Ends a command, and all that it started.
fn end(child: &Child) {
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        // What has ended by itself cannot be ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Whether it is a URL that a browser may be given.
pub fn is_web(url: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty()) && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Has a URL opened by the program that does so here. Only ever because a person asked for this very URL.
pub fn browse(url: &str) -> Result<(), Failure> {
    let doing = || format!("opening {url}");
    if !is_web(url) {
        return Err(Failure::new(doing(), "it is no URL of http or https"));
    }
    for opener in OPENERS {
        let command =
            Command::new(opener).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match command {
            Ok(ended) if ended.success() => return Ok(()),
            Ok(ended) => return Err(Failure::new(doing(), format!("{opener} ended with {ended}"))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(Failure::new(doing(), why)),
        }
    }
    Err(Failure::new(doing(), "there is neither xdg-open nor open here").hint("copy it from this line"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(piped: &Piped) -> String {
        String::from_utf8_lossy(&piped.output).into_owned()
    }

    #[test]
    fn a_command_gets_the_bytes_and_its_output_and_errors_come_back() {
        let piped = pipe("tr a-z A-Z; echo oops >&2; exit 3", b"body\0\xff".to_vec()).unwrap();
        assert!(piped.output.starts_with(b"BODY\0\xff") && text(&piped).ends_with("oops\n"), "{piped:?}");
        assert!(piped.ended.unwrap().contains('3'));
        // More than a pipe holds, to a command that reads none of it.
        assert_eq!(pipe("true", vec![b'x'; 1 << 20]).unwrap(), Piped { output: Vec::new(), ended: None });
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
        let piped =
            pipe_with("echo begun; sleep 1000 & sleep 1000", Vec::new(), &[], Duration::from_millis(300), &|| true)
                .unwrap();
        assert_eq!((&text(&piped)[..], piped.ended.as_deref()), ("begun\n", Some("it was ended after 0 s")));
        let piped =
            pipe_with("exec >&- 2>&-; sleep 1000", Vec::new(), &[], Duration::from_millis(300), &|| true).unwrap();
        assert_eq!(piped.ended.as_deref(), Some("it was ended after 0 s"), "what is silent is ended, too");
        let piped = pipe("yes", Vec::new()).unwrap();
        assert_eq!(piped.output.len(), LARGEST);
        assert!(piped.ended.unwrap().contains("KiB of output"));
    }

    #[test]
    fn what_a_command_that_has_ended_left_running_goes_on() {
        let piped = pipe("sleep 600 >/dev/null 2>&1 & echo $!; read line; echo \"$line\"", b"in\n".to_vec()).unwrap();
        let (pid, rest) =
            text(&piped).split_once('\n').map(|(pid, rest)| (pid.parse().unwrap(), rest.to_owned())).unwrap();
        assert_eq!((&rest[..], piped.ended), ("in\n", None));
        rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }

    #[test]
    fn only_urls_of_the_web_are_opened() {
        for url in ["file:///etc/passwd", "javascript:alert(1)", "--help", "http://", "https://a b", "https://a\n"] {
            assert!(!is_web(url) && browse(url).is_err(), "{url}");
        }
        assert!(is_web("https://docs.stripe.com/webhooks?x=1#y"));
    }
}
