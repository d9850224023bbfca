//! The machine, and the memory of a process, as the kernel tells it.

/// One line: model of the processor, cores, load.
pub(crate) fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        // `model name` on x86; boards say `Model` or `Hardware` at the end.
        .find(|l| {
            ["model name", "Model", "Hardware"]
                .iter()
                .any(|k| l.starts_with(k))
        })
        .and_then(|l| l.split(':').nth(1))
        .unwrap_or("unknown processor")
        .trim()
        .to_owned();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!(
        "{} {model}, {cores} cores, load {} at the start",
        std::env::consts::ARCH,
        load.join(" ")
    )
}

/// A line of `/proc/PROCESS/status` in MiB (`VmRSS`, `VmHWM`); NaN if it cannot be read.
pub(crate) fn memory_mib(process: &str, key: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|l| l.strip_prefix(key)?.strip_prefix(':'))
        .and_then(|l| l.trim().strip_suffix(" kB")?.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib / 1024.0)
}
