//! The hidden `creel __jq`: one jq program over one JSON value, in a process that has nothing to lose.
//!
//! A jq program can run for ever, take all memory or end its process; so it runs in this one, which limits itself before it
//! reads a byte, and which its parent (`engine::transform`) ends at a deadline. On standard input: the program's length
//! (4 bytes, big-endian), the program, the value. On standard output: the result as compact JSON. Exit codes: 0 a result,
//! 1 none, why on standard error. With `--check` the program is read and not run, and there is no value.

use std::io::{self, Read, Write};

use jaq_core::{
    Compiler, Ctx, Filter, Vars,
    compile::Undefined,
    data,
    load::{Arena, Error as LoadError, File, Loader},
};
use jaq_json::{Val, read, write};
use rustix::process::{Resource, Rlimit, setrlimit};

use clap::Args;

use super::Answer;
use crate::record::Failure;

/// Address space of the process, in bytes.
const MEMORY: u64 = 512 << 20;
/// Processor time, in seconds.
const PROCESSOR_S: u64 = 2;
/// How much of a program is shown in an error.
const SHOWN: usize = 40;

#[derive(Debug, Args)]
pub(crate) struct Jq {
    /// Read the program, and do not run it
    #[arg(long)]
    check: bool,
}

pub(super) fn run(jq: &Jq) -> Result<Answer, Failure> {
    limit().map_err(|why| Failure::new("limiting a jq program", why))?;
    match work(jq.check) {
        Ok(result) => {
            let written = io::stdout().write_all(&result).and_then(|()| io::stdout().flush());
            written.map(|()| Answer::Yes).map_err(|why| Failure::new("giving a result", why))
        }
        Err(why) => {
            let _ = io::stderr().write_all(why.as_bytes());
            Ok(Answer::No)
        }
    }
}

/// No more memory, time, files or dumps than one filter needs.
fn limit() -> io::Result<()> {
    let to = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Core, to(0))?;
    setrlimit(Resource::Fsize, to(0))?;
    setrlimit(Resource::Cpu, to(PROCESSOR_S))?;
    Ok(setrlimit(Resource::As, to(MEMORY))?)
}

fn work(is_check: bool) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    io::stdin().read_to_end(&mut all).map_err(|why| why.to_string())?;
    let (length, rest) = all.split_first_chunk::<4>().ok_or("there is no program")?;
    let (program, input) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or("the program is cut")?;
    let program = std::str::from_utf8(program).map_err(|_| "the program is no UTF-8")?;
    let filter = compiled(program)?;
    if is_check { Ok(Vec::new()) } else { result(&filter, input) }
}

/// A program that can be run.
fn compiled(program: &str) -> Result<Filter<data::JustLut<Val>>, String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(defs).load(&arena, File { code: program, path: () });
    let modules = modules
        .map_err(|errors| errors.iter().map(|(_, why)| unreadable(program, why)).collect::<Vec<_>>().join("; "))?;
    Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let unknown = |(name, what): &(&str, Undefined)| {
            format!("there is no {} `{name}` ({})", what.as_str(), place(program, name))
        };
        errors.iter().flat_map(|(_, names)| names.iter().map(unknown)).collect::<Vec<_>>().join("; ")
    })
}

/// The one value that the program makes of the input. Where that is the input itself, its bytes stay as they came.
fn result(filter: &Filter<data::JustLut<Val>>, input: &[u8]) -> Result<Vec<u8>, String> {
    let value = read::parse_single(input).map_err(|why| format!("the input is no JSON: {why}"))?;
    let same = compact(&value);
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut results = filter.id.run((context, value));
    let first = results.next().ok_or("the program gives no value")?;
    let first =
        first.map_err(|stop| stop.get_err().map_or_else(|_| "the program halts".to_owned(), |why| why.to_string()))?;
    if results.next().is_some() {
        return Err("the program gives more than one value; put them into [ ]".to_owned());
    }
    let written = compact(&first);
    Ok(if written == same { input.to_vec() } else { written })
}

fn compact(value: &Val) -> Vec<u8> {
    let mut bytes = Vec::new();
    let plain = write::Pp { indent: None, sort_keys: false, styles: write::Styles::default(), sep_space: false };
    // Nothing fails that is written to memory.
    let _ = write::write(&mut bytes, &plain, 0, value);
    bytes
}

/// What is wrong with the text of a program, and where.
fn unreadable(program: &str, error: &LoadError<&str>) -> String {
    let near = |text: &str| match text.trim() {
        "" => format!("at its end ({})", place(program, text)),
        shown => format!("near `{}` ({})", shown.chars().take(SHOWN).collect::<String>(), place(program, text)),
    };
    match error {
        LoadError::Io(paths) => {
            format!(
                "the program may load no module ({})",
                paths.iter().map(|path| path.0).collect::<Vec<_>>().join(", ")
            )
        }
        LoadError::Lex(errors) => {
            let all = errors.iter().map(|(expected, at)| format!("{} expected {}", expected.as_str(), near(at)));
            all.collect::<Vec<_>>().join("; ")
        }
        LoadError::Parse(errors) => {
            let all = errors.iter().map(|(expected, at)| format!("{} expected {}", expected.as_str(), near(at)));
            all.collect::<Vec<_>>().join("; ")
        }
    }
}

/// Where a part of a program stands in it: its column, and its line where there are several. What is no part of it stands
/// at its end.
fn place(program: &str, part: &str) -> String {
    let start = (part.as_ptr() as usize).checked_sub(program.as_ptr() as usize);
    let before = start.and_then(|start| program.get(..start)).unwrap_or(program);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    match program.trim_end().matches('\n').count() {
        0 => format!("column {column}"),
        _ => format!("line {}, column {column}", before.matches('\n').count() + 1),
    }
}
