#!/bin/bash
# Runs in the virtual machine: installs the package, loads the drivers, and checks the service on them, with people who come to it. Writes
# report.txt, journal.txt, status.txt and security.txt. Ends by a reset: the last check is of the hardware watchdog.
. /mnt/host/lib.sh
exec > >(tee "$host/report.txt") 2>&1
mount -t configfs none /sys/kernel/config 2>/dev/null
mount -t debugfs none /sys/kernel/debug 2>/dev/null
echo "kernel $(uname -r), $(sed -n 's/PRETTY_NAME=//p' /etc/os-release | tr -d '"')"

part "Package"
check "installs" sh -c "dpkg --force-unsafe-io -i $host/boothd.deb >$host/dpkg.txt 2>&1"
check "nothing starts, and nothing fails, before there is a configuration" state boothd inactive

. "$host/furnish.sh"

part "Devices"
check "boothd check: every device of the board answers" boothd check --board /etc/boothd/vm.toml
mark
check "booth: starts and says that it is ready" systemctl start boothd
systemctl is-active -q boothd || journalctl -u boothd -o cat -n 12
check "panel: pictures came over I2C" longer 1000
check "lights: the idle level stands in the PWM chip" within 5 brighter 0
check "watchdog: open" sh -c "ls -l /proc/$(pid)/fd | grep -q watchdog0"
systemctl start boothd-console
check "console: has the second serial line, and no getty does" within 15 sh -c 'ls -l /proc/$(systemctl show -P MainPID boothd-console)/fd | grep -q ttyS1'
systemctl start boothd-uplink
check "uplink: reaches the wallet" within 20 sh -c 'journalctl -u boothd-uplink -o cat | grep -q state=Ready'

check "microphone: the scene's sound, from a card of 48 kHz, stereo, 32 bit" hears 48000 2 S32_LE

. "$host/technician.sh"
. "$host/sessions.sh"
. "$host/faults.sh"

part "What can be read on the machine"
systemctl --no-pager --full status boothd boothd-uplink boothd-console >"$host/status.txt" 2>&1
systemd-analyze security --no-pager boothd boothd-uplink boothd-console >"$host/security.txt" 2>&1
grep -E "^●|Active:|Memory:" "$host/status.txt"
grep "Overall exposure" "$host/security.txt" | tr -cd "[:print:]\n"
exposure() { systemd-analyze security --no-pager "$1" | awk -v most="$2" '/Overall exposure/{for(i=1;i<=NF;i++) if($i+0>0) e=$i} END{exit !(e>0 && e<=most)}'; }
check "systemd-analyze security: booth at most 1.2" exposure boothd 1.2
check "systemd-analyze security: uplink at most 1.0" exposure boothd-uplink 1.0
check "systemd-analyze security: console at most 1.0" exposure boothd-console 1.0
# What the people of the scenes have claimed, as it is written and as a machine readable zone has it.
planted=$(sed -n '/^\[ticket.claims\]/,/^\[/s/^[a-z_]* = "\(...*\)"$/\1/p' "$host"/scenes/passport.toml | grep -v '^UTO$')
planted=$(printf '%s\n' "$planted"; printf '%s\n' "$planted" | tr ' ' '<'; printf '%s\n' "$planted" | sed -n 's/^..\(..\)-\(..\)-\(..\)$/\1\2\3/p')
silent() { ! printf '%s\n' "$planted" | grep -F -i -q -f - "$@"; }
logger "a line with U48203715 in it"
journalctl -o cat >/run/planted.txt
check "journal: the scan finds a planted number" not silent /run/planted.txt
check "journal: no name, number or date of a person ($(printf '%s\n' "$planted" | wc -l) values)" silent "$host/journal.txt"

part "The end"
# Nobody comes any more: the processor is for the package.
quiet
systemctl stop wallet
check "package: the same once more (an upgrade) leaves it running" sh -c "dpkg --force-unsafe-io -i $host/boothd.deb >/dev/null 2>&1 && sleep 2 && systemctl is-active -q boothd"
check "booth: stops in order" systemctl stop boothd
check "lights: off after the end" dark
cp -a /etc/boothd /run/saved
# What the last check needs of the package, under a second name: to install it again would take a quarter of a minute.
mkdir /kept
cp -al /usr/bin/boothd /lib/systemd/system/boothd.service /kept/
cp -al /usr/lib/boothd /kept/lib
systemctl stop boothd-uplink
umount /var/lib/boothd
systemctl start boothd
systemctl stop boothd
check "package: purged without a trace but the outbox, which is put aside" sh -c \
	'dpkg -P boothd >/dev/null 2>&1 && [ ! -e /etc/boothd ] && [ ! -e /var/lib/boothd ] && ls /var/backups | grep -q ^boothd-'

# Nothing ends a service that hangs but the chip: the machine is reset, and does not come to write the file.
mv /kept/boothd.service /lib/systemd/system/
mv /kept/lib /usr/lib/boothd
mv /kept/boothd /usr/bin/
cp -a /run/saved /etc/boothd
printf '[Service]\nWatchdogSec=0\n' >/etc/systemd/system/boothd.service.d/hung.conf
systemctl daemon-reload
systemctl start boothd
sleep 1
echo "$passed $failed" >"$host/counts"
sync
kill -STOP "$(pid)"
touch "$host/hung"
sleep 60
touch "$host/not-reset"
