//! Pictures made of lines: plots over time, or over pictures, with axes, units and legends.
//!
//! All plots of a session share the time axis (seconds since its begin) and its margins, so that what stands above one another
//! happened at the same time.

use super::{Safe, chosen};
use std::fmt::{self, Write};

/// Width of a plot in its own units.
const WIDTH: f64 = 560.0;
/// Height of a plot.
const HEIGHT: f64 = 220.0;
/// Left, upper, right, lower margin.
const MARGIN: (f64, f64, f64, f64) = (50.0, 22.0, 14.0, 32.0);
/// A line is broken where nothing was measured for so long, in seconds.
const GAP_S: f64 = 0.8;

/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008), each with a dash pattern of its own.
const STYLES: [(&str, &str); 7] = [
    ("#0072b2", ""),
    ("#d55e00", "7 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "9 3 2 3"),
    ("#e69f00", "5 2"),
    ("#333333", "1 3"),
    ("#56b4e9", "12 4"),
];

/// How values are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Straight lines between measurements, broken at gaps.
    Line,
    /// A value holds until the next one, without gaps.
    Hold,
    /// Not at all: each is of something else.
    Dots,
}

/// A quantity over time.
#[derive(Clone, Debug)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Seconds and value, in the order of time.
    pub points: Vec<(f64, f64)>,
    /// How values are joined.
    pub join: Join,
}

/// A range of values to aim at, or a limit if both ends are equal.
#[derive(Clone, Debug)]
pub struct Band {
    /// From.
    pub low: f64,
    /// To.
    pub high: f64,
    /// Name in the legend.
    pub name: String,
    /// Name of the phases in which it holds; `None` for all the time.
    pub phase: Option<&'static str>,
}

impl Band {
    /// Draws it from `left` to `right` (places on the plot).
    fn write(&self, out: &mut String, axis: &Axis, left: f64, right: f64) -> fmt::Result {
        let (upper, lower) = (axis.y(self.high), axis.y(self.low));
        let width = (right - left).max(0.0);
        if self.low < self.high {
            writeln!(
                out,
                "<rect x=\"{left:.1}\" y=\"{upper:.1}\" width=\"{width:.1}\" height=\"{:.1}\" class=\"target\"/>",
                lower - upper
            )
        } else {
            writeln!(
                out,
                "<path d=\"M{left:.1} {upper:.1}h{width:.1}\" class=\"limit\"/>"
            )
        }
    }
}

/// A stretch of the time axis with a name and a tint.
#[derive(Clone, Debug)]
pub struct Phase<'a> {
    /// From, seconds.
    pub from_s: f64,
    /// To, seconds.
    pub to_s: f64,
    /// The name.
    pub name: &'a str,
}

impl<'a> Phase<'a> {
    /// Stretches of one name each, of what stands from a moment on (seconds, name), in the order of time; nothing stands where the name is empty. The
    /// last one is `last_s` long.
    pub fn of(steps: impl Iterator<Item = (f64, &'a str)>, last_s: f64) -> Vec<Self> {
        let mut phases: Vec<Self> = Vec::new();
        for (at, name) in steps {
            if let Some(last) = phases.last_mut() {
                last.to_s = at;
                if last.name == name {
                    continue;
                }
            }
            phases.push(Self {
                from_s: at,
                to_s: at,
                name,
            });
        }
        if let Some(last) = phases.last_mut() {
            last.to_s += last_s;
        }
        phases.retain(|p| !p.name.is_empty());
        phases
    }
}

/// The vertical axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// From 0 or the least value to the largest, or at least the range given.
    Linear(f64, f64),
    /// Logarithmic, as far as the values go; for values above 0.
    Log,
}

/// A plot over time.
#[derive(Clone, Debug)]
pub struct Plot<'a> {
    /// Title in English and Chinese.
    pub title: (&'a str, &'a str),
    /// Unit of the values.
    pub unit: &'a str,
    /// The vertical axis.
    pub scale: Scale,
    /// The axis across: from and to, in seconds since the session's begin, or whatever `across` says.
    pub time: (f64, f64),
    /// Unit of the axis across.
    pub across: &'a str,
    /// Stretches of time.
    pub phases: &'a [Phase<'a>],
    /// What is drawn.
    pub series: Vec<Series>,
    /// Targets and limits.
    pub bands: Vec<Band>,
}

/// Tint of a group of screens.
pub fn tint(screen: &str) -> &'static str {
    match screen.split('.').next().unwrap_or_default() {
        "show_ticket" | "consent" | "preflight" => "#dce9f5",
        "document" => "#fbe9cf",
        "face" => "#d9eee5",
        "retry" => "#f4e0ec",
        "result" | "hand_over" | "out_of_service" => "#e8e3f3",
        _ => "#eef0f1",
    }
}

/// Values at which an axis from `low` to `high` is marked: about `n` of them, on 1, 2 or 5 times a power of ten.
pub fn ticks(low: f64, high: f64, n: f64) -> Vec<f64> {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) {
        return vec![low];
    }
    let rough = span / n.max(1.0);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= rough * 0.999)
        .unwrap_or(power * 10.0);
    let (from, to) = (
        (low / step - 1e-9).ceil() as i64,
        (high / step + 1e-9).floor() as i64,
    );
    (from..=to).map(|i| i as f64 * step).collect()
}

/// Where values lie on the vertical axis.
struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    fn of(plot: &Plot<'_>) -> Self {
        let values = plot
            .series
            .iter()
            .flat_map(|s| s.points.iter().map(|p| p.1))
            .chain(plot.bands.iter().flat_map(|b| [b.low, b.high]));
        let (low, high) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                (l.min(v), h.max(v))
            });
        match plot.scale {
            Scale::Linear(least, most) => {
                let (low, high) = (low.min(least), high.max(most));
                // Room above and below what sticks out of the range that was asked for.
                let room = (high - low) * 0.06;
                Self {
                    low: if low < least { low - room } else { low },
                    high: if high > most { high + room } else { high },
                    log: false,
                }
            }
            Scale::Log => {
                let low = if low.is_finite() { low.max(1e-6) } else { 1.0 };
                let high = high.max(low * 1.01);
                Self {
                    low: (low.log10() - 0.15).min(high.log10() - 0.6),
                    high: (high.log10() + 0.15).max(low.log10() + 0.6),
                    log: true,
                }
            }
        }
    }

    /// The place of a value, in the plot's units.
    fn y(&self, value: f64) -> f64 {
        let v = if self.log {
            value.max(1e-9).log10()
        } else {
            value
        };
        let share = ((v - self.low) / (self.high - self.low)).clamp(-0.02, 1.02);
        HEIGHT - MARGIN.3 - share * (HEIGHT - MARGIN.1 - MARGIN.3)
    }

    fn ticks(&self) -> Vec<f64> {
        if !self.log {
            return ticks(self.low, self.high, 5.0);
        }
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        decades
            .flat_map(|d| [1.0, 2.0, 5.0].map(|m| m * 10_f64.powi(d)))
            .filter(|v| (self.low..=self.high).contains(&v.log10()))
            .collect()
    }
}

fn x(plot: &Plot<'_>, seconds: f64) -> f64 {
    let (from, to) = plot.time;
    let share = ((seconds - from) / (to - from).max(0.1)).clamp(0.0, 1.0);
    MARGIN.0 + share * (WIDTH - MARGIN.0 - MARGIN.2)
}

impl Plot<'_> {
    /// Writes the plot as a `figure`; a plot without a single value says so.
    ///
    /// # Errors
    /// None but those of `out`.
    pub fn write(&self, out: &mut String) -> fmt::Result {
        let (en, zh) = self.title;
        write!(
            out,
            "<figure class=\"plot\"><figcaption>{} <span class=\"zh\" lang=\"zh-Hans\">{}</span></figcaption>",
            Safe(en),
            Safe(zh)
        )?;
        if self.series.iter().all(|s| s.points.is_empty()) {
            return out.write_str("<p class=\"none\">nothing was measured 无数据</p></figure>\n");
        }
        let axis = Axis::of(self);
        writeln!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            Safe(en)
        )?;
        self.write_ground(out, &axis)?;
        for (series, style) in self.series.iter().zip(STYLES.iter().cycle()) {
            let path = self.path(series, &axis);
            writeln!(
                out,
                "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"{}/>",
                style.0,
                if series.join == Join::Dots { 5.0 } else { 1.8 },
                dash(style.1)
            )?;
        }
        out.push_str("</svg><p class=\"legend\">");
        for (series, style) in self.series.iter().zip(STYLES.iter().cycle()) {
            let none = if series.points.is_empty() {
                " (none)"
            } else {
                ""
            };
            write!(
                out,
                "<span><svg viewBox=\"0 0 26 8\" class=\"key\"><path d=\"M1 4H25\" stroke=\"{}\" stroke-width=\"2.4\"{}/></svg>{}{none}</span> ",
                style.0,
                dash(style.1),
                Safe(&series.name),
            )?;
        }
        for band in &self.bands {
            let key = if band.low < band.high {
                "<rect width=\"26\" height=\"8\" class=\"target\"/>"
            } else {
                "<path d=\"M0 4H26\" class=\"limit\"/>"
            };
            write!(
                out,
                "<span><svg viewBox=\"0 0 26 8\" class=\"key\">{key}</svg>{}</span> ",
                Safe(&band.name),
            )?;
        }
        out.write_str("</p></figure>\n")
    }

    /// Phases, bands, grid and axes.
    fn write_ground(&self, out: &mut String, axis: &Axis) -> fmt::Result {
        let (left, top) = (MARGIN.0, MARGIN.1);
        let (right, bottom) = (WIDTH - MARGIN.2, HEIGHT - MARGIN.3);
        for phase in self.phases {
            let (from, to) = (x(self, phase.from_s), x(self, phase.to_s));
            writeln!(
                out,
                "<rect x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\" fill-opacity=\".55\"/>",
                to - from,
                bottom - top,
                tint(phase.name)
            )?;
            if to - from > 6.2 * phase.name.len() as f64 {
                writeln!(
                    out,
                    "<text x=\"{:.1}\" y=\"{}\" class=\"faint\">{}</text>",
                    from + 3.0,
                    bottom - 4.0,
                    Safe(phase.name)
                )?;
            }
        }
        for band in &self.bands {
            match band.phase {
                None => band.write(out, axis, left, right)?,
                Some(name) => {
                    for phase in self.phases.iter().filter(|p| p.name == name) {
                        band.write(out, axis, x(self, phase.from_s), x(self, phase.to_s))?;
                    }
                }
            }
        }
        for value in axis.ticks() {
            let y = axis.y(value);
            writeln!(
                out,
                "<path d=\"M{left} {y:.1}H{right}\" class=\"grid\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 6.0,
                y + 4.0,
                chosen(value)
            )?;
        }
        for second in ticks(self.time.0, self.time.1.max(self.time.0 + 0.1), 8.0) {
            let at = x(self, second);
            writeln!(
                out,
                "<path d=\"M{at:.1} {bottom}v4\" class=\"axis\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 15.0,
                chosen(second)
            )?;
        }
        writeln!(
            out,
            "<path d=\"M{left} {top}V{bottom}H{right}\" class=\"axis\" fill=\"none\"/><text x=\"6\" y=\"14\" class=\"unit\">{}</text><text x=\"{right}\" y=\"{}\" text-anchor=\"end\" class=\"unit\">{}</text>",
            Safe(self.unit),
            HEIGHT - 4.0,
            Safe(self.across)
        )
    }

    /// The series as an SVG path.
    fn path(&self, series: &Series, axis: &Axis) -> String {
        let mut path = String::new();
        let mut last: Option<(f64, f64)> = None;
        let mut write = |command: char, at: f64, y: f64| {
            // Writing to a String cannot fail.
            let _ = write!(path, "{command}{at:.1} {y:.1}");
        };
        let points = series.points.iter().filter(|p| p.1.is_finite());
        for &(second, value) in points {
            let (at, y) = (x(self, second), axis.y(value));
            match (last, series.join) {
                (None, _) => {
                    write('M', at, y);
                    // A lone value is a dot: round ends make it visible.
                    write('L', at, y);
                }
                (Some((_, before)), Join::Hold) => {
                    write('L', at, axis.y(before));
                    write('L', at, y);
                }
                (Some((then, _)), Join::Line) if second - then <= GAP_S => write('L', at, y),
                (Some(_), Join::Line | Join::Dots) => {
                    write('M', at, y);
                    write('L', at, y);
                }
            }
            last = Some((second, value));
        }
        if let (Some((_, value)), Join::Hold) = (last, series.join) {
            write('L', x(self, self.time.1), axis.y(value));
        }
        path
    }
}

fn dash(pattern: &str) -> String {
    if pattern.is_empty() {
        String::new()
    } else {
        format!(" stroke-dasharray=\"{pattern}\"")
    }
}

#[cfg(test)]
#[path = "svg_tests.rs"]
mod tests;
