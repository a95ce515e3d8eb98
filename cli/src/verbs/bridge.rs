//! `rasher bridge`: one request of the JVM bridge, for a Java process that may load no library.

use std::path::Path;

use crate::fault::{Exit, Fault};
use crate::files;
use crate::session::Session;

/// Options of `bridge`: none.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {}

/// Answers; a failure of the request is an answer too.
pub(crate) fn run(_: &Flags, session: &Session) -> Result<Exit, Fault> {
    let request = files::read(Path::new("-"))?;
    session.output.bytes(&rasher_jni::call(&request))?;
    Ok(Exit::DONE)
}
