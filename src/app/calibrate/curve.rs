//! Curves of error rates as one SVG picture: panels side by side, each with its axes, lines, 95 % intervals and a legend below.

use std::fmt::{self, Write};

/// Width and height of a panel without its legend.
const SIZE: (f64, f64) = (520.0, 380.0);
/// Left, upper, right, lower margin.
const MARGIN: (f64, f64, f64, f64) = (64.0, 34.0, 16.0, 46.0);
/// Height of a line of the legend.
const LINE: f64 = 18.0;
/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008), each with a dash pattern of its own.
const STYLES: [(&str, &str); 6] = [
    ("#0072b2", "none"),
    ("#d55e00", "7 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "9 3 2 3"),
    ("#e69f00", "5 2"),
    ("#333333", "1 3"),
];

/// How values lie on an axis, from and to. What lies outside is drawn at the edge: on logarithmic axes that is where zero is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// As they are.
    Linear(f64, f64),
    /// By powers of ten.
    Log(f64, f64),
    /// By the logarithm of p/(1-p).
    LogOdds(f64, f64),
}

/// x, y, and the interval of y.
pub(super) type Measured = (f64, f64, Option<(f64, f64)>);

/// A line of a panel.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Name in the legend.
    pub(super) name: String,
    /// Its values, in order.
    pub(super) points: Vec<Measured>,
}

/// One picture of curves.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// What it shows.
    pub(super) title: &'static str,
    /// Name and scale of the horizontal axis.
    pub(super) x: (&'static str, Scale),
    /// Name and scale of the vertical axis.
    pub(super) y: (&'static str, Scale),
    /// The lines.
    pub(super) series: Vec<Series>,
    /// A value of x that is marked: the threshold in use.
    pub(super) mark: Option<f64>,
}

impl Scale {
    /// Where a value lies, 0..=1.
    fn share(self, value: f64) -> f64 {
        let odds = |p: f64| (p / (1.0 - p)).ln();
        let (v, low, high) = match self {
            Self::Linear(low, high) => (value, low, high),
            Self::Log(low, high) => (value.max(low).ln(), low.ln(), high.ln()),
            Self::LogOdds(low, high) => (odds(value.clamp(low, high)), odds(low), odds(high)),
        };
        ((v - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Values that are marked.
    fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear(low, high) => (0..=5)
                .map(|i| low + (high - low) * f64::from(i) / 5.0)
                .collect(),
            Self::Log(low, high) => {
                let decades = low.log10().round() as i32..=high.log10().round() as i32;
                decades.map(|d| 10_f64.powi(d)).collect()
            }
            Self::LogOdds(low, high) => [0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999]
                .into_iter()
                .filter(|v| (low..=high).contains(v))
                .collect(),
        }
    }
}

/// A value at an axis, as short as it can be read.
fn label(value: f64) -> String {
    if value != 0.0 && value < 0.000_099 {
        format!("{value:.0e}")
    } else {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Text in SVG.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The panels as one SVG file.
pub(super) fn figure(panels: &[Panel]) -> Result<String, fmt::Error> {
    let most = panels.iter().map(|p| p.series.len()).max().unwrap_or(0);
    let (width, height) = (
        SIZE.0 * panels.len() as f64,
        SIZE.1 + LINE * most as f64 + 10.0,
    );
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>"
    )?;
    for (i, panel) in panels.iter().enumerate() {
        writeln!(out, "<g transform=\"translate({} 0)\">", SIZE.0 * i as f64)?;
        panel.write(&mut out)?;
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    Ok(out)
}

impl Panel {
    fn x(&self, value: f64) -> f64 {
        MARGIN.0 + self.x.1.share(value) * (SIZE.0 - MARGIN.0 - MARGIN.2)
    }

    fn y(&self, value: f64) -> f64 {
        SIZE.1 - MARGIN.3 - self.y.1.share(value) * (SIZE.1 - MARGIN.1 - MARGIN.3)
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let (left, top) = (MARGIN.0, MARGIN.1);
        let (right, bottom) = (SIZE.0 - MARGIN.2, SIZE.1 - MARGIN.3);
        writeln!(
            out,
            "<text x=\"{left}\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{}</text>",
            escaped(self.title)
        )?;
        for value in self.x.1.ticks() {
            let at = self.x(value);
            writeln!(
                out,
                "<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                label(value)
            )?;
        }
        for value in self.y.1.ticks() {
            let at = self.y(value);
            writeln!(
                out,
                "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 6.0,
                at + 4.0,
                label(value)
            )?;
        }
        writeln!(
            out,
            "<path d=\"M{left} {top}V{bottom}H{right}\" stroke=\"#222\" fill=\"none\"/>\
             <text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            (left + right) / 2.0,
            bottom + 36.0,
            escaped(self.x.0),
            (top + bottom) / 2.0,
            escaped(self.y.0)
        )?;
        if let Some(mark) = self.mark {
            let at = self.x(mark);
            writeln!(
                out,
                "<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#222\" stroke-dasharray=\"4 4\"/><text x=\"{:.1}\" y=\"{}\">in use</text>",
                at + 4.0,
                top + 12.0
            )?;
        }
        for ((i, series), (colour, dash)) in
            self.series.iter().enumerate().zip(STYLES.iter().cycle())
        {
            self.write_series(out, series, colour, dash)?;
            let y = SIZE.1 + LINE * i as f64 + 8.0;
            writeln!(
                out,
                "<path d=\"M{left} {y}h26\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/><text x=\"{}\" y=\"{}\">{}</text>",
                left + 34.0,
                y + 4.0,
                escaped(&series.name)
            )?;
        }
        Ok(())
    }

    /// The interval as a pale area, the line above it.
    fn write_series(
        &self,
        out: &mut String,
        series: &Series,
        colour: &str,
        dash: &str,
    ) -> fmt::Result {
        let place = |x: f64, y: f64| format!("{:.1} {:.1}", self.x(x), self.y(y));
        let finite = || {
            series
                .points
                .iter()
                .filter(|(x, y, _)| x.is_finite() && y.is_finite())
        };
        let bands: Vec<(f64, f64, f64)> = finite()
            .filter_map(|(x, _, band)| band.map(|(low, high)| (*x, low, high)))
            .collect();
        let there = bands.iter().map(|(x, low, _)| place(*x, *low));
        let back = bands.iter().rev().map(|(x, _, high)| place(*x, *high));
        let area: Vec<String> = there.chain(back).collect();
        if !area.is_empty() {
            writeln!(
                out,
                "<path d=\"M{}Z\" fill=\"{colour}\" fill-opacity=\".15\"/>",
                area.join("L")
            )?;
        }
        let line: Vec<String> = finite().map(|(x, y, _)| place(*x, *y)).collect();
        if line.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/>",
            line.join("L")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(points: Vec<Measured>) -> Panel {
        Panel {
            title: "A < B",
            x: ("FMR", Scale::Log(1e-2, 1.0)),
            y: ("FNMR", Scale::Linear(0.0, 1.0)),
            series: vec![Series {
                name: "a & b".to_owned(),
                points,
            }],
            mark: Some(0.1),
        }
    }

    #[test]
    fn lines_and_intervals_lie_where_their_axes_say() {
        // The panel's axes are 440 wide from 64 and 300 high from 34.
        let svg = figure(&[panel(vec![
            (1.0, 0.0, Some((0.0, 0.5))),
            (0.1, 0.5, Some((0.25, 1.0))),
            (0.0, 1.0, None),
            (f64::NAN, 1.0, None),
        ])])
        .expect("text");
        for part in [
            "d=\"M504.0 334.0L284.0 184.0L64.0 34.0\"",
            "d=\"M504.0 334.0L284.0 259.0L284.0 34.0L504.0 184.0Z\"",
            "d=\"M284.0 34V334\" stroke=\"#222\"",
            "A &lt; B",
            "a &amp; b",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn nothing_measured_draws_axes_only() {
        let svg = figure(&[panel(Vec::new())]).expect("text");
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    }

    #[test]
    fn axes_are_marked_at_round_values() {
        let check = |scale: Scale, expected: &[&str]| {
            let found: Vec<String> = scale.ticks().into_iter().map(label).collect();
            assert_eq!(found, expected);
        };
        check(
            Scale::Log(1e-6, 1.0),
            &["1e-6", "1e-5", "0.0001", "0.001", "0.01", "0.1", "1"],
        );
        check(
            Scale::Linear(0.8, 1.0),
            &["0.8", "0.84", "0.88", "0.92", "0.96", "1"],
        );
        check(
            Scale::LogOdds(0.01, 0.99),
            &["0.01", "0.1", "0.5", "0.9", "0.99"],
        );
    }
}
