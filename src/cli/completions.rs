//! `creel completions`: what a shell must know to complete creel's commands, options and the values that creel knows.

use clap::{
    Args, Command, CommandFactory,
    builder::{PossibleValue, PossibleValuesParser},
};
use clap_complete::Shell;

use super::{Answer, Cli, Common};
use crate::{engine, record::Failure, verify::Sample};

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(completions: &Completions, common: &Common) -> Result<Answer, Failure> {
    common.printer().bytes(&script(completions.shell)?).map(|()| Answer::Yes)
}

fn script(shell: Shell) -> Result<Vec<u8>, Failure> {
    let (mut command, mut script) = (command()?, Vec::new());
    clap_complete::generate(shell, &mut command, "creel", &mut script);
    if shell == Shell::Fish {
        script.extend(words_for_fish(&command).into_bytes());
    }
    Ok(script)
}

/// What may stand behind a command, for fish, which the generator tells only of options.
fn words_for_fish(command: &Command) -> String {
    let words = command.get_subcommands().filter(|command| command.get_name() != "help").flat_map(|command| {
        let positionals = command.get_positionals().map(clap::Arg::get_possible_values);
        positionals.filter(|values| !values.is_empty()).map(|values| (command.get_name(), values))
    });
    words.fold(String::new(), |script, (command, values)| {
        let values: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
        let values = values.join(" ");
        script + &format!("complete -c creel -n \"__fish_creel_using_subcommand {command}\" -f -a \"{values}\"\n")
    })
}

/// What can be typed, without what is not for people, and with the values that a word may have. For the parser providers and
/// events are any words, since there may be files of the user's own.
fn command() -> Result<Command, Failure> {
    let catalog = engine::catalog()?;
    let providers: Vec<_> = catalog.iter().map(|provider| provider.name().to_owned()).collect();
    let events: Vec<_> = Sample::all().map(|sample| format!("{}/{}", sample.provider, sample.event)).collect();
    let known = |command: &str, word: &str| match (command, word) {
        (_, "provider") | ("providers", "name") => Some(&providers),
        ("send", "what") => Some(&events),
        _ => None,
    };
    let taught = |command: Command| {
        let name = command.get_name().to_owned();
        command.mut_args(|arg| match known(&name, arg.get_id().as_str()) {
            Some(values) => arg.value_parser(PossibleValuesParser::new(values.iter().map(|name| leaked(name)))),
            None => arg,
        })
    };
    let whole = taught(Cli::command());
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    Ok(Command::new("creel")
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments().cloned())
        .subcommands(shown.map(taught)))
}

/// The parser's names live as long as the process, which ends when they are printed.
fn leaked(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_hears_of_every_command_and_of_the_values_that_are_known() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell).unwrap()).unwrap();
            for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
            assert!(!script.contains("__jq"), "{shell}: what is not for people");
            // Of the values of options PowerShell and elvish are told nothing by the generator.
            if matches!(shell, Shell::Bash | Shell::Zsh | Shell::Fish) {
                for word in ["httpie", "multipart", "close", "wrong-secret", "stripe", "github/push"] {
                    assert!(script.contains(word), "{shell}: {word}");
                }
            }
        }
    }
}
