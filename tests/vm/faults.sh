#!/bin/bash
# Devices, storage and the service itself fail, one after the other. Sourced by guest.sh.
part "Faults of devices"
# The log and the memory of faults have a rung of each of these devices.
climbs() {
	local device
	for device in "$@"; do
		said "$device: next rung" || return 1
		awk -v device="\"$device\"" '/"device":/{here = index($0, device)} here && /"rung":/{found = 1} END{exit !found}' \
			/var/lib/boothd/faults.json || return 1
	done
}
mark
kill -STOP $feed
check "camera frozen: found within 3 s (emulated)" within 3 said hw.camera.frozen
kill -CONT $feed
check "camera: moves again, well again" within 8 said "camera is back"

mark
press 6
within 10 said 'screen="consent'
press 5
check "button: the other one begins practice" within 10 said 'screen="document'
sleep 1
look black
check "camera covered while the ring is lit: found within 4 s (emulated)" within 4 said "hw.camera.covered\|hw.camera.dark"
look empty
check "camera: sees again, well again" within 8 said "camera is back"
result=$cursor
press 5

mark
quiet
echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/unbind
echo snd_dummy.0 >/sys/bus/platform/drivers/snd_dummy/unbind
check "microphone gone: found" within 8 said hw.mic.absent
check "speaker gone: found" within 8 said hw.speaker.fault
check "microphone, speaker: on the recovery ladder" within 8 climbs microphone speaker
echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/bind
echo snd_dummy.0 >/sys/bus/platform/drivers/snd_dummy/bind
udevadm settle
noise
sleep 1
# The booth was first, and the card is what it has asked for.
kill -0 $noise 2>/dev/null || noise 16000 1 S16_LE
check "microphone plugged in again: back" within 20 said "microphone is back"
check "speaker plugged in again: back" within 20 said "speaker is back"

cursor=$result
within 20 said 'screen="idle'
mark
echo 1 >/sys/module/boothsim/parameters/nak
press 6
check "panel: a display that does not answer is a fault, and delays nobody" within 30 said hw.panel.fault
check "panel: on the recovery ladder" within 8 climbs panel
echo 0 >/sys/module/boothsim/parameters/nak
check "panel: answers again, well again" within 10 said "panel is back"
check "booth: runs on" state boothd active
press 6

part "Faults of the storage"
within 20 said 'screen="idle'
ticket
mark
mount -o remount,abort /var/lib/boothd
look ticket
check "disk read-only: no session, and why" within 40 said hw.storage
look empty
systemctl stop boothd
umount /var/lib/boothd
fsck.ext4 -p /run/state.img >/dev/null
mount -o loop /run/state.img /var/lib/boothd
mark
check "disk mended: the service starts with its outbox as it was" systemctl start boothd
check "outbox: nothing was lost" not said "damaged: [1-9]\|quarantined: Some"

part "Faults of the storage, and of the clock"
# The ticket of the check before was not used: no session began. Its time is over in two days, and the wallet then issues another one.
rm "$host/ticket.txt"
mv "$host/frames/ticket.yuyv" "$host/frames/old.yuyv"
today=$(date +%s)
date -s "@$((today + 2 * 86400))" >/dev/null
began=$(seconds)
mark
look old
check "clock: an expired ticket is refused, and the person has a new one issued" within 40 said "ticket refused.*expired"
ticket
# Most of it at once, the rest to the last block.
fallocate -l $(($(free) - 4096))K /var/lib/boothd/filler
dd if=/dev/zero of=/var/lib/boothd/filler2 bs=1k status=none 2>/dev/null
echo "free: $(free) KiB"
mark
look ticket
# The outbox holds room ready; what it does when that is used up, too, is shown by its own tests (delivery::outbox).
check "disk full: a session begins, its outcome has its place" within 40 said 'screen="consent'
look empty
press 6
check "disk full: the outcome is delivered, once" within 40 arrived "declined_by_subject 1"
press 5
rm /var/lib/boothd/filler /var/lib/boothd/filler2
sync
within 20 said 'screen="idle'
# The wallet has signed that the two days are over.
date -s "@$((today + $(seconds) - began))" >/dev/null
mark
look old
check "clock set back by two days: the expired ticket stays refused" within 40 said "ticket refused.*expired"
check "clock set back: no session began" not said 'screen="consent'
look empty

part "Faults of the service"
# The devices of the other boards: safe mode shows a picture and turns the ring off, so it sends something to both.
other() {
	rm -rf /run/other
	mkdir -p /run/other/state
	cp -r /etc/boothd/. /run/other/
	{ sed "/^\[$1\]/,/^\$/d" "$host/vm.toml"; printf '\n[%s]\n' "$1"; sed -n "/^\[$1\]/,/^\$/{/^\[/!p}" "$host/$2.toml"; } >/run/other/vm.toml
	sed 's#^state_dir = .*#state_dir = "/run/other/state"#' /etc/boothd/boothd.toml >/run/other/boothd.toml
	: >/sys/kernel/debug/boothsim/spi
	boothd safe --config /run/other/boothd.toml --for 3 >>"$host/other.txt" 2>&1
	[ "$(tape spi)" -ge "$3" ]
}
mark
old=$(pid)
kill -STOP "$old"
# systemd waits for eight seconds: time for two others.
check "panel of kiosk-a (ST7789): a whole picture came over SPI" other panel kiosk-a 153600
check "lights of kiosk-b (WS2812): all LEDs were written over SPI" other lights kiosk-b 432
check "hung: ended and started again before the chip (15 s) resets the machine" within 60 other_pid "$old"
check "clock behind what the wallet has signed: told in the log after the start" within 10 said hw.clock.wrong
mv /etc/boothd/policy.jws /run/policy.away
echo 1 >/sys/module/boothsim/parameters/nak
mark
systemctl restart boothd 2>/dev/null
check "ends again and again: safe mode" within 60 state boothd-safe active
before=$(tape i2c)
echo 0 >/sys/module/boothsim/parameters/nak
check "safe mode: a panel that is plugged in later says that it is out of service" within 10 longer $((before + 1000))
check "safe mode: remembers the fault" fault hw.service.fault
mv /run/policy.away /etc/boothd/policy.jws
# A quarter of an hour later systemd has forgotten the five starts.
systemctl reset-failed boothd
check "safe mode: its time is over, the service is tried again" within 40 state boothd active
systemctl start boothd-safe
check "safe mode: ends when somebody starts the service" sh -c 'systemctl start boothd && ! systemctl is-active -q boothd-safe'
check "started twice: the second one says what is busy" sh -c \
	'runuser -u boothd -- timeout 60 boothd run --config /etc/boothd/boothd.toml 2>&1 | tee /tmp/second | grep -Eqi "busy|in use|already|lock"'
tail -n 1 /tmp/second
