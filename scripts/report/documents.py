"""Documents: zones line by line, fields of drawn documents, corners."""

import rates
from mistakes import LeftOut


def printed_lines(said):
    """The zone's lines as boothd read them."""
    fields = (said.get("reading") or {}).get("fields", {})
    return [fields[k] for k in sorted(fields) if k.startswith("line_")]


def least(said):
    """The least time of the whole document path over the rounds, ms: as a live frame, and as a scan where that had to be tried."""
    ms = said["ms"]
    scans = ms.get("scan") or [0.0] * len(ms["document"])
    return min(a + b for a, b in zip(ms["document"], scans))


def until_zone(said):
    """The least time until the zone had been read that the document was taken from, ms; `None` if none was."""
    times = said["ms"].get("until_zone")
    return min(times) if times else None


def zones(boothd, documents):
    """Specimens: is every line of the zone exact?"""
    seen, memory = boothd.replay([d.path for d in documents], "document", 1, show_fields=True)
    rows = []
    for d in documents:
        said = seen[d.path]
        lines = printed_lines(said)
        rows.append({
            "picture": d.path.name, "kind": d.kind, "read": bool(lines), "exact": lines == d.lines,
            "lines_exact": sum(a == b for a, b in zip(lines, d.lines)), "n_lines": len(d.lines),
        })
    return {"rows": rows, "memory_mb": memory}


def _digits(text):
    return "".join(c for c in text if c.isdigit())


def _date(value):
    return value if value == "长期" else _digits(value)


# What is printed (column of truth.csv) beside what boothd calls it, and the form that both are compared in.
PRC = {
    "front": (("number", "number", str), ("name", "name", str), ("sex", "sex", str), ("people", "ethnicity", str), ("birth_date", "birth_date", _date), ("address", "address", str)),
    "back": (("authority", "issuer", str), ("valid_from", "valid_from", _date), ("valid_to", "valid_until", _date)),
}
MRZ_FIELDS = (
    ("document_number", "document_number", str), ("primary_identifier", "primary_identifier", str), ("secondary_identifier", "secondary_identifier", str),
    ("birth_date", "birth_date", lambda v: _digits(v)[-6:]), ("expiry_date", "expiry_date", lambda v: _digits(v)[-6:]), ("sex", "sex", str),
)


def fields(boothd, documents, what):
    """Drawn documents: each field exact, not read, or wrong."""
    readable = [d for d in documents if what == "prc_card" or d.lines]
    seen, memory = boothd.replay([d.path for d in readable], "document", 1, show_fields=True)
    table, n_live, zones_exact, printed, problems, places = {}, 0, 0, {}, {}, []
    for d in readable:
        said = seen[d.path]
        reading = said.get("reading") or {}
        got = reading.get("fields", {})
        found = said["document"]["corners"]
        places.append(overlap(found, d.corners) if found else 0.0)
        n_live += bool(said.get("live"))
        if not reading:
            problem = said["document"]["problem"] or "None"
            problems[problem] = problems.get(problem, 0) + 1
        zones_exact += bool(d.lines) and printed_lines(said) == d.lines
        for name, result in reading.get("checks", {}).items():
            row = printed.setdefault(name, {})
            row[result] = row.get(result, 0) + 1
        for column, name, form in PRC[d.fields["side"]] if what == "prc_card" else MRZ_FIELDS:
            row = table.setdefault(f"{d.fields['side']} {name}" if what == "prc_card" else name, {"exact": 0, "not_read": 0, "wrong": 0})
            value = got.get(name, "")
            row["not_read" if not value else "exact" if form(value) == form(d.fields[column]) else "wrong"] += 1
    return {
        "n": len(readable), "fields": table, "n_live": n_live, "zones_exact": zones_exact if what != "prc_card" else None, "n_zones": sum(bool(d.lines) for d in readable),
        "checks": printed, "problems": problems, "memory_mb": memory, "overlaps": places,
    }


def _clipped(polygon, a, b):
    """What of a polygon lies on the inner side of the line from a to b (Sutherland and Hodgman)."""
    side = lambda p: (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    out = []
    for p, q in zip(polygon, polygon[1:] + polygon[:1]):
        sp, sq = side(p), side(q)
        if sp >= 0:
            out.append(p)
        if sp * sq < 0:
            t = sp / (sp - sq)
            out.append([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])])
    return out


def area(polygon):
    return sum(p[0] * q[1] - q[0] * p[1] for p, q in zip(polygon, polygon[1:] + polygon[:1])) / 2


def overlap(a, b):
    """Intersection over union of two convex quadrilaterals, whatever their first corner and direction."""
    a, b = ([list(p) for p in q] if area(q) > 0 else [list(p) for p in reversed(q)] for q in (a, b))
    both = a
    for p, q in zip(b, b[1:] + b[:1]):
        both = _clipped(both, p, q)
        if not both:
            return 0.0
    inside = area(both)
    return inside / max(area(a) + area(b) - inside, 1e-9)


def corners(results):
    """How well the corners lie on the drawn frames, by what was seen of their fields."""
    places = [place for r in results if r for place in r["overlaps"]]
    if not places:
        raise LeftOut("no drawn frames")
    return {"n": len(places), "none": sum(p == 0 for p in places), "over_90": sum(p > 0.9 for p in places), "over_95": sum(p > 0.95 for p in places), "median": rates.median(places), "values": places}
