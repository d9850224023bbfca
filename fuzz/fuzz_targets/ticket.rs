//! libFuzzer's entry to [`boothd_fuzz::ticket`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::ticket::run(data));
