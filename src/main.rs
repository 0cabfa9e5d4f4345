//! Floor 5: chooses the face, and turns its answer into an exit code.

use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
    sync::Arc,
};

use creel::{
    cli::{self, Answer, Face},
    engine::{self, Engine, Settings, Wishes},
    record::Failure,
    tui,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A capture's memory is taken on the wire's thread and given back on the store's: this allocator does that for a tenth
/// less of the whole than the C library's, and gives large bodies back to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    take_small_pages();
    leave_no_core();
    engine::outlive_large_files();
    let on_a_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let face = match cli::typed(env::args_os()) {
        Ok(cli) => cli.face(on_a_terminal),
        Err(code) => return ExitCode::from(code),
    };
    let answer = have_files_enough().and(face).and_then(|face| match face {
        Face::Screen(wishes) => Settings::resolve(&wishes).and_then(Engine::capture).and_then(screen),
        Face::Watch(wishes) => watch(&wishes, on_a_terminal),
        Face::Lines(work) => cli::run(work, tui::check),
    });
    match answer {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Ok(Answer::Otherwise) => ExitCode::from(3),
        Err(failure) => {
            cli::report(&format!("creel: {failure}"));
            ExitCode::from(2)
        }
    }
}

/// Keeps the system from giving 2 MiB where a page is asked for: spread over the allocator's blocks that was 16 of the 41 MiB of a
/// creel that catches all it can, and made it no faster. What it starts inherits that.
fn take_small_pages() {
    // Where it cannot be had, creel is larger and nothing else.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// What a dying creel had in memory, its secrets among it, is not written to a file. Programs that it starts may wish otherwise.
fn leave_no_core() {
    let most = getrlimit(Resource::Core).maximum;
    // Where it cannot be had, nothing else changes.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: most });
}

/// How many files creel must be able to have open at once: what it has open as it captures, and room for senders.
const FEWEST_FILES: u64 = 64;
/// How many it asks for where it may not have so many.
const USUAL_FILES: u64 = 1_024;

/// Sees to it that enough files may be open at once: else the first that cannot be would be told as a fault of its own.
fn have_files_enough() -> Result<(), Failure> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(few) = current.filter(|few| *few < FEWEST_FILES) else { return Ok(()) };
    let wanted = maximum.map_or(USUAL_FILES, |most| most.min(USUAL_FILES));
    if wanted >= FEWEST_FILES && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        return Ok(());
    }
    let why = format!("no more than {few} files may be open at once, and creel needs {FEWEST_FILES}");
    let hint = format!(
        "`ulimit -n {USUAL_FILES}` in the shell that starts it raises that, `LimitNOFILE=` in a service of systemd"
    );
    Err(Failure::new("starting", why).hint(hint))
}

fn watch(wishes: &Wishes, on_a_terminal: bool) -> Result<Answer, Failure> {
    if !on_a_terminal {
        return Err(Failure::new("watching", "this is not a terminal").hint("`creel tail` follows in plain lines"));
    }
    Settings::resolve(wishes).and_then(Engine::watch).and_then(screen)
}

fn screen(engine: Engine) -> Result<Answer, Failure> {
    let engine = Arc::new(engine);
    let shown = tui::show(&engine);
    shown.and(engine.stop()).map(|()| Answer::Yes)
}
