"""Texts of the lines that the reader is trained on: MRZ lines of TD1, TD2 and TD3, numbers of PRC identity cards, and even mixtures.

Everything is invented. Check digits are right; letters and digits stand where ICAO Doc 9303 and GB 11643 put them, so that
the reader can learn where 0 and O, 1 and I, 5 and S, 2 and Z or 8 and B may stand. Names are drawn letter by letter or from syllables, so that the
reader does not learn a list of names by heart.
"""

import mrz

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABET = DIGITS + LETTERS + "<"
"""Classes 1 to 37 of the reader."""

STATES = """AFG ALB DZA AND AGO ARG ARM AUS AUT AZE BHR BGD BLR BEL BEN BTN BOL BIH BWA BRA BRN BGR KHM CMR CAN CHL CHN COL COG CRI CIV HRV CUB CYP
CZE PRK DNK DOM ECU EGY SLV EST ETH FJI FIN FRA GEO D<< GHA GRC GTM HUN ISL IND IDN IRN IRQ IRL ISR ITA JAM JPN JOR KAZ KEN KWT KGZ LAO LVA LBN LTU
LUX MYS MLI MLT MEX MDA MCO MNG MAR MMR NAM NPL NLD NZL NGA NOR OMN PAK PAN PRY PER PHL POL PRT QAT KOR ROU RUS SMR SAU SRB SGP SVK SVN ZAF ESP LKA
SWE CHE SYR TJK TZA THA TUN TUR TKM UGA UKR ARE GBR USA URY UZB VUT VEN VNM YEM ZMB ZWE UTO XXA XXX UNO GBN HKG MAC TWN RKS EUE""".split()
ONSETS = "B BR C CH D DR F FR G GH GR H J K KH L LI M MI N NI O P PH QU R RI S SH ST SZ T TH TR TS U V W X XI Y Z ZH".split()
NUCLEI = "A AI AN AO AU E EE EI EN EO I IA IE IN IO O OI ON OO OU U UA UE UI UO Y".split()
CODAS = ["", "", "", "", "N", "NG", "R", "S", "SEN", "SKI", "L", "LL", "M", "T", "TZ", "X", "CK", "RT", "OVA", "IC"]
AREAS = "110101 120103 130102 140105 210102 230103 310104 320102 330106 350203 370102 420111 430102 440305 450103 500112 510104 530102 540102 610113 650102".split()
GB_WEIGHTS = [2 ** (17 - i) % 11 for i in range(17)]
"""ISO 7064 MOD 11-2, as GB 11643 uses it."""


class Texts:
    """Draws lines; `rng` is a numpy Generator."""

    def __init__(self, rng):
        self.rng = rng

    def one_of(self, items):
        return items[int(self.rng.integers(len(items)))]

    def some_of(self, alphabet, n):
        return "".join(alphabet[i] for i in self.rng.integers(len(alphabet), size=n))

    def chance(self, p):
        return self.rng.random() < p

    def word(self):
        if self.chance(0.45):
            return self.some_of(LETTERS, int(self.rng.integers(2, 12)))
        return "".join(self.one_of(ONSETS) + self.one_of(NUCLEI) + self.one_of(CODAS) for _ in range(int(self.rng.integers(1, 4))))[:14]

    def names(self, length):
        """Identifiers, filled; cut off where they are too long, as Doc 9303 has it."""
        primary = "<".join(self.word() for _ in range(1 + int(self.chance(0.2))))
        secondary = "<".join(self.word() for _ in range(int(self.rng.choice([0, 1, 2, 3], p=[0.04, 0.46, 0.36, 0.14]))))
        return f"{primary}<<{secondary}".ljust(length, "<")[:length]

    def number(self, length=9):
        """A document number: digits, letters before digits, or both mixed, sometimes shorter than its field."""
        kind = self.rng.random()
        n = length if self.chance(0.85) else int(self.rng.integers(6, length))
        if kind < 0.4:
            text = self.some_of(DIGITS, n)
        elif kind < 0.7:
            k = int(self.rng.integers(1, 4))
            text = self.some_of(LETTERS, k) + self.some_of(DIGITS, n - k)
        else:
            text = self.some_of(DIGITS + LETTERS, n)
        return text.ljust(length, "<")

    def date(self):
        return f"{self.rng.integers(100):02d}{self.rng.integers(1, 13):02d}{self.rng.integers(1, 32):02d}"

    def optional(self, length, p):
        if not self.chance(p):
            return "<" * length
        n = int(self.rng.integers(1, length + 1))
        return self.some_of(self.one_of([DIGITS, DIGITS, DIGITS + LETTERS, DIGITS + LETTERS + "<"]), n).ljust(length, "<")

    def checked_dates(self):
        birth, expiry = mrz.checked(self.date()), mrz.checked(self.date())
        return birth, self.one_of("MMFFF<"), expiry

    def td3(self):
        first = "P" + self.one_of("<<<<<<" + LETTERS) + self.one_of(STATES) + self.names(39)
        number, (birth, sex, expiry) = mrz.checked(self.number()), self.checked_dates()
        optional = self.optional(14, 0.5)
        optional += "<" if set(optional) == {"<"} and self.chance(0.6) else mrz.check_digit(optional)
        composite = mrz.check_digit(number + birth + expiry + optional)
        return [first, number + self.one_of(STATES) + birth + sex + expiry + optional + composite]

    def td2(self):
        first = self.one_of("IACV") + self.one_of("<<<<" + LETTERS) + self.one_of(STATES) + self.names(31)
        number, (birth, sex, expiry) = mrz.checked(self.number()), self.checked_dates()
        optional = self.optional(7, 0.4)
        composite = mrz.check_digit(number + birth + expiry + optional)
        return [first, number + self.one_of(STATES) + birth + sex + expiry + optional + composite]

    def td1(self):
        number, (birth, sex, expiry) = mrz.checked(self.number()), self.checked_dates()
        optional, more = self.optional(15, 0.45), self.optional(11, 0.35)
        composite = mrz.check_digit(number + optional + birth + expiry + more)
        first = self.one_of("IAC") + self.one_of("<<<<" + LETTERS) + self.one_of(STATES) + number + optional
        return [first, birth + sex + expiry + self.one_of(STATES) + more + composite, self.names(30)]

    def prc_number(self):
        """18 characters of GB 11643."""
        area = self.one_of(AREAS) if self.chance(0.5) else str(self.rng.integers(11, 66)) + self.some_of(DIGITS, 4)
        body = f"{area}{self.rng.integers(1930, 2021)}{self.rng.integers(1, 13):02d}{self.rng.integers(1, 32):02d}{self.rng.integers(1000):03d}"
        return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, GB_WEIGHTS)) % 11]

    def mixture(self):
        """Every character as often as every other, so that none depends on its neighbours alone."""
        n = self.one_of([44, 36, 30, 30, 18])
        return self.some_of(self.one_of([DIGITS, LETTERS, DIGITS + LETTERS, ALPHABET, "0O1I5S8B2Z6G7T" + ALPHABET]), n)

    def zone(self):
        """(kind, lines): lines that stand under each other."""
        kind = str(self.rng.choice(["td3", "td2", "td1", "prc", "mixture"], p=[0.34, 0.14, 0.22, 0.14, 0.16]))
        if kind == "prc":
            return kind, [self.prc_number()]
        if kind == "mixture":
            return kind, [self.mixture()]
        return kind, getattr(self, kind)()
