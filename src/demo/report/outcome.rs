//! The outcome as the wallet received it, as tables and as JSON.

use crate::html::{Safe, heading, number, table_head};
use serde_json::Value;
use std::fmt::{self, Write};

/// A member as text; `–` if it is not there or `null`.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(s)) if s.is_empty() => "–".to_owned(),
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.as_f64().map_or_else(|| n.to_string(), number),
        Some(Value::Array(a)) if a.is_empty() => "–".to_owned(),
        Some(Value::Bool(b)) => if *b { "yes" } else { "no" }.to_owned(),
        Some(other) => other.to_string(),
    }
}

/// A member as text; nothing if it is not there.
fn text_or_blank(value: Option<&Value>) -> String {
    Some(text(value)).filter(|t| t != "–").unwrap_or_default()
}

/// Class of colour for a result or a check's outcome. Text says the same: colour is never alone.
pub(super) fn tone(word: &str) -> &'static str {
    match word {
        "verified" | "passed" | "match" | "practice" | "ok" | "yes" => "good",
        "review" | "pending" | "not_possible" | "not_read" | "inconclusive" => "look",
        "not_tested" | "–" => "plain",
        _ => "bad",
    }
}

/// A word in its colour.
pub(super) fn chip(word: &str) -> String {
    format!("<span class=\"chip {}\">{}</span>", tone(word), Safe(word))
}

/// Codes of the reasons, the primary one first.
pub(super) fn reasons(outcome: &Value) -> Vec<String> {
    outcome
        .get("reasons")
        .and_then(Value::as_array)
        .map(|all| all.iter().map(|r| text(r.get("code"))).collect())
        .unwrap_or_default()
}

/// Writes the outcome, or that there was none.
pub(super) fn write(
    out: &mut String,
    outcome: Option<&Value>,
    header: Option<&Value>,
) -> fmt::Result {
    heading(
        out,
        3,
        "The outcome as the wallet received it",
        "钱包收到的结果",
    )?;
    let Some(outcome) = outcome else {
        out.push_str("<p class=\"none\">The wallet received no outcome for this session. 钱包未收到结果。</p>\n");
        return json(out, "JWS header 签名头", header);
    };
    out.push_str("<div class=\"cards\">");
    for (en, zh, key) in [
        ("result", "结果", "result"),
        ("disposition", "后续处理", "disposition"),
        ("attribution", "归因", "attribution"),
        ("message", "用户提示", "message"),
        ("uses an attempt", "计入次数", "uses_attempt"),
        ("specimen", "样本证件", "specimen"),
    ] {
        let word = text(outcome.get(key));
        let shown = if key == "result" {
            chip(&word)
        } else {
            Safe(&word).to_string()
        };
        write!(
            out,
            "<div><small>{en} <span lang=\"zh-Hans\">{zh}</span></small><b>{shown}</b></div>"
        )?;
    }
    out.push_str("</div>\n");
    write_reasons(out, outcome)?;
    write_checks(out, outcome)?;
    out.push_str("<div class=\"two\">");
    write_fields(out, outcome)?;
    write_basis(out, outcome)?;
    out.push_str("</div>\n");
    json(out, "Outcome, complete 完整结果 (JSON)", Some(outcome))?;
    json(out, "JWS header 签名头 (JSON)", header)
}

fn write_reasons(out: &mut String, outcome: &Value) -> fmt::Result {
    let Some(all) = outcome
        .get("reasons")
        .and_then(Value::as_array)
        .filter(|a| !a.is_empty())
    else {
        return out.write_str("<p>Reasons 原因: none 无</p>\n");
    };
    out.push_str("<table>");
    table_head(
        out,
        &[
            ("Reason", "原因"),
            ("Attribution", "归因"),
            ("Disposition", "处理"),
            ("Message", "提示"),
            ("Measured", "测量"),
        ],
    )?;
    for reason in all {
        writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>",
            Safe(text(reason.get("code"))),
            Safe(text(reason.get("attribution"))),
            Safe(text(reason.get("disposition"))),
            Safe(text(reason.get("message"))),
            Safe(measure(reason.get("measure"))),
        )?;
    }
    out.write_str("</table>\n")
}

/// `name value unit (limit …)`.
fn measure(measure: Option<&Value>) -> String {
    let Some(m) = measure.filter(|m| m.is_object()) else {
        return "–".to_owned();
    };
    let unit = m.get("unit").and_then(Value::as_str).unwrap_or_default();
    format!(
        "{} {} {unit} (limit {})",
        text(m.get("name")),
        text(m.get("value")),
        text(m.get("limit"))
    )
}

fn write_checks(out: &mut String, outcome: &Value) -> fmt::Result {
    let Some(checks) = outcome.get("checks").and_then(Value::as_array) else {
        return out.write_str("<p class=\"none\">The outcome has no checks.</p>\n");
    };
    out.push_str("<table class=\"checks\">");
    table_head(
        out,
        &[
            ("Check", "检查项"),
            ("Outcome", "结论"),
            ("Value", "测量值"),
            ("Limit", "限值"),
            ("Unit", "单位"),
            ("Model", "模型"),
            ("Note", "备注"),
        ],
    )?;
    for check in checks {
        let of = |key: &str| text_or_blank(check.get("measure").and_then(|m| m.get(key)));
        writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Safe(text(check.get("name"))),
            chip(&text(check.get("outcome"))),
            Safe(of("value")),
            Safe(of("limit")),
            Safe(of("unit")),
            Safe(text_or_blank(check.get("model"))),
            Safe(text_or_blank(check.get("note"))),
        )?;
    }
    out.write_str("</table>\n")
}

fn write_fields(out: &mut String, outcome: &Value) -> fmt::Result {
    out.push_str("<div>");
    heading(
        out,
        4,
        "Claimed fields against the document",
        "申报字段核对",
    )?;
    match outcome
        .get("fields")
        .and_then(Value::as_object)
        .filter(|f| !f.is_empty())
    {
        None => out.push_str("<p class=\"none\">No field was compared.</p>"),
        Some(fields) => {
            out.push_str("<table>");
            for (field, found) in fields {
                write!(
                    out,
                    "<tr><td><code>{}</code></td><td>{}</td></tr>",
                    Safe(field),
                    chip(&text(Some(found)))
                )?;
            }
            out.push_str("</table>");
        }
    }
    out.write_str("<p><small>The values themselves stay in the booth's memory and are never sent. 字段值不离开设备。</small></p></div>\n")
}

/// What the decision rests on: threshold, policy, models, self-check, remedies, attempts.
fn write_basis(out: &mut String, outcome: &Value) -> fmt::Result {
    out.push_str("<div>");
    heading(out, 4, "What it rests on", "依据")?;
    out.push_str("<table>");
    let get = |path: &str| outcome.pointer(path);
    let mut rows: Vec<(&str, String)> = vec![
        (
            "threshold 阈值",
            format!(
                "{} at a false match rate of {} (upper end of the 95 % interval {}), calibration: {}",
                text(get("/threshold/score")),
                text(get("/threshold/false_match_rate")),
                text(get("/threshold/false_match_rate_upper95")),
                text(get("/threshold/calibration")),
            ),
        ),
        (
            "policy 策略",
            format!(
                "{} version {}",
                text(get("/policy/id")),
                text(get("/policy/version"))
            ),
        ),
        (
            "consent 同意",
            get("/consent").filter(|c| !c.is_null()).map_or_else(
                || "not asked".to_owned(),
                |c| {
                    format!(
                        "{}, text {}",
                        text(c.get("given")),
                        text(c.get("text_version"))
                    )
                },
            ),
        ),
    ];
    if let Some(models) = get("/models").and_then(Value::as_array) {
        let names: Vec<String> = models
            .iter()
            .map(|m| format!("{} {}", text(m.get("task")), text(m.get("version"))))
            .collect();
        rows.push(("models 模型", names.join(", ")));
    }
    if let Some(checks) = get("/preflight/checks").and_then(Value::as_object) {
        let list: Vec<String> = checks
            .iter()
            .map(|(k, v)| format!("{k} {}", text(Some(v))))
            .collect();
        rows.push((
            "self-check 自检",
            format!(
                "{} ms: {}",
                text(get("/preflight/took_ms")),
                list.join(", ")
            ),
        ));
    }
    if let Some(remedies) = get("/remedies").and_then(Value::as_array) {
        for r in remedies {
            rows.push((
                "remedy 自动处置",
                format!(
                    "{} for {} at {} ms: {} {} → {} {} {}",
                    text(r.get("remedy")),
                    text(r.get("reason")),
                    text(r.get("at_ms")),
                    text(r.pointer("/effect/name")),
                    text(r.pointer("/effect/before")),
                    text(r.pointer("/effect/after")),
                    text(r.pointer("/effect/unit")),
                    text(r.get("recipe"))
                ),
            ));
        }
    }
    if let Some(attempts) = get("/attempts")
        .and_then(Value::as_object)
        .filter(|a| !a.is_empty())
    {
        let list: Vec<String> = attempts
            .iter()
            .map(|(k, v)| format!("{k} {}", text(Some(v))))
            .collect();
        rows.push(("attempts 尝试次数", list.join(", ")));
    }
    rows.push((
        "decided 判定时间",
        format!(
            "{} (started {})",
            text(get("/times/decided")),
            text(get("/times/started"))
        ),
    ));
    rows.push((
        "software 软件",
        format!(
            "boothd {} on {}",
            text(get("/software")),
            text(get("/board"))
        ),
    ));
    for (name, value) in rows {
        write!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            Safe(name),
            Safe(value)
        )?;
    }
    out.write_str("</table></div>\n")
}

/// JSON that can be opened.
fn json(out: &mut String, title: &str, value: Option<&Value>) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    // `{:#}` of a Value is its pretty-printed JSON.
    writeln!(
        out,
        "<details><summary>{}</summary><pre>{}</pre></details>",
        Safe(title),
        Safe(format!("{value:#}"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(outcome: Option<&Value>) -> String {
        let mut out = String::new();
        write(&mut out, outcome, None).expect("a String takes everything");
        out
    }

    #[test]
    fn an_outcome_shows_its_checks_and_reasons() {
        let outcome = json!({
            "result": "not_verified", "disposition": "retry_attended", "attribution": "subject",
            "reasons": [{"code": "face.mismatch", "attribution": "subject", "disposition": "retry_attended", "message": "neutral.<x>",
                "measure": {"name": "comparison_score", "value": 0.1234, "limit": 0.36, "unit": "score"}}],
            "checks": [{"name": "face.comparison", "outcome": "failed", "measure": {"name": "c", "value": 0.1234, "limit": 0.36, "unit": "score"}},
                {"name": "face.pad", "outcome": "not_tested", "note": "not_built"}],
            "fields": {"birth_date": "match"},
        });
        let out = written(Some(&outcome));
        for part in [
            "<span class=\"chip bad\">not_verified</span>",
            "<code>face.mismatch</code>",
            "neutral.&lt;x&gt;",
            "comparison_score 0.123 score (limit 0.360)",
            "<td class=\"n\">0.123</td><td class=\"n\">0.360</td><td>score</td>",
            "<span class=\"chip plain\">not_tested</span>",
            "<td>not_built</td>",
            "<span class=\"chip good\">match</span>",
        ] {
            assert!(out.contains(part), "{part:?} in {out}");
        }
        assert_eq!(reasons(&outcome), ["face.mismatch"]);
    }

    #[test]
    fn strange_outcomes_do_no_harm() {
        let check = |outcome: Option<Value>, expected: &str| {
            let out = written(outcome.as_ref());
            assert!(out.contains(expected), "{expected:?} in {out}");
        };
        check(None, "The wallet received no outcome");
        check(Some(Value::Null), "The outcome has no checks");
        check(Some(json!([1, 2])), "The outcome has no checks");
        check(
            Some(json!({"checks": "none", "fields": 3, "reasons": {}})),
            "No field was compared",
        );
        check(Some(json!({"checks": [7, null]})), "<code>–</code>");
    }
}
