#!/usr/bin/env python3
"""technician.py LINE SHARE BOOTHD RECORD: plays the technician of `make vm-test` at the far end of the machine's second serial line.

LINE is the socket of the line, SHARE the folder that the machine sees, too, BOOTHD the program whose `dispatch` is the desk, RECORD the file
that gets all that is shown on the line. By files in SHARE the machine says what happens in it, and is told what the technician has found:

    come       -> in        somebody is there: login with the desk's code, `maintenance enter`
    N.broken   -> N.found   "TEST CODE": `test TEST` ends with result 2, and `show faults` tells CODE with the mend of docs/faults.md
    N.mended   -> N.well    the same test ends with result 0, and CODE is over
    leave      -> closed    `maintenance leave`, `logout`; the desk takes the closing code
    storm      -> raging    another login; a storm of BREAKs on the line, which ends it
    over       -> calm      the storm is over: the login was ended once, and the line answers again

`lost` says what did not come. The first answers of a test may be others: the booth looks once a second at what it watches, and the machine
is slow.
"""

import pathlib
import re
import select
import socket
import subprocess
import sys
import time

ROLE, ORDER, NEXT_ORDER = "service", "WO-VM-1", "WO-VM-2"
# QEMU makes a BREAK of this on a line that is a multiplexer; a storm has one every so many seconds.
BREAK, EVERY_S = b"\x01b", 0.01
# Nothing that is waited for takes longer: one answer; what is tried again and again.
ANSWER_S, TRIES_S = 60, 75


class Lost(Exception):
    """Something did not come; the text says what."""


class Line:
    def __init__(self, path, record):
        self.record = open(record, "w")
        while not path.exists():
            time.sleep(0.1)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.shown = ""

    def read(self, seconds):
        if select.select([self.socket], [], [], seconds)[0]:
            data = self.socket.recv(65536)
            if not data:
                sys.exit()
            text = data.decode("ascii", "replace").replace("\r", "")
            self.shown += text
            self.record.write(text)
            self.record.flush()

    def types(self, line, until):
        """Types a line; gives what is shown up to a text that ends it."""
        self.read(0)
        self.shown = ""
        self.socket.sendall(line.encode() + b"\r")
        end = time.monotonic() + ANSWER_S
        while until not in self.shown:
            if time.monotonic() > end:
                raise Lost(f"`{line}`: `{until}` is not shown, but: {self.shown[-300:]}")
            self.read(0.5)
        return self.shown[:self.shown.index(until)]


class Desk:
    def __init__(self, boothd, folder, booth, order):
        self.command = [boothd, "dispatch"]
        self.claims = ["--desk", str(folder), "--booth", booth, "--work-order", order]

    def asks(self, verb, *words):
        done = subprocess.run([*self.command, verb, *self.claims, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise Lost(f"the desk refuses `{verb}`: {done.stderr.strip()}")
        return done.stdout


def word_behind(text, before):
    found = re.search(re.escape(before) + r"(\S+)", text)
    if not found:
        raise Lost(f"`{before}` is not in: {text[-300:]}")
    return found[1]


def mends():
    """The mend of each code, as the document has it."""
    rows = (pathlib.Path(__file__).parents[2] / "docs/faults.md").read_text().splitlines()
    cells = [[cell.strip() for cell in row.split("|")] for row in rows if re.match(r"\| \d+ \| `", row)]
    return {row[2].strip("`"): row[8] for row in cells}


class Technician:
    def __init__(self, line, share, boothd):
        self.line, self.share, self.boothd, self.mends = line, share, boothd, mends()

    def waits(self, name):
        """For a word of the machine; reads on meanwhile, as a terminal does."""
        while not (self.share / name).exists():
            self.line.read(0.1)
        return (self.share / name).read_text().split()

    def tells(self, name, text):
        half = self.share / f"{name}.half"
        half.write_text(text + "\n")
        half.rename(self.share / name)

    def until(self, line, is_so):
        """Types a line again and again until its answer is as wanted; gives how often."""
        end, n = time.monotonic() + TRIES_S, 0
        while True:
            n += 1
            shown = self.line.types(line, self.inside)
            if is_so(shown):
                return n
            if time.monotonic() > end:
                raise Lost(f"`{line}`: {' / '.join(shown.split(chr(10))[1:])[-600:]}")
            self.line.read(0.2)

    def logs_in(self, booth, order):
        self.desk = Desk(self.boothd, self.share / "desk", booth, order)
        self.outside, self.inside = f"{booth}> ", f"{booth} {ROLE} maint> "
        self.line.types("", self.outside)
        self.line.types("terminal length 0", self.outside)
        challenge = word_behind(self.line.types(f"login {ROLE} {order}", "code: "), "challenge ")
        code = word_behind(self.desk.asks("answer", "--role", ROLE, "--challenge", challenge), "code ")
        self.line.types(code, f"{booth} {ROLE}> ")
        return challenge

    def comes(self):
        booth, = self.waits("come")
        challenge = self.logs_in(booth, ORDER)
        self.line.types("maintenance enter wait 60", self.inside)
        self.tells("in", f"challenge {challenge} answered")

    def finds_and_mends(self, n):
        test, code = self.waits(f"{n}.broken")
        mend = self.mends[code]

        def faults(shown):
            """Of those that are now: code and block."""
            now = " ".join(shown.split("\nover\n")[0].split())
            return dict(re.findall(r"\b\d{3} ([a-z]+\.[a-z_.]+) (what .*?)(?= \d{3} [a-z]+\.|$)", now))

        def found(shown):
            return shown.rstrip().endswith("result 2 fail") and mend in " ".join(shown.split())

        n_tests = self.until(f"test {test}", found)
        self.until("show faults", lambda shown: mend in faults(shown).get(code, ""))
        self.tells(f"{n}.found", f"test {test}: result 2 fail, {code}: {mend} ({n_tests})")
        self.waits(f"{n}.mended")
        n_tests = self.until(f"test {test}", lambda shown: shown.rstrip().endswith("result 0 ok"))
        self.until("show faults", lambda shown: code not in faults(shown))
        self.tells(f"{n}.well", f"test {test}: result 0 ok, {code}: over ({n_tests})")

    def leaves(self):
        booth = self.outside.rstrip("> ")
        self.line.types("maintenance leave", f"{booth} {ROLE}> ")
        shown = self.line.types("logout", self.outside)
        lines, head = word_behind(shown, " audit "), re.search(r" audit \d+ (\w+)", shown)
        code = word_behind(shown, "closing code ")
        self.tells("closed", self.desk.asks("close", "--audit", lines, head[1], "--code", code).strip())

    def breaks(self):
        booth, = self.waits("storm")
        self.logs_in(booth, NEXT_ORDER)
        self.line.shown, n, ended = "", 0, f"login {NEXT_ORDER} ended: BREAK"
        began = time.monotonic()
        self.tells("raging", "the storm begins")
        while not (self.share / "over").exists():
            self.line.socket.sendall(BREAK)
            n += 1
            self.line.read(EVERY_S)
        took = time.monotonic() - began
        end = time.monotonic() + ANSWER_S
        while ended not in self.line.shown:
            if time.monotonic() > end:
                raise Lost(f"`{ended}` is not shown after {n} BREAKs, but: {self.line.shown[-300:]}")
            self.line.read(0.5)
        self.line.read(0.5)
        n_ended = self.line.shown.count("ended: BREAK")
        if n_ended != 1:
            raise Lost(f"{n_ended} times `{ended}` for one login")
        since = time.monotonic()
        self.line.types("help", f"result 0 ok\n{self.outside}")
        self.tells("calm", f"{n} BREAKs in {took:.0f} s, the login ended once; `help` answered {time.monotonic() - since:.1f} s later")

    def works(self):
        self.comes()
        n = 1
        while True:
            while not (self.share / f"{n}.broken").exists():
                if (self.share / "leave").exists():
                    self.leaves()
                    return self.breaks()
                self.line.read(0.1)
            self.finds_and_mends(n)
            n += 1


def main():
    line, share, boothd, record = sys.argv[1:]
    technician = Technician(Line(pathlib.Path(line), record), pathlib.Path(share), boothd)
    try:
        technician.works()
    except Exception as reason:  # Whatever it was: nobody has to wait for the technician any more, and customers may come.
        technician.tells("lost", f"{type(reason).__name__}: {reason}")
        technician.line.socket.sendall(b"\x03\rlogout\r")
    # A terminal is read to the end, else the line would stand still.
    while True:
        technician.line.read(60)


if __name__ == "__main__":
    main()
