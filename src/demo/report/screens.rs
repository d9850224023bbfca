//! What the panel showed: a bar over time, and the screens as pictures.

use super::album::Album;
use super::data::{Showing, Span, StageLine, Timed};
use crate::html::svg::{ticks, tint};
use crate::html::{Safe, chosen, heading};
use std::fmt::{self, Write};

const WIDTH: f64 = 1120.0;

/// Writes the bar, the pictures, and what the person did.
pub(super) fn write(
    out: &mut String,
    showings: &[Showing<'_>],
    stage: &[StageLine],
    span: Span,
    album: &mut Album<'_>,
) -> fmt::Result {
    heading(out, 3, "What the panel showed", "屏幕画面")?;
    if showings.is_empty() {
        return out.write_str(
            "<p class=\"none\">The recorder has no picture of the panel for this session.</p>\n",
        );
    }
    bar(out, showings, stage, span)?;
    out.push_str("<div class=\"screens\">\n");
    for (i, s) in showings.iter().enumerate() {
        out.push_str("<figure>");
        match album.screen(s.file) {
            Some(uri) => write!(out, "<img src=\"{uri}\" alt=\"{}\">", Safe(s.screen))?,
            None => out.push_str("<div class=\"blank\">picture missing 图像缺失</div>"),
        }
        writeln!(
            out,
            "<figcaption><b class=\"no\" style=\"background:{}\">{}</b> {}<br><small>{:.1} s, for {:.1} s</small></figcaption></figure>",
            tint(s.screen),
            i + 1,
            Safe(s.screen),
            s.from_s,
            s.to_s - s.from_s
        )?;
    }
    out.push_str("</div>\n");
    if !stage.is_empty() {
        out.push_str(
            "<details><summary>What the person in the scene did 场景中的动作</summary><table>",
        );
        for line in stage {
            writeln!(
                out,
                "<tr><td class=\"n\">{:.2} s</td><td>{}</td></tr>",
                span.seconds(line.at_ns()),
                Safe(&line.event)
            )?;
        }
        out.push_str("</table></details>\n");
    }
    Ok(())
}

fn bar(out: &mut String, showings: &[Showing<'_>], stage: &[StageLine], span: Span) -> fmt::Result {
    let length = span.length_s().max(0.1);
    let x = |s: f64| (s / length).clamp(0.0, 1.0) * (WIDTH - 20.0) + 10.0;
    writeln!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} 86\" class=\"bar\" role=\"img\" aria-label=\"screens over time\">"
    )?;
    for (i, s) in showings.iter().enumerate() {
        let (from, to) = (x(s.from_s), x(s.to_s));
        write!(
            out,
            "<g><title>{}: {:.1} to {:.1} s</title><rect x=\"{from:.1}\" y=\"18\" width=\"{:.1}\" height=\"34\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"1.5\"/>",
            Safe(s.screen),
            s.from_s,
            s.to_s,
            (to - from).max(1.0),
            tint(s.screen)
        )?;
        let no = i + 1;
        let room = to - from;
        let named = format!("{no} {}", s.screen);
        if room > 6.8 * named.len() as f64 + 6.0 {
            write!(
                out,
                "<text x=\"{:.1}\" y=\"39\" class=\"name\">{}</text>",
                from + 5.0,
                Safe(&named)
            )?;
        } else if room > 8.0 * no.to_string().len() as f64 {
            write!(
                out,
                "<text x=\"{:.1}\" y=\"39\" text-anchor=\"middle\" class=\"name\">{no}</text>",
                f64::midpoint(from, to)
            )?;
        }
        out.push_str("</g>\n");
    }
    for line in stage {
        let at = x(span.seconds(line.at_ns()));
        write!(
            out,
            "<path d=\"M{:.1} 6h8l-4 8z\" fill=\"#556\"><title>{:.1} s: {}</title></path>",
            at - 4.0,
            span.seconds(line.at_ns()),
            Safe(&line.event)
        )?;
    }
    write!(out, "<path d=\"M10 58H{}\" class=\"axis\"/>", WIDTH - 10.0)?;
    for second in ticks(0.0, length, 14.0) {
        let at = x(second);
        write!(
            out,
            "<path d=\"M{at:.1} 58v4\" class=\"axis\"/><text x=\"{at:.1}\" y=\"76\" text-anchor=\"middle\">{} s</text>",
            chosen(second)
        )?;
    }
    out.write_str("</svg>\n")?;
    if stage.is_empty() {
        return Ok(());
    }
    out.write_str("<p class=\"legend\"><span><svg viewBox=\"0 0 10 10\" class=\"key\"><path d=\"M1 1h8l-4 8z\" fill=\"#556\"/></svg>something the person in the scene did 场景中的动作</span></p>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Moment;
    use std::path::Path;

    #[test]
    fn screens_are_numbered_named_and_timed() {
        let showings = [
            Showing {
                from_s: 0.0,
                to_s: 6.0,
                screen: "idle",
                file: "panel/1.png",
            },
            Showing {
                from_s: 6.0,
                to_s: 6.2,
                screen: "a<b",
                file: "panel/2.png",
            },
            Showing {
                from_s: 6.2,
                to_s: 10.0,
                screen: "result.verified",
                file: "panel/3.png",
            },
        ];
        let span = Span::new(Moment::from_millis(0), Moment::from_millis(10_000));
        let mut album = Album::new(Path::new("no-such-folder"));
        let mut out = String::new();
        write(&mut out, &showings, &[], span, &mut album).expect("a String takes everything");
        for part in [
            ">1 idle</text>",
            "<title>a&lt;b: 6.0 to 6.2 s</title>",
            ">3 result.verified</text>",
            "6.2 s, for 3.8 s",
            "picture missing",
        ] {
            assert!(out.contains(part), "{part:?} in {out}");
        }
        assert!(!out.contains("What the person"), "{out}");
    }
}
