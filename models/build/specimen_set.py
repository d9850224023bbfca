"""Draws sets of specimen passports (TD3) and cards (TD1) as a camera would see them, and says what is on them.

`specimen_set.py --out DIR --n N --seed S` writes frames of 1280 x 720 and `truth.csv`: kind and side, the printed fields, the MRZ,
where the four corners are, and what was done to the picture. A card with its portrait and its MRZ on two sides gives two frames.
With `--altered SHARE` that share of the documents has one printed field that is not what the MRZ says; the column `altered` names it.
"""

from __future__ import annotations

import argparse
import csv
import functools
import pathlib
import random
import string

import numpy as np

import camera_frames
import mrz
import specimen
from specimen_data import Document

SURNAMES = (
    "LINDGREN", "WESTWOOD", "OKAFOR", "MOREAU", "KOWALSKA", "NAKAMURA", "GARCIA LOPEZ", "LI", "WANG", "ZHANG", "QUISPE", "BEISPIEL",
    "JOHANSSON", "FERNANDEZ", "DUBOIS", "IVANOVA", "XU", "OBRIEN", "ALAOUI", "NGUYEN", "PAPADOPOULOS", "SMITH JONES", "ROSSI", "EKWUEME",
)
GIVEN = (
    "MARA ELENA", "ADA RUTH", "JAN", "CARLOS", "MEI HUA", "XIAOMING", "JOHN PAUL", "OLGA", "YUKI", "SOFIA", "MOHAMED ALI", "LARS", "ZOE",
    "QUENTIN", "WILHELM", "FATIMA", "HUGO VICTOR", "LI NA", "JOSEPHINE", "EVA", "IGOR", "CHUKWUEMEKA",
)
PLACES = ("ZENITH", "HARBOUR", "AMAUROT", "NORTHGATE", "OLD BRIDGE")
VALUE_FONTS = ("value", "label", "cjk", "ocr-b")
FIELDS = (
    "document_number", "primary_identifier", "secondary_identifier", "birth_date", "sex", "nationality", "issue_date", "expiry_date",
    "birth_place", "optional_data",
)
ALTERABLE = ("document_number", "primary_identifier", "birth_date", "expiry_date")


def invented_name(chance: random.Random, shortest: int, longest: int) -> str:
    """Letters at random: a reader that knows names by heart gets no help."""
    return "".join(chance.choice(string.ascii_uppercase) for _ in range(chance.randint(shortest, longest)))


def fields(chance: random.Random) -> dict[str, str]:
    """What is printed on one document of the State of Utopia."""
    known = chance.random() < 0.6
    letters = string.digits if chance.random() < 0.7 else string.digits + string.ascii_uppercase
    birth_year, issue_year = chance.randint(1938, 2008), chance.randint(2016, 2026)
    issue = f"{issue_year}-{chance.randint(1, 10):02}-{chance.randint(1, 28):02}"
    return {
        "issuing_state": "UTO", "nationality": "UTO", "sex": chance.choice("MF"),
        "document_number": chance.choice(string.ascii_uppercase) + "".join(chance.choice(letters) for _ in range(8)),
        "primary_identifier": chance.choice(SURNAMES) if known else invented_name(chance, 3, 14),
        "secondary_identifier": chance.choice(GIVEN) if known else invented_name(chance, 2, 11),
        "birth_date": f"{birth_year}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        "issue_date": issue, "expiry_date": f"{issue_year + 10}{issue[4:]}",
        "birth_place": chance.choice(PLACES),
        "optional_data": "".join(chance.choice(string.digits) for _ in range(9)) if chance.random() < 0.4 else "",
    }


def altered(chance: random.Random, printed: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The field that the MRZ says otherwise, and what the MRZ says."""
    name = chance.choice(ALTERABLE)
    value = printed[name]
    if name == "primary_identifier":
        other = chance.choice([surname for surname in SURNAMES if surname != value])
    elif name == "document_number":
        at = chance.randrange(1, len(value))
        other = value[:at] + chance.choice([digit for digit in string.digits if digit != value[at]]) + value[at + 1:]
    else:
        other = f"{int(value[:4]) - chance.randint(1, 9)}{value[4:]}"
    return name, printed | {name: other}


def documents(chance: random.Random, share_altered: float) -> tuple[str, list[Document]]:
    """The sides of one document, and the altered field or nothing."""
    printed, person = fields(chance), chance.choice(("collins", "hopper"))
    name, zone = altered(chance, printed) if chance.random() < share_altered else ("", None)
    kind, sides = chance.choices((("td3", ("data_page",)), ("td1", ("combined",)), ("td1", ("front", "back"))), (5, 2, 3))[0]
    return name, [Document(f"{kind}-{side}", kind, side, person, printed, mrz_fields=zone) for side in sides]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    camera_frames.add_arguments(parser)
    parser.add_argument("--altered", type=float, default=0.0, help="share of documents with one printed field that the MRZ says otherwise (default: %(default)s)")
    arguments = parser.parse_args()
    camera_frames.check_arguments(parser, arguments)
    if not 0 <= arguments.altered <= 1:
        parser.error(f"--altered is {arguments.altered}; it is a share from 0 to 1")
    mrz.self_test()
    camera_frames.expect_fonts(specimen.FONTS)
    arguments.out.mkdir(parents=True, exist_ok=True)
    specimen.background = functools.lru_cache(maxsize=24)(specimen.background)
    with (arguments.out / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["file", "document", "kind", "side", *FIELDS, "mrz", "altered", "value_font", *camera_frames.COLUMNS])
        table.writeheader()
        for number in range(arguments.n):
            # Each document has a chance of its own: document 7 of a small set is document 7 of a large one.
            chance = random.Random(f"specimen {arguments.seed} {number}")
            name, sides = documents(chance, arguments.altered)
            hue, font = chance.choice((0.08, 0.36, 0.56, 0.8)), chance.choice(VALUE_FONTS)
            for document in sides:
                sheet = specimen.Sheet(document, hue, font)
                picture, _, _ = specimen.drawn(sheet, document, arguments.layers)
                frame, what = camera_frames.seen(np.asarray(picture), sheet.final, chance, arguments.upside_down)
                file_name = f"{document.kind}-{number:05}-{document.side}.jpg"
                (arguments.out / file_name).write_bytes(frame)
                table.writerow({"file": file_name, "document": number, "kind": document.kind, "side": document.side,
                                **{field: document.fields[field] for field in FIELDS}, "mrz": "/".join(document.mrz),
                                "altered": name, "value_font": font, **what})


if __name__ == "__main__":
    main()
