"""Tests of check.py and tasks.py on copies: `python3 test_check.py`. Needs no packages."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent
NAME = "mrz_line_reader.tflite"


def run(script, *arguments):
    """(exit code, all that was printed)."""
    done = subprocess.run([sys.executable, str(HERE / script), *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.models, self.built = pathlib.Path(folder.name, "models"), pathlib.Path(folder.name, "built")
        for path in (self.models, self.built):
            path.mkdir()
        for path in [MODELS / "manifest.toml", *MODELS.glob("*.tflite"), *MODELS.glob("*.txt")]:
            (self.models / path.name).write_bytes(path.read_bytes())

    def expect(self, code, *words):
        """check.py ends with the code and says the words."""
        found, text = run("check.py", "--models", self.models, "--built", self.built)
        self.assertEqual(found, code, text)
        for word in words:
            self.assertIn(word, text)

    def tamper(self, path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def test_what_is_committed_agrees(self):
        self.expect(0, f"{NAME}: as the manifest says", f"{NAME}: not rebuilt", "nothing differs")

    def test_one_bit_is_found_and_named(self):
        self.tamper(self.models / NAME)
        self.expect(1, f"{NAME}: sha256 found ", ", expected ", f"mend: git checkout -- models/{NAME}", "1 differ")

    def test_a_missing_file_is_named(self):
        (self.models / NAME).unlink()
        self.expect(1, f"{NAME}: missing")

    def test_the_characters_of_a_reader_are_checked_too(self):
        charset = self.models / "text_reader.charset.txt"
        self.tamper(charset)
        self.expect(1, f"{charset.name}: sha256 found ", "1 differ")
        charset.unlink()
        self.expect(1, f"{charset.name}: missing")

    def test_a_file_that_nobody_describes_is_named(self):
        (self.models / "other.tflite").write_bytes(b"TFL3")
        self.expect(1, "other.tflite: not in the manifest")

    def test_a_rebuilt_file_is_compared(self):
        (self.built / NAME).write_bytes((self.models / NAME).read_bytes())
        self.expect(0, f"{NAME}: rebuilt file is the same, byte for byte")
        self.tamper(self.built / NAME)
        self.expect(1, f"{NAME}: rebuilt file differs: sha256 found ")

    def test_an_unreadable_manifest_is_named(self):
        (self.models / "manifest.toml").write_text("format = ")
        self.expect(2, "manifest.toml cannot be read")

    def test_wrong_arguments_say_what_there_is(self):
        for script, arguments, word in (
            ("check.py", ["--models", self.built], "no manifest.toml"),
            ("check.py", ["--modles", self.models], "--models"),
            ("tasks.py", ["--out", self.built, "face_detectr"], "there are face_detector"),
        ):
            code, text = run(script, *arguments)
            self.assertEqual(code, 2, text)
            self.assertIn(word, text)


if __name__ == "__main__":
    unittest.main()
