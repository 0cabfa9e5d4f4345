//! Hints as the screen gives them: what other rooms say of options is said of keys here.

use crate::engine::{GIVE_WHOLE, LIST_CAPTURES, NAME_APP, edit::GIVE_SECRET, forward::SEND_ELSEWHERE};

/// What the engine says of options, and what is said of keys in its place; nothing, where nobody needs it here. `{undo}`
/// stands for the key of that command.
const HERE: &[(&str, &str)] = &[
    (NAME_APP, "`forward` in creel.toml names one; {resend-to} sends a capture to a URL"),
    (SEND_ELSEWHERE, "{resend-to} sends it to a URL"),
    (GIVE_SECRET, "give the endpoint its `secret` in creel.toml: once that is saved it is in force"),
    (GIVE_WHOLE, "`whole = true` in creel.toml gives a program such a body as a text"),
    (LIST_CAPTURES, ""),
];

/// A hint for somebody at the screen; none where there is nothing to say to them.
pub(super) fn here(hint: String) -> Option<String> {
    match HERE.iter().find(|(said, _)| *said == hint) {
        Some((_, "")) => None,
        Some((_, here)) => Some((*here).to_owned()),
        None => Some(hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::Keymap;

    #[test]
    fn no_hint_of_the_screens_speaks_of_an_option() {
        let keys = Keymap::default();
        for (said, _) in HERE {
            let words = here((*said).to_owned()).unwrap_or_default();
            let told = keys.told(&words);
            assert!(!told.contains("--") && !told.contains('{') && *said != told, "{told}");
        }
        assert_eq!(here("mend it".to_owned()).as_deref(), Some("mend it"));
    }
}
