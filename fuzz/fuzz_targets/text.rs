//! libFuzzer's entry to [`boothd_fuzz::text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::text::run(data));
