//! libFuzzer's entry to [`boothd_fuzz::print`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::print::run(data));
