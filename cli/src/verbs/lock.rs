//! `rasher lock`: one merge run at a time.
//!
//! A merge run takes the lock, judges, merges and gives the lock back. The number it was given goes
//! to `rasher verdict --merge-fence`, which blocks where the lock was lost in between.

use jiff::{SignedDuration, Timestamp};
use rasher::bypass::lock::{LOCK_SCHEMA, Lease, LockError};
use rasher::error::ErrorKind;
use rasher::units::Micros;
use serde::Serialize;

use crate::clock;
use crate::fault::{Exit, Fault};
use crate::session::{Session, store_fault};

/// Options of `lock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// What to do with the merge lock of the store
    #[arg(value_name = "WHAT", default_value = "show")]
    what: What,
    /// Who takes it: a name that no other merge run has [default: the CI's run]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// The number that taking it gave
    #[arg(long, value_name = "N", required_if_eq_any = [("what", "renew"), ("what", "release")])]
    fence: Option<u64>,
    /// It is free again after so long, should nobody give it back
    #[arg(long, value_name = "SPAN", default_value = "30m")]
    lease: Micros,
    /// The instant, as RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Say who holds it
    Show,
    /// Take it; its number is printed
    Acquire,
    /// Hold it longer
    Renew,
    /// Give it back
    Release,
}

/// The document.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    lease: Option<Lease>,
}

/// Does it. Exit code 1 where another holds it, or it was lost.
pub(crate) fn run(flags: &Flags, session: &Session) -> Result<Exit, Fault> {
    let at = flags.at.unwrap_or_else(clock::now);
    let store = session.open_store()?;
    let span = i64::try_from(flags.lease.get()).unwrap_or(i64::MAX);
    let span = SignedDuration::from_micros(span);
    let fence = flags.fence.unwrap_or_default();
    let changed = match flags.what {
        What::Show => {
            let lock = store.merge_lock().map_err(|e| store_fault(&e))?;
            return show(session, flags.what, lock.lease(at).cloned());
        }
        What::Acquire => {
            let owner = owner(flags, session)?;
            store.change_merge_lock(|lock| lock.acquire(&owner, at, span).map(Some))
        }
        What::Renew => store.change_merge_lock(|lock| lock.renew(fence, at, span).map(Some)),
        What::Release => store.change_merge_lock(|lock| lock.release(fence, at).map(|()| None)),
    };
    match changed.map_err(|e| store_fault(&e))? {
        Ok(lease) => show(session, flags.what, lease),
        Err(refused) => Err(fault(&refused)),
    }
}

fn owner(flags: &Flags, session: &Session) -> Result<String, Fault> {
    let owner = session.settle("--owner", flags.owner.clone(), session.ci.run.clone());
    owner.filter(|owner| !owner.trim().is_empty()).ok_or_else(|| {
        Fault::usage("who takes the lock?").hint("say `--owner NAME`; no two merge runs share one")
    })
}

fn fault(refused: &LockError) -> Fault {
    let hint = match refused {
        LockError::Held { .. } => "wait for that merge, or for the end of its lease",
        LockError::Lost { .. } => "take it again and start this merge anew",
    };
    Fault::new(ErrorKind::Blocked, refused.to_string()).hint(hint)
}

fn show(session: &Session, what: What, lease: Option<Lease>) -> Result<Exit, Fault> {
    let document = Document { schema: LOCK_SCHEMA, lease };
    session.output.show(&document, |document| match (&document.lease, what) {
        // For scripts: `fence=$(rasher lock acquire)`.
        (Some(lease), What::Acquire) => lease.fence.to_string(),
        (Some(lease), _) => {
            let Lease { owner, fence, until, .. } = lease;
            format!("held by {} until {until}, number {fence}", owner.escape_debug())
        }
        (None, _) => "free".to_owned(),
    })?;
    Ok(Exit::DONE)
}
