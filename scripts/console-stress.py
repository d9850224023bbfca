#!/usr/bin/env python3
"""Measures whether the technician's line can hold up the booth: a terminal that does not read while a live picture runs, a flood of noise
at the line's speed, XOFF characters. Meanwhile `show status` is asked over the control socket ten times a second, and a look is
taken at the service's processor time. Prints the answer times of each phase; ends with 1 if an answer took longer than a second.

    scripts/console-stress.py BOOTHD CONSOLE_TOML DESK [--seconds N]

BOOTHD is the program, CONSOLE_TOML that of a booth whose `boothd run` is running, DESK a folder of `boothd dispatch init` with its key. A
pseudo-terminal knows no BREAK: that needs a real line.
"""

import argparse
import json
import os
import pathlib
import random
import re
import select
import socket
import subprocess
import sys
import time
import tomllib

# A line of 115200 bits a second carries so many bytes.
LINE_SPEED = 11520
LIMIT_S = 1.0


class Booth:
    """The control socket, asked as a second console would."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw")
        self.tell({"hello": {"protocol": "boothd-control", "version": 1}})
        self.id = 0
        json.loads(self.file.readline())

    def tell(self, what):
        self.file.write(json.dumps(what) + "\n")
        self.file.flush()

    def ask(self):
        """Seconds until `show status` is answered."""
        self.id += 1
        began = time.monotonic()
        operator = {"role": "view", "work_order": "STRESS"}
        self.tell({"run": {"id": self.id, "command": {"show": "status"}, "operator": operator}})
        while "report" not in json.loads(self.file.readline()):
            pass
        return time.monotonic() - began


class Line:
    """The far end of a pseudo-terminal with a console on the near end."""

    def __init__(self, boothd, config):
        self.far, near = os.openpty()
        os.set_blocking(self.far, False)
        name = os.ttyname(near)
        self.console = subprocess.Popen([boothd, "console", "--config", config, "--tty", name], stderr=subprocess.DEVNULL)
        self.near, self.shown = near, ""

    def read(self, seconds):
        if select.select([self.far], [], [], seconds)[0]:
            try:
                self.shown += os.read(self.far, 65536).decode("ascii")
            except BlockingIOError:
                pass

    def send(self, data):
        """What finds room; the rest is lost, as on a line."""
        try:
            os.write(self.far, data)
        except BlockingIOError:
            pass

    def expect(self, words):
        end = time.monotonic() + 60
        while not (found := re.search(words, self.shown)):
            if time.monotonic() > end:
                raise SystemExit(f"console-stress: `{words}` is not shown, but: {self.shown[-400:]}")
            self.read(0.2)
        self.shown = self.shown[found.end():]
        return found


def phase(name, booth, seconds, step):
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        step()
        times.append(booth.ask())
    times.sort()
    print(f"{name:<58} {len(times):>5} {times[len(times) // 2] * 1e3:>8.1f} {times[-1] * 1e3:>8.1f}", flush=True)
    return times[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("boothd")
    parser.add_argument("config", type=pathlib.Path)
    parser.add_argument("desk")
    parser.add_argument("--seconds", type=float, default=60, help="of each phase")
    given = parser.parse_args()
    config = tomllib.loads(given.config.read_text())
    booth = Booth(given.config.parent / config["control"])
    line = Line(given.boothd, str(given.config))
    try:
        line.expect("> $")
        line.send(b"login service STRESS\r")
        challenge = line.expect(r"challenge ([0-9A-Z-]+)")[1]
        answer = [given.boothd, "dispatch", "answer", "--desk", given.desk, "--booth", config["booth_id"], "--role", "service",
                  "--work-order", "STRESS", "--challenge", challenge]
        code = subprocess.run(answer, capture_output=True, text=True, check=True).stdout.split()[1]
        line.send(code.encode() + b"\r")
        line.expect("service> $")
        line.send(b"maintenance enter\r")
        line.expect("maint> $")
        print(f"{'phase':<58} {'asked':>5} {'median':>8} {'longest':>8}  ms")
        worst = [phase("nothing", booth, min(20, given.seconds), lambda: time.sleep(0.1))]
        line.send(b"test camera --live\r")
        worst.append(phase("a live picture that nobody reads, after XOFF", booth, given.seconds, lambda: (line.send(b"\x13"), time.sleep(0.1))))
        line.send(b"q")
        line.expect("maint> $")
        noise = random.Random(1)
        last = [time.monotonic()]

        def flood():
            time.sleep(0.05)
            now = time.monotonic()
            line.send(noise.randbytes(int((now - last[0]) * LINE_SPEED)))
            last[0] = now
            line.read(0)

        last[0] = time.monotonic()
        worst.append(phase("a flood of noise at the line's speed", booth, given.seconds, flood))
    finally:
        line.console.terminate()
        line.console.wait()
    return 1 if max(worst) > LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
