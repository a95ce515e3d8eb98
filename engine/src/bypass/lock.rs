//! One merge run at a time: a lease with an owner, an end and a fencing number.
//!
//! Decides who may run a merge at an instant. A run that outlived its lease is told so by its
//! number: numbers only grow, and an old one is never good again. Reads no clock.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The schema of a [`MergeLock`].
pub const LOCK_SCHEMA: &str = "rasher.lock/1";

/// A lease of the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it.
    pub owner: String,
    /// The fencing number.
    pub fence: u64,
    /// Since when.
    pub since: Timestamp,
    /// Until when, unless it is renewed.
    pub until: Timestamp,
}

/// Why a lock is not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Somebody else runs a merge.
    #[error("`{owner}` holds the merge lock until {until}")]
    Held {
        /// Who.
        owner: String,
        /// Until when at most.
        until: Timestamp,
    },
    /// The lease ended, or another took its place.
    #[error("the merge lock {fence} is not held any more")]
    Lost {
        /// The fencing number that was shown.
        fence: u64,
    },
}

/// The lock of all merge runs.
///
/// ```
/// use jiff::SignedDuration;
/// use rasher::bypass::lock::MergeLock;
/// let (now, hour) = ("2026-01-05T02:00:00Z".parse()?, SignedDuration::from_hours(1));
/// let mut lock = MergeLock::default();
/// let lease = lock.acquire("run 17", now, hour)?;
/// assert!(lock.acquire("run 18", now, hour).is_err());
/// assert!(lock.holds(lease.fence, now));
/// lock.release(lease.fence, now)?;
/// assert!(lock.acquire("run 18", now, hour).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeLock {
    schema: String,
    /// The newest fencing number given.
    fence: u64,
    lease: Option<Lease>,
}

impl Default for MergeLock {
    fn default() -> Self {
        Self { schema: LOCK_SCHEMA.to_owned(), fence: 0, lease: None }
    }
}

impl MergeLock {
    /// True where this version can read it.
    pub fn is_known(&self) -> bool {
        self.schema == LOCK_SCHEMA
    }

    /// The lease that holds at an instant.
    pub fn lease(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| now < lease.until)
    }

    /// Takes the lock. The owner that holds it already gets it anew, with a new number: its earlier
    /// attempt, should it still be alive, is fenced off.
    ///
    /// # Errors
    /// Where another owner holds it.
    pub fn acquire(
        &mut self,
        owner: &str,
        now: Timestamp,
        span: SignedDuration,
    ) -> Result<Lease, LockError> {
        if let Some(lease) = self.lease(now).filter(|lease| lease.owner != owner) {
            return Err(LockError::Held { owner: lease.owner.clone(), until: lease.until });
        }
        self.fence += 1;
        let lease =
            Lease { owner: owner.to_owned(), fence: self.fence, since: now, until: end(now, span) };
        Ok(self.lease.insert(lease).clone())
    }

    /// Holds it for `span` from now; a lease never becomes shorter by that.
    ///
    /// # Errors
    /// Where the number is not that of the lease that holds.
    pub fn renew(
        &mut self,
        fence: u64,
        now: Timestamp,
        span: SignedDuration,
    ) -> Result<Lease, LockError> {
        match &mut self.lease {
            Some(lease) if lease.fence == fence && now < lease.until => {
                lease.until = lease.until.max(end(now, span));
                Ok(lease.clone())
            }
            _ => Err(LockError::Lost { fence }),
        }
    }

    /// Gives it back.
    ///
    /// # Errors
    /// Where the number is not that of the lease that holds.
    pub fn release(&mut self, fence: u64, now: Timestamp) -> Result<(), LockError> {
        if !self.holds(fence, now) {
            return Err(LockError::Lost { fence });
        }
        self.lease = None;
        Ok(())
    }

    /// True where the number is that of the lease that holds.
    pub fn holds(&self, fence: u64, now: Timestamp) -> bool {
        self.lease(now).is_some_and(|lease| lease.fence == fence)
    }
}

fn end(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}
