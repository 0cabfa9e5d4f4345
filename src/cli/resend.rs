//! `creel resend`: captures thrown at an app again.

use clap::Args;

use super::{Answer, Common, show};
use crate::{
    engine::{Aim, Engine},
    export::json,
    record::{CaptureId, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct Resend {
    /// The captures' numbers
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
    /// The app; without a path the captured target is kept whole [default: the endpoint's `forward`]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Take an https certificate that nobody vouches for
    #[arg(long)]
    insecure: bool,
}

pub(super) fn run(resend: &Resend, common: &Common) -> Result<Answer, Failure> {
    let printer = common.printer();
    let engine = Engine::visit(common.settings()?);
    let mut answer = Answer::Yes;
    for &id in &resend.ids {
        let aim = Aim { to: resend.to.clone(), insecure: resend.insecure };
        let delivery = engine.resend(CaptureId(id), aim)?;
        if !delivery.status().is_some_and(|status| (200..300).contains(&status)) {
            answer = Answer::No;
        }
        if printer.json {
            let mut value = json::delivery(&delivery, true);
            // Several captures may be sent: each line says which.
            value["capture"] = id.into();
            printer.value(&value)?;
        } else {
            printer.line(&show::outcome(&delivery))?;
        }
        if !printer.json && !printer.quiet {
            delivery.receipt.iter().try_for_each(|change| printer.line(&format!("  {change}")))?;
        }
    }
    engine.stop()?;
    Ok(answer)
}
