"""Tests of what the report computes by itself, and of its errors. `python3 -m unittest discover -s scripts/report`."""

import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import data
import documents
import mrz_text
import rates
import write
from mistakes import Mistake


class Rates(unittest.TestCase):
    def test_intervals_are_those_of_clopper_and_pearson(self):
        # Tables of ISO/IEC 19795-1 style: 0 of 300 has the rule of three's neighbour, 1 of 10 and 5 of 10 are textbook values.
        for k, n, low, high in ((0, 300, 0.0, 0.01222), (1, 10, 0.00253, 0.44502), (5, 10, 0.18709, 0.81291), (10, 10, 0.69150, 1.0), (590, 600, 0.96957, 0.99198)):
            found = rates.interval95(k, n)
            self.assertAlmostEqual(found[0], low, places=4, msg=(k, n))
            self.assertAlmostEqual(found[1], high, places=4, msg=(k, n))

    def test_the_threshold_keeps_the_rate_and_no_lower_one_does(self):
        impostor = [i / 1000 for i in range(1000)]
        for fmr, false in ((0.01, 10), (0.001, 1)):
            threshold = rates.threshold_at(impostor, fmr)
            self.assertEqual(rates.matches(impostor, threshold), false)
        # Ties at the threshold are all let in or all kept out.
        self.assertEqual(rates.matches([0.5] * 20 + [0.1] * 980, rates.threshold_at([0.5] * 20 + [0.1] * 980, 0.01)), 0)

    def test_what_could_not_be_compared_is_no_match(self):
        threshold, k, n = rates.true_matches([0.9, None], [0.1] * 100, 0.01)
        self.assertEqual((k, n), (1, 2))

    def test_loss_counts_pairs_that_one_of_both_matches(self):
        loss, low, high = rates.loss_interval([(0.9, 0.1), (0.9, 0.9), (0.1, 0.1), (0.9, 0.9)], 0.5, 0.5)
        self.assertEqual(loss, 25.0)
        self.assertTrue(low <= loss <= high)


class Documents(unittest.TestCase):
    def test_overlap(self):
        square = [[0, 0], [2, 0], [2, 2], [0, 2]]
        for other, expected in ((square, 1.0), ([[1, 0], [3, 0], [3, 2], [1, 2]], 1 / 3), ([[5, 5], [6, 5], [6, 6], [5, 6]], 0.0), (square[::-1], 1.0), (square[2:] + square[:2], 1.0)):
            self.assertAlmostEqual(documents.overlap(square, other), expected)

    def test_peers_are_forgiven_what_position_decides_and_no_more(self):
        truth = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]
        for printed, expected in (
            (truth, True),
            (["P<UT0ERIKSSON«ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO74O8122F12O4159ZE184226B<<<<<10"], True),
            ([truth[0], truth[1].replace("L898", "L8S8")], False),
            (["".join(truth)], True),
            ([truth[0]], False),
            ([], False),
        ):
            self.assertEqual(mrz_text.every_line_exact(truth, printed), expected, printed)


class Mistakes(unittest.TestCase):
    def check(self, text, words, name="faces/lfw-pairs.csv", read=data.pairs):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            if text is not None:
                path.write_text(text)
            with self.assertRaisesRegex(Mistake, words):
                read(path)

    def test_lists_that_are_wrong_are_named(self):
        self.check(None, "lfw-pairs.csv: no such file; mend")
        self.check("a,b\nx,y\n", "line 1: no column same; found a, b; mend")
        self.check("a,b,same\n", "no row below the heading")
        self.check("a,b,same\nx,y\n", "line 2: another number of columns")
        self.check("a,b,same\nx,y,maybe\n", "line 2: same is `maybe`, allowed: 1 or 0")
        self.check("a,b,same\nx.png,y.png,1\n", "line 2: .*x.png: no such picture")
        self.check("[]", "specimens-mrz.json: .*allowed", "documents/specimens-mrz.json", data.specimens)
        self.check("{", "specimens-mrz.json: .*allowed", "documents/specimens-mrz.json", data.specimens)
        with self.assertRaisesRegex(Mistake, "DATA=no/such: no such folder; allowed: .*mend"):
            data.folder(pathlib.Path("no/such"))


class Page(unittest.TestCase):
    def test_a_page_is_written_with_every_section(self):
        summary = {"median_ms": 20.0, "least_ms": 10.0, "worst_ms": 160.0, "sum_ms": 60.0, "exact": 16, "n": 17}
        slow = {k: v * 10 if k.endswith("ms") else v for k, v in summary.items()}
        rows = [{"fmr": 1e-3, "threshold": 0.3, "k": 290, "n": 300, "false": 3, "n_impostor": 3000}]
        form = {"all": rows, "listed": [], "det": [(1e-3, 0.1), (0.1, 0.01)], "genuine": [0.7, 0.8], "impostor_histogram": [1] * 75, "n_impostor": 75, "not_possible": 0}
        results = {
            "machine": {"processor": "p", "cores": 2, "core": 1, "load": 0.0, "commit": "c", "date": "2026-01-01", "models_bytes": 9_000_000}, "seconds": 1.0,
            "left_out": [["attacks", "needs DATA"]],
            "pairs": {"n_pictures": 4, "n_listed": 3, "float_left_out": None, "forms": {"committed": form, "float": form}, "loss": [0.3, 0.0, 0.9]},
            "specimens": {"rows": [{"picture": "x.jpg", "kind": "TD3", "read": True, "exact": False, "lines_exact": 1, "n_lines": 2, "ms": 5.0}], "memory_mb": 30},
            "prc_card_fields": {"n": 4, "fields": {"front number": {"exact": 3, "not_read": 1, "wrong": 0}}, "n_live": 3, "zones_exact": None, "n_zones": 0, "checks": {"sex": {"verified": 3}},
                                "problems": {"Glare": 1}, "memory_mb": 30},
            "drawn_speed": {"prc_card": {**summary, "n": 4}},
            "corners": {"n": 2, "none": 0, "over_90": 2, "over_95": 1, "median": 0.96, "values": [0.93, 0.97]},
            "document_speed": {"sets": {"specimens": 17}, "systems": {"boothd": {"memory_mb": 30, "sets": {"specimens": {**summary, "until_zone": {**summary, "median_ms": 8.0}, "stages": {"corners": 4.0, "zone": 3.5}}}}, "passporteye": {"memory_mb": 200, "versions": {"passporteye": "1"}, "sets": {"specimens": {**slow, "median_ms": 240.0}}}, "rapidocr": {"memory_mb": 300, "versions": {"rapidocr": "1"}, "sets": {"specimens": slow}}}, "not_run": {"fastmrz": "no tesseract"}},
            "face_speed": {"n": 2, "systems": {"boothd": {"memory_mb": 30, "found": 2, "stages": {write.MESH: summary, write.FACE: summary, write.WHOLE: summary}}, "dlib": {"memory_mb": 99, "versions": {"dlib": "1"}, "found": 2, "stages": {"whole path": slow}}}, "not_run": {}},
            "bench": {"rows": [["1280x720, interpreter threads: 1", "stage", 1.0, 2.0, 0.5]], "ratios": ["1280x720, interpreter threads: 1   of medians 1.10  of minima 1.05"]},
        }
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "accuracy.md"
            text = write.page(results, path)
            self.assertEqual(text, path.read_text())
            plots = set(re.findall(r"\(accuracy/([^)]*)\)", text))
            self.assertEqual(plots, {p.name for p in (path.parent / "accuracy").iterdir()})
            for plot in plots:
                drawn = (path.parent / "accuracy" / plot).read_text()
                self.assertTrue(drawn.startswith("<svg") and drawn.rstrip().endswith("</svg>"), plot)
        for words in ("10.0 times (rapidocr) | reached", "150 ms | median 20, worst 160 ms | **not reached**", "Not run: fastmrz: no tesseract.", "attacks: needs DATA.", "75.0 %", "of 4 of them, evenly chosen, each looked at once: median 20 ms",
                      "boothd until the zone is read | 16 of 17 | 8.0", "12.0 (30.0 to the zone)", "| specimens | 4.0 | 3.5 |"):
            self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main()
