"""What is printed on the specimen documents: invented holders of the invented state of Utopia (UTO).

The portraits are public-domain pictures of real persons; no name, number or date here is theirs.
"""

from __future__ import annotations

import dataclasses

import mrz

TD3_MM = (125.0, 88.0)
TD1_MM = (85.6, 54.0)


@dataclasses.dataclass(frozen=True)
class Document:
    """One picture to draw."""

    id: str
    kind: str
    side: str
    """`data_page`, `front` (no MRZ), `back` (no portrait) or `combined` (portrait and MRZ on one side)."""
    person: str
    fields: dict[str, str]
    wrong_check_digits: bool = False
    mrz_fields: dict[str, str] | None = None
    """What the MRZ says, if it is not what is printed: an altered document."""

    @property
    def size_mm(self) -> tuple[float, float]:
        return TD3_MM if self.kind == "td3" else TD1_MM

    @property
    def mrz(self) -> list[str]:
        """The lines as printed; none on a front."""
        if self.side == "front":
            return []
        fields = self.mrz_fields or self.fields
        lines = mrz.td3(fields) if self.kind == "td3" else mrz.td1(fields)
        return mrz.with_wrong_check_digits(lines) if self.wrong_check_digits else lines


_COMMON = {"issuing_state": "UTO", "nationality": "UTO", "sex": "F"}
LINDGREN = _COMMON | {
    "document_number": "U48203715", "primary_identifier": "LINDGREN", "secondary_identifier": "MARA ELENA",
    "birth_date": "1987-03-19", "issue_date": "2024-08-15", "expiry_date": "2034-08-14", "optional_data": "72410955B",
    "birth_place": "ZENITH",
}
LINDQVIST = LINDGREN | {
    "document_number": "U91570364", "primary_identifier": "LINDQVIST", "secondary_identifier": "MIRA ELENA",
    "birth_date": "1991-11-02",
}
WESTWOOD_PASSPORT = _COMMON | {
    "document_number": "X60917428", "primary_identifier": "WESTWOOD", "secondary_identifier": "ADA RUTH",
    "birth_date": "1949-05-27", "issue_date": "2024-12-01", "expiry_date": "2034-11-30", "optional_data": "",
    "birth_place": "HARBOUR",
}
WESTWOOD_CARD = WESTWOOD_PASSPORT | {
    "document_number": "C52390871", "issue_date": "2024-06-22", "expiry_date": "2034-06-21",
}

DOCUMENTS = (
    Document("passport-collins", "td3", "data_page", "collins", LINDGREN),
    Document("passport-collins-badcheck", "td3", "data_page", "collins", LINDGREN, wrong_check_digits=True),
    Document("passport-collins-2", "td3", "data_page", "collins", LINDQVIST),
    Document("passport-hopper", "td3", "data_page", "hopper", WESTWOOD_PASSPORT),
    Document("card-hopper", "td1", "combined", "hopper", WESTWOOD_CARD),
    Document("card-hopper-front", "td1", "front", "hopper", WESTWOOD_CARD),
    Document("card-hopper-back", "td1", "back", "hopper", WESTWOOD_CARD),
)
