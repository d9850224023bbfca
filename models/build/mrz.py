"""Machine readable zones by ICAO Doc 9303: transliterated fields in, check-digited lines out.

Parts 3 (check digits), 4 (TD3) and 5 (TD1). Only what the specimen documents need; no reading.
"""

from __future__ import annotations

WEIGHTS = (7, 3, 1)


def check_digit(field: str) -> str:
    """Check digit of Doc 9303-3, 4.9: weights 7, 3, 1; `<` is 0, A is 10, Z is 35; modulo 10."""
    return str(sum(_value(char) * WEIGHTS[i % 3] for i, char in enumerate(field)) % 10)


def _value(char: str) -> int:
    if char == "<":
        return 0
    if char.isdigit():
        return int(char)
    if "A" <= char <= "Z":
        return ord(char) - ord("A") + 10
    raise ValueError(f"character {char!r} cannot stand in an MRZ; allowed are 0-9, A-Z and <")


def padded(text: str, length: int) -> str:
    """Fills with `<` up to `length`; spaces become `<`."""
    if len(text) > length:
        raise ValueError(f"{text!r} has {len(text)} characters; the MRZ field holds {length}")
    return text.replace(" ", "<").ljust(length, "<")


def names(primary: str, secondary: str, length: int) -> str:
    """Primary and secondary identifier, separated by two fillers."""
    return padded(f"{primary}<<{secondary}", length)


def yymmdd(iso_date: str) -> str:
    """`1987-03-19` to `870319`."""
    return iso_date[2:4] + iso_date[5:7] + iso_date[8:10]


def checked(field: str) -> str:
    """The field, followed by its check digit."""
    return field + check_digit(field)


def td3(f: dict[str, str]) -> list[str]:
    """Two lines of 44. An empty personal number has the filler as its check digit, as Doc 9303-4 allows."""
    number = checked(padded(f["document_number"], 9))
    birth, expiry = checked(yymmdd(f["birth_date"])), checked(yymmdd(f["expiry_date"]))
    optional = padded(f["optional_data"], 14)
    optional += check_digit(optional) if f["optional_data"] else "<"
    composite = check_digit(number + birth + expiry + optional)
    return [
        "P<" + f["issuing_state"] + names(f["primary_identifier"], f["secondary_identifier"], 39),
        number + f["nationality"] + birth + f["sex"] + expiry + optional + composite,
    ]


def td1(f: dict[str, str]) -> list[str]:
    """Three lines of 30."""
    number = checked(padded(f["document_number"], 9))
    birth, expiry = checked(yymmdd(f["birth_date"])), checked(yymmdd(f["expiry_date"]))
    optional = padded(f["optional_data"], 15)
    second_optional = "<" * 11
    composite = check_digit(number + optional + birth + expiry + second_optional)
    return [
        "I<" + f["issuing_state"] + number + optional,
        birth + f["sex"] + expiry + f["nationality"] + second_optional + composite,
        names(f["primary_identifier"], f["secondary_identifier"], 30),
    ]


def check_digits_valid(lines: list[str]) -> bool:
    """Whether every check digit of a TD3 (two lines) or TD1 (three lines) zone holds, by position on the lines."""
    if len(lines) == 2:
        line = lines[1]
        pairs = [(line[0:9], line[9]), (line[13:19], line[19]), (line[21:27], line[27]),
                 (line[0:10] + line[13:20] + line[21:43], line[43])]
        if not (set(line[28:42]) == {"<"} and line[42] == "<"):
            pairs.append((line[28:42], line[42]))
    elif len(lines) == 3:
        first, second, _ = lines
        pairs = [(first[5:14], first[14]), (second[0:6], second[6]), (second[8:14], second[14]),
                 (first[5:30] + second[0:7] + second[8:15] + second[18:29], second[29])]
    else:
        raise ValueError(f"an MRZ of {len(lines)} lines; TD3 has 2, TD1 has 3")
    return all(check_digit(field) == digit for field, digit in pairs)


def with_wrong_check_digits(lines: list[str]) -> list[str]:
    """A TD3 zone whose document-number and composite check digits are wrong, everything else untouched."""
    line = lines[1]
    wrong = str((int(line[9]) + 3) % 10)
    line = line[:9] + wrong + line[10:]
    # Wrong for the line as printed and for the line as it should be: no repair of one digit makes it hold.
    right = {lines[1][43], check_digit(line[0:10] + line[13:20] + line[21:43])}
    composite = next(str(d) for d in range(10) if str(d) not in right)
    return [lines[0], line[:43] + composite]


def self_test() -> None:
    """Doc 9303's own examples. Raises if this module does not agree with them."""
    anna = {"issuing_state": "UTO", "nationality": "UTO", "sex": "F", "birth_date": "1974-08-12",
            "expiry_date": "2012-04-15", "primary_identifier": "ERIKSSON", "secondary_identifier": "ANNA MARIA"}
    expect(td3(anna | {"document_number": "L898902C3", "optional_data": "ZE184226B"}),
           ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"])
    card = td1(anna | {"document_number": "D23145890", "optional_data": ""})
    expect(card, ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6",
                  "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"])
    # The TD2 example holds the same composite rule; it is checked on the bare digits.
    td2_line = "D231458907UTO7408122F1204159<<<<<<<6"
    expect(check_digit(td2_line[0:10] + td2_line[13:20] + td2_line[21:35]), td2_line[35])
    for lines in (card, td3(anna | {"document_number": "L898902C3", "optional_data": ""})):
        expect(check_digits_valid(lines), True)
    expect(check_digits_valid(with_wrong_check_digits(td3(anna | {"document_number": "L898902C3", "optional_data": ""}))), False)


def expect(found: object, expected: object) -> None:
    """Ends the program if two values differ."""
    if found != expected:
        raise SystemExit(f"MRZ self-test: found {found!r}, expected {expected!r}")


if __name__ == "__main__":
    self_test()
    print("MRZ self-test passed")
