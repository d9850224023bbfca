//! libFuzzer's entry to [`boothd_fuzz::manifest`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::manifest::run(data));
