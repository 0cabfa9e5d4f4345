//! `creel man`: creel's manual page, or one page a command in a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;
use serde_json::json;

use super::{Answer, Cli, Common};
use crate::record::{Failure, counted};

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// A folder for one page a command; else creel's own page is printed
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn run(man: &Man, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let Some(folder) = &man.folder else {
        let mut page = Vec::new();
        page_of(Cli::command()).render(&mut page).map_err(|why| Failure::new("writing the manual page", why))?;
        return printer.bytes(&page).map(|()| Answer::Yes);
    };
    let count =
        write(folder).map_err(|why| Failure::new(format!("writing manual pages to {}", folder.display()), why))?;
    if printer.json {
        printer.value(&json!({ "pages": count }))?;
    } else if !printer.quiet {
        printer.line(&format!("{} in {}", counted(count, "page"), folder.display()))?;
    }
    Ok(Answer::Yes)
}

fn page_of(command: clap::Command) -> Page {
    Page::new(command).source(concat!("creel ", env!("CARGO_PKG_VERSION"))).manual("creel")
}

/// Writes a page a command, over those of an older creel. Gives how many.
fn write(folder: &Path) -> std::io::Result<u64> {
    fs::create_dir_all(folder)?;
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let (mut left, mut count) = (vec![all], 0);
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
        page_of(command).generate_to(folder)?;
        count += 1;
    }
    Ok(count)
}
