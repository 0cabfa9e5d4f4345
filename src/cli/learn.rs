//! `creel providers learn`: how a sender signs whom creel does not know.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::{Answer, Common, Printer, Secrets, input};
use crate::{
    engine::{self, Settings, Terms, no_such_capture, settings::whole_url},
    record::{CaptureId, Failure, counted},
    store::{Bodies, Reader},
    verify::{Learned, Request, Unlearned, learn},
};

#[derive(Debug, Args)]
pub(super) struct Learn {
    /// The number of a capture that is signed; its endpoint's secrets are used unless others are given
    #[arg(value_name = "ID", value_parser = input::id)]
    id: i64,
    #[command(flatten)]
    secrets: Secrets,
    /// The URL as the sender knows it, which may be signed
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What the sender is called from now on; else as its headers tell
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Keep the file among your own providers
    #[arg(long)]
    save: bool,
}

pub(super) fn run(wish: &Learn, common: &Common) -> Result<Answer, Failure> {
    wish.url.as_deref().map_or(Ok(()), whole_url)?;
    let (id, printer) = (CaptureId(wish.id), common.printer());
    let doing = format!("finding out how capture {} is signed", id.0);
    let Settings { db, endpoints, .. } = common.settings()?;
    let capture = Reader::open(&db)?.capture(id, Bodies::Read)?.ok_or_else(|| no_such_capture(id))?;
    let mut terms = Terms::of(&capture, &endpoints, || None);
    if !wish.secrets.is_empty() {
        terms.secrets = wish.secrets.read()?;
    }
    terms.url = wish.url.clone().or(terms.url);
    let method = capture.head.method();
    let request = Request::of(&capture, &method, terms.url.as_deref());
    let catalog = engine::catalog()?;
    if let Some(provider) = terms.provider(&catalog, &request).filter(|_| wish.name.is_none()) {
        return Err(Failure::new(doing, format!("creel knows who sends so: {}", provider.title()))
            .hint(format!("`creel verify {}` judges it; with --name NAME creel looks all the same", id.0)));
    }
    if terms.secrets.is_empty() {
        return Err(Failure::new(doing, "there is no secret to try").hint("name it with --secret-env or --secret-file"));
    }
    if request.truncated || request.rewritten {
        return Err(Failure::new(doing, "its body is not the one that was sent, so that nothing can be proved by it")
            .hint("take another capture of the same sender"));
    }
    let learned = match learn(wish.name.as_deref(), &request, &terms.secrets) {
        Ok(learned) => learned,
        Err(vain) if printer.json => return printer.value(&unlearned(&vain)).map(|()| Answer::No),
        Err(vain) => {
            super::report(&why_not(&vain));
            return Ok(Answer::No);
        }
    };
    if wish.save && wish.name.is_none() && catalog.get(&learned.name).is_some() {
        return Err(Failure::new(doing, format!("creel knows another sender by the name `{}`", learned.name))
            .hint("give this one a name of its own with --name"));
    }
    let saved = wish.save.then(|| engine::keep_provider(&learned.name, &learned.file)).transpose()?;
    print(&learned, id, saved.as_deref(), &printer).map(|()| Answer::Yes)
}

fn print(learned: &Learned, id: CaptureId, saved: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let Learned { name, file, place, how, is_told, tried } = learned;
    let path = saved.map(|path| path.display().to_string());
    if printer.json {
        return printer.value(
            &json!({ "provider": name, "place": place, "how": how, "tried": tried, "file": file, "saved": path }),
        );
    }
    if !printer.quiet {
        let tried = counted(*tried, "candidate");
        let proof = format!("with this secret: proved by capture {id}, {tried} tried");
        super::report(&format!("{place} is {how}, {proof}"));
    }
    match path {
        Some(path) if *is_told => printer.line(&format!(
            "saved as {path}: creel goes by it from now on, with the secret of the endpoint; `creel verify {id} --keep` judges this one"
        )),
        Some(path) => printer.line(&format!(
            "saved as {path}: nothing in its headers tells it, so name it: `provider = \"{name}\"` in its endpoint"
        )),
        None => file.lines().try_for_each(|line| printer.line(line)),
    }
}

fn unlearned(vain: &Unlearned) -> serde_json::Value {
    json!({ "provider": null, "places": vain.places, "tried": vain.tried, "cut": vain.is_cut })
}

fn why_not(vain: &Unlearned) -> String {
    let Unlearned { places, tried, is_cut } = vain;
    let tried = counted(*tried, "candidate");
    let end = if *is_cut { "; more were left out, since they would take too long" } else { "" };
    match places.as_slice() {
        [] => format!("none of its headers looks like a signature, and none is the secret itself ({tried} tried{end})"),
        places => format!(
            "nothing fits {}: {tried} tried{end}\n  is it the secret of this very hook? A URL that is signed may be another one here: --url",
            places.join(", ")
        ),
    }
}
