//! **Floor 4 — the command line.** Reads what the user typed, then works: one file a subcommand, one row in `Command`.
//!
//! Parsing does no work, so that it can be tested. Everything printed goes through [`print::Printer`], which never lets
//! a payload's control byte reach a terminal and takes a closed pipe for success. Exit codes: 0 yes, 1 no, 2 error, 3 more came (`wait`).
//! This room must never know the screen; `main` chooses between the two.

mod check;
mod completions;
mod dead;
mod diff;
mod drop;
mod export;
mod forget;
mod import;
mod input;
mod jq;
mod learn;
mod ls;
mod man;
mod mark;
mod play;
mod print;
mod progress;
mod providers;
mod refused;
mod rehearse;
mod resend;
mod respond;
mod row;
mod schema;
mod send;
mod serve;
mod show;
mod sign;
mod stats;
mod tail;
mod typed;
mod verify;
mod wait;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use self::{
    print::{Printer, report},
    typed::typed,
};
use crate::{
    engine::{
        Notice, Screen, Settings, Wishes,
        forward::Answering,
        secret::{self, Source},
        settings,
    },
    record::Failure,
    verify::Secret,
};

/// The answer to what was asked, as an exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Exit code 0.
    Yes,
    /// Exit code 1: nothing found, a check failed, an app did not say 2xx.
    No,
    /// Exit code 3: it came, and not as it was asked for.
    Otherwise,
}

/// A terminal request bin: catches webhooks, shows them live, proves why a signature failed, resends them byte for byte.
#[derive(Debug, Parser)]
#[command(name = "creel", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    bin: Bin,
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    common: Common,
}

const AFTER_HELP: &str = "Without a command: capture and inspect, the server and the screen. On no terminal it \
behaves like `creel serve`.\n\nExit codes: 0 yes, 1 no (nothing found, a check failed), 2 error.\n\
Settings: flags, then CREEL_LISTEN, CREEL_DB and CREEL_CONFIG, then creel.toml here, then the user's creel/creel.toml, \
then defaults.";

/// The subcommands, a row each.
#[derive(Debug, Subcommand)]
enum Command {
    /// Capture without a screen: a line a capture
    #[command(
        after_help = "Examples:\n  creel serve --listen 0 --json\n  creel serve --provider github --secret-env GITHUB_WEBHOOK_SECRET"
    )]
    Serve(serve::Serve),
    /// The screen on a store that another creel fills
    #[command(after_help = "Examples:\n  creel watch")]
    Watch(Watch),
    /// Follow in plain lines, oldest first
    #[command(after_help = "Examples:\n  creel tail\n  creel tail --json sig:failed")]
    Tail(tail::Tail),
    /// Read the configuration as a start would, say what it says, and start nothing
    #[command(
        after_help = "Examples:\n  creel check\n\nExit codes: 0 all is there; 1 something is missing: a variable that is not set; 2 a mistake, with its \
place. Keys and themes are checked by the screen."
    )]
    Check(Box<check::Check>),
    /// List captures, newest first
    #[command(after_help = "Examples:\n  creel ls sig:failed 'age<1h'\n  creel ls --limit 0 --json provider:stripe")]
    Ls(ls::Ls),
    /// Count what came in a time: by verdict, endpoint and provider, and what apps made of it
    #[command(after_help = "Examples:\n  creel stats --last 1d\n  creel stats --last 5m --json")]
    Stats(stats::Stats),
    /// Show one capture: summary, headers, body, signature, deliveries
    #[command(
        after_help = "Examples:\n  creel show 42\n  creel show 42 --as curl\n  creel show 42 --path data.object.id"
    )]
    Show(show::Show),
    /// Send captures again, byte for byte
    #[command(
        after_help = "Examples:\n  creel resend 42 --to http://localhost:3000\n  creel resend 42 --set data.amount=5 --resign\n  creel resend --filter sig:passed --to staging --jobs 16\n  creel resend --marked --watch target/debug --until-ok"
    )]
    Resend(Box<resend::Resend>),
    /// List what was to be forwarded and was given up; `resend --dead` sends it once more
    #[command(after_help = "Examples:\n  creel dead\n  creel resend --dead")]
    Dead(dead::Dead),
    /// Stop forwarding what still waits or was given up; the captures stay
    #[command(
        after_help = "Examples:\n  creel drop reply:dead\n  creel drop --all --to http://localhost:3000\n\nA running creel sends it no \
more, and with order = \"kept\" goes on at once with what stands behind it."
    )]
    Drop(drop::Drop),
    /// Block until captures come that match, or none does: for scripts and CI
    #[command(
        after_help = "Examples:\n  creel wait event:invoice.paid --timeout 10\n  creel wait event:order.created --then 'event:order.paid sig:passed' --all\n\nExit codes: 0 it came, or with --absent did not; 1 it did not in time, or with --absent did; \
2 error; 3 all came, and then more in the time of --quiet-for."
    )]
    Wait(wait::Wait),
    /// Send signed sample events, or a body of yours
    #[command(
        after_help = "Examples:\n  creel send github/push\n  creel send stripe --to http://localhost:3000/stripe --secret-env STRIPE_SECRET --as stale"
    )]
    Send(Box<send::Send>),
    /// Print the headers that make a body right
    #[command(
        after_help = "Examples:\n  creel sign --provider github --secret-env GITHUB_WEBHOOK_SECRET --file body.json"
    )]
    Sign(sign::Sign),
    /// Judge the signature of a capture, or of a raw HTTP request in a file
    #[command(
        after_help = "Examples:\n  creel verify 42\n  creel verify --file request.http --provider stripe --secret-env STRIPE_SECRET"
    )]
    Verify(verify::Verify),
    /// List the signature providers creel knows, or show one
    #[command(
        after_help = "Examples:\n  creel providers stripe\n  creel providers learn 42 --secret-env ACME_SECRET --save\n  creel providers check mine.toml"
    )]
    Providers(providers::Providers),
    /// Say in what two captures differ, or the last replies to them
    #[command(after_help = "Examples:\n  creel diff 41 42\n  creel diff 41 42 --replies")]
    Diff(diff::Diff),
    /// Write captures in forms for other tools: JSON lines, HAR, curl, raw HTTP, CSV, code for a test
    #[command(
        after_help = "Examples:\n  creel export provider:stripe --out stripe.jsonl\n  creel export mark:marked --as python --out test_webhooks.py"
    )]
    Export(export::Export),
    /// Mark, pin or note captures: `mark:marked` finds them again
    #[command(after_help = "Examples:\n  creel mark 41 42\n  creel mark --filter sig:failed --note look")]
    Mark(mark::Mark),
    /// Write captures as a folder of plain files, to be kept beside an app's tests
    #[command(after_help = "Examples:\n  creel rehearse mark:marked --out tests/webhooks")]
    Rehearse(rehearse::Rehearse),
    /// Send such a folder to an app again, and hold its replies against what is expected
    #[command(
        after_help = "Examples:\n  creel play tests/webhooks --to http://localhost:3000\n  creel play tests/webhooks --to http://localhost:3000 --speed 0 --junit creel.xml"
    )]
    Play(Box<play::Play>),
    /// Read captures out of files: JSON lines, HAR, raw HTTP, of other bins, of GitHub's and Stripe's APIs, curl; all of them or none
    #[command(
        after_help = "Examples:\n  creel import stripe.jsonl recorded.har\n  creel import delivery.json --endpoint github"
    )]
    Import(import::Import),
    /// Say what an endpoint answers from now on: another status, a delay, a fault; or what the file says again
    #[command(
        after_help = "Examples:\n  creel respond stripe --status 503 --first 3\n  creel respond stripe --fault close --every 2\n  creel respond stripe --reset"
    )]
    Respond(Box<respond::Respond>),
    /// List what was turned away at the door, and why
    #[command(after_help = "Examples:\n  creel refused --heads")]
    Refused(refused::Refused),
    /// Delete captures, and say how many
    #[command(after_help = "Examples:\n  creel forget 'age>7d'\n  creel forget --all")]
    Forget(forget::Forget),
    /// Print the JSON Schema of a capture in --json
    #[command(after_help = "Examples:\n  creel schema")]
    Schema,
    /// Print what a shell needs to complete commands, options and the values that creel knows
    #[command(after_help = "Examples:\n  creel completions bash\n  creel completions zsh\n\nBash reads it from \
~/.local/share/bash-completion/completions/creel, fish from ~/.config/fish/completions/creel.fish, zsh as _creel from a \
folder of its fpath.")]
    Completions(completions::Completions),
    /// Print the manual page, or write one page a command into a folder
    #[command(after_help = "Examples:\n  creel man\n  creel man ~/.local/share/man/man1")]
    Man(man::Man),
    /// One jq program over one value, in a process that may do next to nothing
    #[command(name = "__jq", hide = true)]
    Jq(jq::Jq),
}

/// Options of every subcommand.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Common {
    /// The store, one SQLite file [default: creel/creel.db in the platform's data folder]
    #[arg(long, global = true, env = "CREEL_DB", value_name = "PATH")]
    db: Option<PathBuf>,
    /// The configuration to read instead of creel.toml here and the user's
    #[arg(long, global = true, env = "CREEL_CONFIG", value_name = "PATH")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Print results only, or nothing where the exit code says it
    #[arg(long, short, global = true)]
    quiet: bool,
}

/// Where a server listens.
#[allow(clippy::struct_field_names, reason = "each is the option of its name")]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Listen {
    /// ADDR:PORT to listen on; port 0 picks a free one [default: 127.0.0.1:27335]
    #[arg(long, env = "CREEL_LISTEN", value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Speak HTTPS: with the certificate that the configuration names under tls, or one that creel makes for itself
    #[arg(long)]
    tls: bool,
    /// Run a tunnel as long as creel runs: its command, with {port} for the port; its public URL is found in what it prints
    #[arg(long, value_name = "CMD")]
    tunnel: Option<String>,
}

/// The open bin: what is known of those who send to no configured endpoint.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Bin {
    /// Who sends: a name from `creel providers`; else told by the headers
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    /// The app that captures are resent to
    #[arg(long, value_name = "URL")]
    forward: Option<String>,
    /// Forward each capture to --forward as it comes; what fails is tried again
    #[arg(long, requires = "forward")]
    auto: bool,
    /// Forward each capture to --forward, and give the sender the app's reply
    #[arg(long, requires = "forward", conflicts_with = "auto")]
    proxy: bool,
    /// The URL as the sender knows it, for schemes that sign it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// Secrets by value, variable or file; all are tried.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Secrets {
    /// A secret as it is; for trials, since others on this machine can read a command line
    #[arg(id = "secret", long = "secret", value_name = "SECRET", allow_hyphen_values = true)]
    given: Vec<String>,
    /// An environment variable that holds a secret
    #[arg(id = "secret_env", long = "secret-env", value_name = "NAME")]
    env: Vec<String>,
    /// A file that holds a secret
    #[arg(id = "secret_file", long = "secret-file", value_name = "PATH")]
    file: Vec<PathBuf>,
}

/// The screen without a server.
#[derive(Clone, Debug, Default, Args)]
struct Watch {
    #[command(flatten)]
    bin: Bin,
}

/// What `main` should start.
#[derive(Debug)]
pub enum Face {
    /// The screen, with a server behind it.
    Screen(Wishes),
    /// The screen on another creel's store.
    Watch(Wishes),
    /// Lines on standard output.
    Lines(Work),
}

/// A subcommand that prints.
#[derive(Debug)]
pub struct Work {
    command: Command,
    common: Common,
}

impl Cli {
    /// Which face was asked for. A bare `creel` that is not on a terminal serves. Options before the subcommand's name count
    /// as if they stood after it; where it takes none of them, that is a mistake, and not passed over.
    pub fn face(self, on_a_terminal: bool) -> Result<Face, Failure> {
        let Self { command, common, bin, listen } = self;
        Ok(match command {
            None if on_a_terminal && !common.json => Face::Screen(common.wishes(&bin, &listen)),
            None => {
                let serve = serve::Serve::in_place_of_the_screen(bin, listen, on_a_terminal);
                Face::Lines(Work { command: Command::Serve(serve), common })
            }
            Some(Command::Serve(serve)) => Face::Lines(Work { command: Command::Serve(serve.or(bin, listen)), common }),
            Some(Command::Watch(watch)) => Face::Watch(common.wishes(&watch.bin.or(bin), &listen)),
            Some(command) => {
                if let Some(option) = bin.given().or(listen.given()) {
                    let why = "it stands before a subcommand that does not take it there";
                    return Err(Failure::new(format!("reading {option}"), why)
                        .hint("write it after the subcommand's name, if its --help knows it"));
                }
                Face::Lines(Work { command, common })
            }
        })
    }
}

impl Listen {
    /// These, and the others where it has none.
    fn or(self, other: Self) -> Self {
        Self { listen: self.listen.or(other.listen), tls: self.tls || other.tls, tunnel: self.tunnel.or(other.tunnel) }
    }

    /// An option of these that was given. The address may be the environment's, which is for all commands.
    fn given(&self) -> Option<&'static str> {
        let options = [(self.tls, "--tls"), (self.tunnel.is_some(), "--tunnel")];
        options.into_iter().find(|(is_given, _)| *is_given).map(|(_, option)| option)
    }
}

impl Common {
    fn wishes(&self, bin: &Bin, listen: &Listen) -> Wishes {
        Wishes {
            config: self.config.clone(),
            db: self.db.clone(),
            listen: listen.listen.clone(),
            provider: bin.provider.clone(),
            secrets: bin.secrets.given.clone(),
            sources: bin.secrets.sources(),
            forward: bin.forward.clone(),
            auto: bin.answering(),
            url: bin.url.clone(),
            tls: listen.tls,
            tunnel: listen.tunnel.clone(),
        }
    }

    /// The settings of a command that only works on the store.
    fn settings(&self) -> Result<Settings, Failure> {
        Settings::resolve(&self.wishes(&Bin::default(), &Listen::default()))
    }

    /// Where the store is.
    fn store(&self) -> Result<PathBuf, Failure> {
        settings::store_path(&self.wishes(&Bin::default(), &Listen::default()))
    }

    fn printer(&self) -> Printer {
        Printer::new(self.json, self.quiet)
    }
}

impl Bin {
    /// These, and the others where it has none.
    fn or(self, other: Self) -> Self {
        Self {
            provider: self.provider.or(other.provider),
            secrets: if self.secrets.is_empty() { other.secrets } else { self.secrets },
            forward: self.forward.or(other.forward),
            auto: self.auto || other.auto,
            proxy: self.proxy || other.proxy,
            url: self.url.or(other.url),
        }
    }

    /// An option of these that was given.
    fn given(&self) -> Option<&'static str> {
        let options = [
            (self.provider.is_some(), "--provider"),
            (!self.secrets.is_empty(), "--secret"),
            (self.forward.is_some(), "--forward"),
            (self.auto || self.proxy, "--auto"),
            (self.url.is_some(), "--url"),
        ];
        options.into_iter().find(|(is_given, _)| *is_given).map(|(_, option)| option)
    }

    fn answering(&self) -> Option<Answering> {
        let ack = self.auto.then_some(Answering::Ack);
        ack.or(self.proxy.then_some(Answering::Proxy))
    }
}

impl Secrets {
    fn sources(&self) -> Vec<Source> {
        let env = self.env.iter().cloned().map(Source::Env);
        env.chain(self.file.iter().cloned().map(Source::File)).collect()
    }

    /// Reads them, for what is to be done with them now.
    fn read(&self) -> Result<Vec<Secret>, Failure> {
        let demanded = self.sources().iter().map(Source::demanded).collect::<Result<Vec<_>, _>>()?;
        Ok([secret::plain(&self.given)?, demanded].concat())
    }

    fn is_empty(&self) -> bool {
        self.given.is_empty() && self.env.is_empty() && self.file.is_empty()
    }
}

/// What the screen, of which this room knows nothing, says of its part of the configuration: what is wrong with it, or what a
/// person should know.
pub type ScreenCheck = fn(&Screen) -> Result<Vec<Notice>, Failure>;

/// Does what was asked; `screen` is asked by `creel check`.
pub fn run(work: Work, screen: ScreenCheck) -> Result<Answer, Failure> {
    let Work { command, common } = work;
    match command {
        Command::Serve(serve) => serve::run(&serve, &common),
        Command::Tail(tail) => tail::run(&tail, &common),
        Command::Check(check) => check::run(&check, &common, screen),
        Command::Ls(ls) => ls::run(&ls, &common),
        Command::Stats(stats) => stats::run(&stats, &common),
        Command::Show(show) => show::run(&show, &common),
        Command::Resend(resend) => resend::run(&resend, &common),
        Command::Dead(dead) => dead::run(&dead, &common),
        Command::Drop(drop) => drop::run(&drop, &common),
        Command::Diff(diff) => diff::run(&diff, &common),
        Command::Export(export) => export::run(&export, &common),
        Command::Mark(mark) => mark::run(&mark, &common),
        Command::Import(import) => import::run(&import, &common),
        Command::Rehearse(rehearse) => rehearse::run(&rehearse, &common),
        Command::Play(play) => play::run(&play, &common),
        Command::Respond(respond) => respond::run(&respond, &common),
        Command::Refused(refused) => refused::run(&refused, &common),
        Command::Forget(forget) => forget::run(&forget, &common),
        Command::Wait(wait) => wait::run(&wait, &common),
        Command::Send(send) => send::run(&send, &common),
        Command::Sign(sign) => sign::run(&sign, &common),
        Command::Verify(verify) => verify::run(&verify, &common),
        Command::Providers(providers) => providers::run(&providers, &common),
        Command::Schema => schema::run(&common),
        Command::Completions(completions) => completions::run(&completions, &common),
        Command::Man(man) => man::run(&man, &common),
        Command::Jq(jq) => jq::run(&jq),
        // `face` takes it out; were it here, the screen would be the answer.
        Command::Watch(_) => Err(Failure::new("watching", "the screen needs a terminal")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn face(line: &str, on_a_terminal: bool) -> Face {
        Cli::try_parse_from(line.split(' ')).unwrap().face(on_a_terminal).unwrap()
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_has_a_help_line() {
        let command = Cli::command();
        let without: Vec<_> =
            command.get_subcommands().filter(|c| c.get_about().is_none()).map(clap::Command::get_name).collect();
        assert_eq!(without, [""; 0]);
    }

    /// The words of a line of shell, without its quotes.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let words = parts.map(|(at, part)| if at % 2 == 1 { part.replace(' ', "\u{0}") } else { part.to_owned() });
        words.collect::<String>().split(' ').map(|word| word.replace('\u{0}', " ")).collect()
    }

    #[test]
    fn every_subcommand_has_examples_that_can_be_typed() {
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<_> = help.lines().filter_map(|line| line.strip_prefix("  ")).collect();
            let own = format!("creel {}", command.get_name());
            assert!(examples.first().is_some_and(|line| line.starts_with(&own)), "{own}: {help}");
            for line in examples {
                let is_quoted = line.split('\'').step_by(2).all(|bare| !bare.contains(['<', '>', '|', '&', '*']));
                assert!(is_quoted, "a shell would take it for something else: {line}");
                let parsed = Cli::try_parse_from(words(line)).map_err(|why| why.to_string());
                assert!(parsed.is_ok_and(|cli| cli.face(true).is_ok()), "{line}");
            }
        }
    }

    #[test]
    fn a_terminal_gets_the_screen_and_a_pipe_gets_lines() {
        assert!(matches!(face("creel", true), Face::Screen(_)));
        assert!(matches!(face("creel", false), Face::Lines(Work { command: Command::Serve(_), .. })));
        assert!(matches!(face("creel watch", true), Face::Watch(_)));
        assert!(matches!(face("creel ls", true), Face::Lines(_)));
    }

    #[test]
    fn options_stand_before_or_after_the_subcommand() {
        for line in ["creel --listen 1 --db a serve", "creel serve --listen 1 --db a"] {
            let Face::Lines(Work { command: Command::Serve(serve), common }) = face(line, true) else {
                panic!("{line}")
            };
            let wishes = serve.wishes(&common);
            assert_eq!((wishes.listen.as_deref(), wishes.db), (Some("1"), Some(PathBuf::from("a"))), "{line}");
        }
        let Face::Watch(wishes) = face("creel --provider github watch", true) else { panic!("not the screen") };
        assert_eq!(wishes.provider.as_deref(), Some("github"));
    }

    #[test]
    fn numbers_are_read_as_they_are_shown_and_told_in_words_where_they_are_none() {
        assert!(Cli::try_parse_from(["creel", "show", "#42"]).is_ok());
        for (line, words) in [
            ("creel show abc", "a capture's number is wanted, like 42"),
            ("creel resend event:push", "a filter stands behind --filter"),
            ("creel mark event:push", "a filter stands behind --filter"),
            ("creel wait --timeout -1", "a number is wanted, 0 or more"),
            ("creel wait --timeout=nan", "a number is wanted, 0 or more"),
            ("creel ls -n -1", "a whole number is wanted, 0 or more"),
            ("creel tail -n many", "a whole number is wanted, 0 or more"),
            ("creel send github --times 0", "a whole number is wanted, 1 or more"),
            ("creel send github --rate -1", "a number is wanted, 0 or more"),
            ("creel respond a --status 2e2", "a whole number is wanted, 0 or more"),
            ("creel respond a --status 99999", "it is too large"),
            ("creel sign --provider a --file b --now today", "a moment in Unix seconds is wanted"),
            ("creel play dir --to http://h --speed=inf", "a number is wanted, 0 or more"),
        ] {
            let said = Cli::try_parse_from(line.split(' ')).unwrap_err().to_string();
            assert!(said.contains(words), "{line}: {said}");
        }
    }

    #[test]
    fn what_is_missing_is_told_with_all_that_may_stand_in_its_place() {
        for (line, words) in [
            ("creel mark", "<ID|--filter <FILTER>>"),
            ("creel resend", "<ID|--filter <FILTER>|--marked|--dead|--continue [<BATCH>]>"),
            ("creel verify", "<ID|--filter <FILTER>|--file <FILE>>"),
            ("creel send", "<PROVIDER[/EVENT]|--list>"),
        ] {
            let said = Cli::try_parse_from(line.split(' ')).unwrap_err().to_string();
            assert!(said.contains(words), "{line}: {said}");
        }
    }

    #[test]
    fn no_more_go_at_a_time_than_a_system_lets_a_process_open() {
        let parsed = |jobs: &str| Cli::try_parse_from(["creel", "resend", "1", "--jobs", jobs]).map(drop);
        for jobs in ["0", "513", "1000000"] {
            assert!(parsed(jobs).unwrap_err().to_string().contains("1..=512"), "{jobs}");
        }
        assert!(parsed("1").is_ok() && parsed("512").is_ok());
    }

    #[test]
    fn an_option_that_a_subcommand_would_not_hear_is_a_mistake() {
        for (line, option) in
            [("creel --secret x verify 1", "--secret"), ("creel --tls ls", "--tls"), ("creel --url x show 1", "--url")]
        {
            let Err(failure) = Cli::try_parse_from(line.split(' ')).unwrap().face(true) else { panic!("{line}") };
            assert!(failure.to_string().contains(option), "{failure}");
        }
    }
}
