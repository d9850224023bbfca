#!/bin/bash
# A technician comes: at the far end of the second serial line, on the host, somebody types (technician.py). Here things break, and are mended
# when the technician has found them. Sourced by guest.sh.
visit=$host/technician
# signal NAME WORDS: what the technician is told; the whole file or none.
signal() {
	echo "$2" >"$visit/half"
	mv "$visit/half" "$visit/$1"
}
# The technician says so, or why not.
heard() {
	local said=$visit/$1
	within 90 answered "$said"
	[ -f "$said" ] || said=$visit/lost
	sed 's/^/  /' "$said"
	[ -f "$visit/$1" ]
}
answered() { [ -f "$1" ] || [ -f "$visit/lost" ]; }
# mends TEST CODE MEND: something is broken. `test TEST` ends with result 2, and the fault CODE is told with its mend; when it is mended, the same
# test ends with result 0, and the fault is over.
n_broken=0
mends() {
	local found=1
	n_broken=$((n_broken + 1))
	signal $n_broken.broken "$1 $2"
	heard $n_broken.found && found=0
	$3
	signal $n_broken.mended "$1 $2"
	[ $found = 0 ] && heard $n_broken.well
}
# Something with print on it is held before the lens, else no sharpness can be measured.
page() { look document; }
both_sides() { echo -1 >/sys/module/boothsim/parameters/dead; }
right_clock() { date -s "@$((today + $(seconds) - began))" >/dev/null; }
empties() { rm /var/lib/boothd/filler; }

part "A technician at the second serial line"
cp -r /run/desk "$visit/desk"
signal come BOOTH-VM
look covered
check "technician: the desk answers the challenge; no customer's session begins" heard in
check "technician: a finger on the lens is found; taken away, all is well" mends camera hw.camera.covered page
# Three at once: what takes a while to be noticed has it while the lights are tested.
mark
mute
systemctl stop wallet
echo 0 >/sys/module/boothsim/parameters/dead
look lit
check "technician: a dead side of the ring is found, by the camera; mended, all is well" mends lights hw.light.left_dead both_sides
look empty
check "microphone silent: found" within 8 said hw.mic.silent
check "technician: a muted microphone is found; heard again, all is well" mends microphone hw.mic.silent unmute
check "microphone: sound again, well again" within 8 said "microphone is back"
check "technician: a wallet that nobody reaches is found; reached again, all is well" mends network net.backend_unreachable wallet
# As after a night without power, with an empty battery.
today=$(date +%s)
began=$(seconds)
date -s "2020-01-01" >/dev/null
check "technician: a wrong clock is found; set, all is well" mends clock hw.clock.wrong right_clock
fallocate -l $(($(free) - 8192))K /var/lib/boothd/filler
check "technician: a full disk is found; with room again, all is well" mends storage hw.storage.full empties
signal leave BOOTH-VM
check "technician: leaves; the desk takes the closing code" heard closed
