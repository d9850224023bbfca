//! libFuzzer's entry to [`boothd_fuzz::mrz`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::mrz::run(data));
