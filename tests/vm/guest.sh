#!/bin/bash
# Runs in the virtual machine: installs the package, loads the drivers, and checks the service on them. Writes report.txt and journal.txt.
host=/mnt/host
exec > >(tee "$host/report.txt") 2>&1
passed=0 failed=0
uptime() { cut -d' ' -f1 /proc/uptime; }
check() {
	local name=$1 since
	shift
	since=$(uptime)
	if "$@"; then
		passed=$((passed + 1))
		printf '%-70s passed %6.1f s\n' "$name" "$(awk -v a="$since" -v b="$(uptime)" 'BEGIN{print b-a}')"
	else
		failed=$((failed + 1))
		printf '%-70s FAILED %6.1f s\n' "$name" "$(awk -v a="$since" -v b="$(uptime)" 'BEGIN{print b-a}')"
	fi
}
# within SECONDS COMMAND...: the command succeeds before so many seconds are over.
within() {
	local end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.2
	done
}
not() { ! "$@"; }
state() { [ "$(systemctl is-active "$1")" = "$2" ]; }
# What the booth has said since mark().
mark() { cursor=$(journalctl -u boothd -n 0 --show-cursor | sed -n 's/^-- cursor: //p'); }
said() { journalctl -u boothd --after-cursor="$cursor" -o cat | grep -q -- "$1"; }
fault() { grep -q "\"$1\"" /var/lib/boothd/faults.json; }
pid() { systemctl show boothd -p MainPID --value; }
tape() { cat "/sys/kernel/debug/boothsim/$1" | wc -c; }
longer() { [ "$(tape i2c)" -gt "$1" ]; }
# Brightest of the two channels, ns of 500000.
duty() { awk '/pwm-[01]/{for(i=1;i<NF;i++) if($i=="duty:" && $(i+1)>m) m=$(i+1)} END{print m+0}' /sys/kernel/debug/pwm; }
brighter() { [ "$(duty)" -gt "$1" ]; }
dark() { [ "$(duty)" -eq 0 ]; }

echo "kernel $(uname -r), $(sed -n 's/PRETTY_NAME=//p' /etc/os-release)"
mount -t configfs none /sys/kernel/config 2>/dev/null
mount -t debugfs none /sys/kernel/debug 2>/dev/null

check "package: installs" sh -c "dpkg -i $host/boothd.deb >$host/dpkg.txt 2>&1"
check "package: nothing starts, and nothing fails, before there is a configuration" state boothd inactive

modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0
modprobe -a snd-aloop i2c-dev spidev boothsim gpio-sim i6300esb
sim=/sys/kernel/config/gpio-sim/booth
mkdir -p $sim/bank0
echo 58 >$sim/bank0/num_lines
echo pinctrl-bcm2711 >$sim/bank0/label
echo 1 >$sim/live
lines=/sys/devices/platform/$(cat $sim/dev_name)/$(cat $sim/bank0/chip_name)
udevadm settle
# The picture moves, as one of a sensor does.
v4l2-ctl -d /dev/video0 -c horizontal_movement=5
arecord -l >/dev/null
aplay -q -D hw:Loopback,0,0 -f S16_LE -r 16000 -c 1 -t raw /dev/urandom &
noise=$!

mkdir -p /etc/boothd
cp "$host/vm.toml" /etc/boothd/
(
	umask 077
	cd /etc/boothd || exit
	boothd keys --out keys >/dev/null
	boothd policy sign /usr/share/boothd/policies/utopia-standard.toml --key keys/policy-sign.key --out policy.jws >/dev/null
)
cat >/etc/boothd/boothd.toml <<T
booth_id = "BOOTH-VM"
board = "vm.toml"
reboot_request = "/run/boothd/reboot-request"
[trust]
signing_key = "keys/booth-sign.key"
wallet_keys = ["keys/wallet-sign.pub.pem"]
policy_keys = ["keys/policy-sign.pub.pem"]
policy = "policy.jws"
[models]
dir = "/usr/lib/boothd/models"
runtime = "/usr/lib/boothd/libLiteRt.so"
face_calibration = "/usr/lib/boothd/models/calibration/face_comparison.toml"
pad_calibration = "/usr/lib/boothd/models/calibration/face_pad.toml"
[outbox]
state_dir = "/var/lib/boothd"
[uplink]
socket = "/run/boothd/uplink.sock"
allowed_uids = [$(id -u boothd-uplink)]
T
chgrp -R boothd /etc/boothd
chmod 640 /etc/boothd/*.toml /etc/boothd/policy.jws
chmod 750 /etc/boothd/keys
chmod 644 /etc/boothd/keys/*.pem
chown boothd /etc/boothd/keys/booth-sign.key
# The PWM chip of this machine is another than a Pi's.
mkdir -p /etc/systemd/system/boothd.service.d
printf '[Service]\nReadWritePaths=/sys/devices/platform/boothsim\n' >/etc/systemd/system/boothd.service.d/vm.conf
systemctl daemon-reload
ls -l /etc/boothd/keys >"$host/keys.txt"

check "boothd check: every device of the board answers" boothd check --board /etc/boothd/vm.toml
mark
check "booth: starts and says that it is ready" systemctl start boothd
systemctl is-active -q boothd || journalctl -u boothd -o cat -n 12
check "booth: still runs after 3 s" sh -c 'sleep 3; systemctl is-active -q boothd'
check "panel: pictures came over I2C" longer 1000
check "lights: the idle level stands in the PWM chip" within 5 brighter 0
check "serial line, watchdog: open" sh -c "ls -l /proc/$(pid)/fd | grep -q ttyS1 && ls -l /proc/$(pid)/fd | grep -q watchdog0"

before=$(tape i2c) level=$(duty)
echo pull-down >"$lines/sim_gpio6/pull"
sleep 0.3
echo pull-up >"$lines/sim_gpio6/pull"
check "button: the other one begins practice, the panel changes" within 10 longer $((before + 1000))
check "lights: brighter for a step than when idle" within 60 brighter "$level"

mark
since=$(uptime)
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
check "camera unbound in a session: found within 2 s" within 2 said hw.camera.absent
sleep 3
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
udevadm settle
v4l2-ctl -d /dev/video0 -c horizontal_movement=5
check "camera bound again: back within 5 s" within 5 said "camera is back"
check "camera: the fault and that it is over are remembered" fault hw.camera.absent

mark
v4l2-ctl -d /dev/video0 -c horizontal_movement=3 -c osd_text_mode=2
check "camera frozen: found within 3 s (emulated)" within 3 said hw.camera.frozen
v4l2-ctl -d /dev/video0 -c horizontal_movement=5
check "camera: moves again, well again" within 8 said "camera is back"

mark
kill $noise
check "microphone: silence is found" within 8 said hw.mic.silent
aplay -q -D hw:Loopback,0,0 -f S16_LE -r 16000 -c 1 -t raw /dev/urandom &
check "microphone: sound again, well again" within 8 said "microphone is back"

mark
echo 1 >/sys/module/boothsim/parameters/nak
echo pull-down >"$lines/sim_gpio5/pull"
sleep 0.3
echo pull-up >"$lines/sim_gpio5/pull"
check "panel: a display that does not answer is a fault, and delays nobody" within 30 said hw.panel.fault
echo 0 >/sys/module/boothsim/parameters/nak
check "booth: runs on" state boothd active

old=$(pid)
kill -9 "$old"
check "service killed: running again" within 40 sh -c "[ \$(systemctl show boothd -p MainPID --value) != $old ] && systemctl is-active -q boothd"
old=$(pid)
kill -STOP "$old"
check "service hung: systemd's watchdog ends it, running again" within 70 sh -c "[ \$(systemctl show boothd -p MainPID --value) != $old ] && systemctl is-active -q boothd"
check "service started twice: the second one says what is busy" sh -c \
	'runuser -u boothd -- timeout 60 boothd run --config /etc/boothd/boothd.toml 2>&1 | tee /tmp/second | grep -Eqi "busy|in use|already|lock"'
tail -n 2 /tmp/second

check "package: the same once more (an upgrade) leaves it running" sh -c "dpkg -i $host/boothd.deb >/dev/null 2>&1 && sleep 2 && systemctl is-active -q boothd"
check "booth: stops in order" systemctl stop boothd
check "lights: off after the end" dark
systemctl start boothd
systemctl stop boothd
check "package: purged without a trace but the outbox, which is put aside" sh -c \
	'dpkg -P boothd && [ ! -e /etc/boothd ] && [ ! -e /var/lib/boothd ] && ls /var/backups | grep -q ^boothd-'

echo
systemctl --no-pager status boothd 2>&1 | head -5
journalctl -u boothd -u boothd-uplink -o short-monotonic >"$host/journal.txt"
echo "$passed passed, $failed failed"
sync
