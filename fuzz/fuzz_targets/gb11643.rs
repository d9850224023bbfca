//! libFuzzer's entry to [`boothd_fuzz::gb11643`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::gb11643::run(data));
