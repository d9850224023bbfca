#!/bin/bash
# Devices, storage and the service itself fail, one after the other. Sourced by guest.sh.
part "Faults of devices"
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
within 20 said 'screen="idle'

mark
quiet
check "microphone silent: found" within 8 said hw.mic.silent
noise
check "microphone: sound again, well again" within 8 said "microphone is back"
mark
quiet
echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/unbind
check "microphone gone: found" within 8 said hw.mic.absent
echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/bind
udevadm settle
noise
check "microphone plugged in again: back" within 20 said "microphone is back"

mark
echo 1 >/sys/module/boothsim/parameters/nak
press 6
check "panel: a display that does not answer is a fault, and delays nobody" within 30 said hw.panel.fault
echo 0 >/sys/module/boothsim/parameters/nak
check "booth: runs on" state boothd active
press 6

part "Faults of the storage"
within 20 said 'screen="idle'
free() { df --output=avail /var/lib/boothd | tail -n 1; }
dd if=/dev/zero of=/var/lib/boothd/filler bs=64k status=none 2>/dev/null
dd if=/dev/zero of=/var/lib/boothd/filler2 bs=1k status=none 2>/dev/null
echo "free: $(free) KiB"
ticket
mark
look ticket
# The outbox holds room ready; what it does when that is used up, too, is shown by its own tests (delivery::outbox).
check "disk full: a session begins, its outcome has its place" within 40 said 'screen="consent'
look empty
press 6
check "disk full: the outcome is delivered, once" within 40 arrived "declined_by_subject 1"
rm /var/lib/boothd/filler /var/lib/boothd/filler2
sync
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

part "Faults of the service"
old=$(pid)
kill -STOP "$old"
check "hung: ended and started again before the chip (15 s) resets the machine" within 60 other_pid "$old"
mv /etc/boothd/policy.jws /run/policy.away
mark
systemctl restart boothd 2>/dev/null
before=$(tape i2c)
check "ends again and again: safe mode" within 60 state boothd-safe active
check "safe mode: says on the panel that it is out of service" within 10 longer $((before + 1000))
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
