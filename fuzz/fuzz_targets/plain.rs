//! libFuzzer's entry to [`boothd_fuzz::plain`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::plain::run(data));
