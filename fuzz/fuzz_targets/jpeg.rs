//! libFuzzer's entry to [`boothd_fuzz::jpeg`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::jpeg::run(data));
