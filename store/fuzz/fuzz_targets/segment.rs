//! Any bytes as a segment: refused or read, and what is read folds into a history.
//!
//! A panic of the Parquet reader is contained by `decode`, and so is no finding; one of ours is.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rasher::history::History;
use rasher_store::segment;

fuzz_target!(
    init: {
        std::panic::set_hook(Box::new(|why| {
            let place = why.location().map_or("", |place| place.file());
            if !place.contains("parquet-") && !place.contains("bytes-") {
                eprintln!("{why}");
                std::process::abort();
            }
        }));
    },
    |bytes: &[u8]| {
        if let Ok(read) = segment::decode(&Bytes::copy_from_slice(bytes)) {
            let again = segment::encode(&read.context, &read.recording);
            assert!(again.is_ok(), "{again:?}");
            let environment = read.context.environment.clone();
            let folded = History::of(environment, vec![read]);
            assert!(folded.is_ok(), "{folded:?}");
        }
    }
);
