#!/usr/bin/env python3
"""Measures whether the technician's line can hold up the booth. Wallet, uplink, booth (virtual) and console run as processes; customers come one
after the other, and meanwhile the line is maltreated: a terminal that does not read (XOFF) while answers are asked for, a flood of noise at
the line's speed. Printed for each phase: how long customers' sessions took, the longest pause between two signs of life for systemd's
watchdog, and how long `show status` took over the control socket, asked ten times a second. Ends with 1 if one of them was delayed by more than
a second, compared with the phase in which nothing is done to the line.

    scripts/console-stress.py BOOTHD [--out DIR] [--sessions N]

BOOTHD is the program. DIR is emptied. A pseudo-terminal knows no BREAK: storms of them are in the virtual machine (tests/vm).
"""

import argparse
import json
import os
import pathlib
import random
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

# A line of 115200 bits a second carries so many bytes.
LINE_SPEED = 11520
LIMIT_S = 1.0
SCENE = "board/scenes/passport.toml"
# systemd would ask for a sign of life twice in so many microseconds.
WATCHDOG_US = 8_000_000
CONSOLE = """booth_id = "BOOTH-DEMO"
tty = "-"
control = "socket/control.sock"
state_dir = "console"
code_key = "code.key"
"""


def fail(words):
    raise SystemExit(f"console-stress: {words}")


class Site:
    """Wallet, uplink and booth, furnished by the demonstration."""

    def __init__(self, boothd, out):
        self.boothd, self.out = boothd, out
        shutil.rmtree(out, ignore_errors=True)
        log = out.with_name(out.name + ".demo.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as to:
            if subprocess.run([boothd, "demo", "--out", str(out), "--scene", "passport"], stdout=to, stderr=to).returncode:
                fail(f"the demonstration failed, see {log}")
        config = out / "booth.toml"
        config.write_text(config.read_text() + '\n[control]\nsocket = "socket/control.sock"\n')
        (out / "console.toml").write_text(CONSOLE)
        self.tool("dispatch", "init", "--desk", out / "desk")
        self.tool("dispatch", "device-key", "--desk", out / "desk", "--booth", "BOOTH-DEMO", "--out", out / "code.key")
        self.beats = []
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str((out / "socket" / "notify.sock").resolve()))
        threading.Thread(target=self.listen, daemon=True).start()
        self.processes = [self.start("wallet"), self.start("uplink"), self.start("booth", verb="run", watched=True)]
        self.wallet = re.search(r'url = "(.*)"', (out / "uplink.toml").read_text())[1]
        self.stage = self.connect("stage.sock")
        self.control = self.connect("control.sock")
        self.tell(self.control, {"hello": {"protocol": "boothd-control", "version": 1}})
        self.control.readline()
        self.asked = 0

    def tool(self, *words):
        done = subprocess.run([self.boothd, *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            fail(f"`boothd {words[0]}`: {done.stderr.strip()}")
        return done.stdout

    def start(self, name, verb=None, watched=False):
        environment = dict(os.environ)
        if watched:
            environment |= {"NOTIFY_SOCKET": str((self.out / "socket" / "notify.sock").resolve()), "WATCHDOG_USEC": str(WATCHDOG_US)}
        log = (self.out / "logs" / f"{name}-stress.log").open("w")
        return subprocess.Popen([self.boothd, verb or name, "--config", str(self.out / f"{name}.toml")], stderr=log, env=environment)

    def connect(self, name):
        path, end = self.out / "socket" / name, time.monotonic() + 60
        while time.monotonic() < end:
            try:
                way = socket.socket(socket.AF_UNIX)
                way.settimeout(120)
                way.connect(str(path))
                return way.makefile("rw")
            except OSError:
                time.sleep(0.1)
        fail(f"{path}: nobody listens, see {self.out}/logs")

    @staticmethod
    def tell(file, what):
        file.write(json.dumps(what) + "\n")
        file.flush()

    def listen(self):
        while True:
            if b"WATCHDOG=1" in self.notify.recv(4096):
                self.beats.append(time.monotonic())

    def longest_pause(self, since):
        """Seconds between two signs of life, from the last one before `since` to now."""
        first = max((n for n, at in enumerate(self.beats) if at < since), default=0)
        times = [*self.beats[first:], time.monotonic()]
        return max(b - a for a, b in zip(times, times[1:]))

    def ask(self):
        """Seconds until `show status` is answered."""
        self.asked += 1
        began = time.monotonic()
        operator = {"role": "view", "work_order": "STRESS"}
        self.tell(self.control, {"run": {"id": self.asked, "command": {"show": "status"}, "operator": operator}})
        while "report" not in json.loads(self.control.readline()):
            pass
        return time.monotonic() - began

    def customer(self, sessions):
        """Plays a customer; adds the seconds from coming to going, or what went wrong."""
        try:
            ticket = self.out / "ticket.txt"
            self.tool("ticket", SCENE, "--wallet", self.wallet, "--keys", self.out / "keys", "--out", ticket)
            began = time.monotonic()
            self.tell(self.stage, {"play": SCENE, "ticket": ticket.read_text().strip()})
            while "done" not in (said := json.loads(self.stage.readline())):
                if "error" in said:
                    raise RuntimeError(said["error"])
            if not any("verified" in screen for screen in said["shown"]):
                raise RuntimeError(f"not verified: {said['shown']}")
            sessions.append(time.monotonic() - began)
        except (RuntimeError, OSError, ValueError, SystemExit) as wrong:
            sessions.append(str(wrong))


class Line:
    """The far end of a pseudo-terminal with a console on the near end."""

    def __init__(self, site):
        self.far, near = os.openpty()
        os.set_blocking(self.far, False)
        self.near, self.shown = near, ""
        line = [site.boothd, "console", "--config", str(site.out / "console.toml"), "--tty", os.ttyname(near)]
        self.console = subprocess.Popen(line, stderr=subprocess.DEVNULL)

    def read(self, seconds):
        if select.select([self.far], [], [], seconds)[0]:
            try:
                self.shown = (self.shown + os.read(self.far, 65536).decode("ascii", "replace"))[-100_000:]
            except BlockingIOError:
                pass

    def send(self, data):
        """What finds room; the rest is lost, as on a line. Gives how much did."""
        try:
            return os.write(self.far, data)
        except BlockingIOError:
            return 0

    def expect(self, words):
        end = time.monotonic() + 60
        while not (found := re.search(words, self.shown)):
            if time.monotonic() > end:
                fail(f"`{words}` is not shown, but: {self.shown[-400:]}")
            self.read(0.2)
        self.shown = self.shown[found.end():]
        return found


def phase(name, site, n_sessions, step):
    """Customers come; `step` is done to the line in between. Gives the three figures, s."""
    sessions, answers, began = [], [], time.monotonic()
    while len(sessions) < n_sessions:
        customer = threading.Thread(target=site.customer, args=(sessions,))
        customer.start()
        while customer.is_alive():
            step()
            answers.append(site.ask())
    wrong = [s for s in sessions if isinstance(s, str)]
    if wrong:
        fail(f"{name}: a customer's session went wrong: {wrong[0]}")
    pause = site.longest_pause(began)
    print(f"{name:<52} {len(sessions):>8} {statistics.median(sessions):>7.2f} {max(sessions):>7.2f} {pause:>9.2f} {len(answers):>6}"
          f" {statistics.median(answers) * 1e3:>7.1f} {max(answers) * 1e3:>7.1f}", flush=True)
    return {"session": max(sessions), "sign of life": pause, "answer": max(answers)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("boothd")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/console-stress"))
    parser.add_argument("--sessions", type=int, default=6, help="customers of each phase")
    given = parser.parse_args()
    if given.sessions < 1:
        fail(f"--sessions {given.sessions}: at least 1")
    site = Site(given.boothd, given.out)
    line = Line(site)
    try:
        line.expect("> $")
        line.send(b"login view STRESS\r")
        challenge = line.expect(r"challenge ([0-9A-Z-]+)")[1]
        code = site.tool("dispatch", "answer", "--desk", given.out / "desk", "--booth", "BOOTH-DEMO", "--role", "view", "--work-order", "STRESS",
                         "--challenge", challenge).split()[1]
        line.send(code.encode() + b"\r")
        line.expect("view> $")
        line.send(b"terminal length 0\r")
        line.expect("view> $")
        print(f"{'':<52} {'':>8} {'session, s':>15} {'life, s':>9} {'':>6} {'answer, ms':>15}")
        print(f"{'phase':<52} {'sessions':>8} {'median':>7} {'longest':>7} {'longest':>9} {'asked':>6} {'median':>7} {'longest':>7}")
        phase("(warm up)", site, 1, lambda: time.sleep(0.1))
        quiet = phase("nothing", site, given.sessions, lambda: time.sleep(0.1))
        taken = [0]

        def deaf():
            time.sleep(0.1)
            taken[0] += line.send(b"show sessions\rshow faults\rshow policy\r\x13")

        rest = [phase("XOFF: nobody reads what is asked for, all the time", site, given.sessions, deaf)]
        print(f"  {taken[0]} bytes typed")
        while select.select([line.far], [], [], 2)[0]:
            line.read(0)
        noise, last, taken = random.Random(1), [time.monotonic()], [0]

        def flood():
            time.sleep(0.05)
            now = time.monotonic()
            taken[0] += line.send(noise.randbytes(int((now - last[0]) * LINE_SPEED)))
            last[0] = now
            line.read(0)

        began = time.monotonic()
        rest.append(phase("a flood of noise at the line's speed", site, given.sessions, flood))
        print(f"  {taken[0]} bytes of noise, {taken[0] / (time.monotonic() - began):.0f} a second")
        if line.console.poll() is not None:
            fail("the console has ended")
    finally:
        for process in [line.console, *reversed(site.processes)]:
            process.terminate()
        for process in [line.console, *site.processes]:
            process.wait()
    delays = {what: max(r[what] for r in rest) - quiet[what] for what in quiet}
    print("longest, compared with nothing: " + ", ".join(f"{what} {s:+.2f} s" for what, s in delays.items()))
    return 1 if max(delays.values()) > LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
