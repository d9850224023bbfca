#!/bin/bash
# What the checks in the virtual machine share. Sourced by guest.sh.
host=/mnt/host
passed=0 failed=0
uptime() { cut -d' ' -f1 /proc/uptime; }
seconds() {
	local up
	read -r up _ </proc/uptime
	echo "${up%.*}"
}
check() {
	local name=$1 since word=passed
	shift
	since=$(uptime)
	"$@" || word=FAILED
	if [ $word = passed ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
	printf '%-78s %s %6.1f s\n' "$name" $word "$(awk -v a="$since" -v b="$(uptime)" 'BEGIN{print b-a}')"
}
part() {
	journalctl -o short-monotonic >"$host/journal.txt"
	printf '\n%s (%.0f s since the machine began)\n' "$1" "$(uptime)"
}
# within SECONDS COMMAND...: the command succeeds before so many seconds are over.
within() {
	# Not by the wall clock: one of the checks sets it.
	local end=$(($(seconds) + $1))
	shift
	until "$@"; do
		[ "$(seconds)" -lt "$end" ] || return 1
		sleep 0.2
	done
}
not() { ! "$@"; }
state() { [ "$(systemctl is-active "$1")" = "$2" ]; }
# What the booth has said since mark().
mark() { cursor=$(journalctl -u boothd -n 0 --show-cursor | sed -n 's/^-- cursor: //p'); }
said() { journalctl -u boothd --after-cursor="$cursor" -o cat | grep -q -- "$1"; }
# says SECONDS TEXT: the booth says it within so many seconds from mark(). Looks at nothing meanwhile: what is timed has the processor.
says() { timeout "$1" grep -q -m 1 -- "$2" < <(journalctl -u boothd --after-cursor="$cursor" -f -n all -o cat); }
fault() { grep -q "\"$1\"" /var/lib/boothd/faults.json; }
pid() { systemctl show boothd -p MainPID --value; }
other_pid() { [ "$(pid)" != "$1" ] && [ "$(pid)" != 0 ] && state boothd active; }
# Of the booth's disk, KiB.
free() { df --output=avail /var/lib/boothd | tail -n 1; }
tape() { wc -c <"/sys/kernel/debug/boothsim/$1"; }
longer() { [ "$(tape i2c)" -gt "$1" ]; }
# Brightest of the two channels, ns of 500000.
duty() { awk '/pwm-[01]/{for(i=1;i<NF;i++) if($i=="duty:" && $(i+1)>m) m=$(i+1)} END{print m+0}' /sys/kernel/debug/pwm; }
brighter() { [ "$(duty)" -gt "$1" ]; }
dark() { [ "$(duty)" -eq 0 ]; }
changed() { [ "$(duty)" -ne "$1" ]; }
press() {
	echo pull-down >"$lines/sim_gpio$1/pull"
	sleep 0.3
	echo pull-up >"$lines/sim_gpio$1/pull"
}
# The camera sees another picture, or what is in the folder `lit`: a scene in the light that the ring gives.
look() { if [ "$1" = lit ]; then ln -sfn "$host/frames/lit" /run/look; else ln -sfn "$host/frames/$1.yuyv" /run/look; fi; }
# Sets the virtual camera up: its picture is what is written to its output. Both ends have to agree before anything is written.
plug() {
	local index
	[ -z "$feed" ] || kill -9 $feed
	udevadm settle
	index=$(v4l2-ctl -d /dev/video0 --list-dv-timings |
		awk '/Index/{i=$2} /Active width/{w=$3} /Active height/{h=$3} /\(24.00 frames/{if(w==1280 && h==720) print i}' | head -n 1)
	v4l2-ctl -d /dev/video10 --set-dv-bt-timings index="$index" >/dev/null
	v4l2-ctl -d /dev/video0 --set-dv-bt-timings index="$index" >/dev/null
	# A frame shows what was written when it began, not when its time is over.
	v4l2-ctl -d /dev/video0 -c osd_text_mode=2 -c loop_video=1 -c timestamp_source=1
	"$host/feed" /dev/video10 1280 720 6 /run/look /sys/kernel/debug/boothsim/light 2>>"$host/feed.txt" &
	feed=$!
}
# Two seconds of the scene's sound again and again, as a card has it that knows only 48 kHz, stereo, 32 bit (or what is given). quiet ends it:
# the loopback card then takes whatever format the next one asks for. mute and unmute only change what is heard.
noise() {
	local rate=${1:-48000} channels=${2:-2} format=${3:-S32_LE}
	two_seconds=$((rate * channels * ${format//[^0-9]/} / 4))
	heard=$host/sound-$rate.raw
	unmute
	while cat /run/heard.raw; do :; done 2>/dev/null |
		aplay -q -D hw:Loopback,0,0 -f "$format" -r "$rate" -c "$channels" -t raw 2>/dev/null &
	noise=$!
}
unmute() { head -c $two_seconds "$heard" >/run/heard.new && mv /run/heard.new /run/heard.raw; }
mute() { head -c $two_seconds /dev/zero >/run/heard.new && mv /run/heard.new /run/heard.raw; }
quiet() {
	kill $noise
	wait $noise 2>/dev/null
}
# The card of the microphone has these parameters, and nothing is wrong with what comes from it.
hears() {
	local p=/proc/asound/Loopback/pcm1c/sub0/hw_params
	grep -q "^format: $3" $p && grep -q "^rate: $1 " $p && grep -q "^channels: $2" $p && not said hw.mic
}
# The wallet's newest outcome of the ticket in /run/ticket.id: `RESULT HOW-MANY`, once it has arrived.
outcome() {
	local copy=/run/wallet-copy
	rm -rf $copy && cp -r /var/lib/wallet $copy &&
		sqlite3 -separator ' ' $copy/wallet.db "select result, count(*) from outcome where ticket='$(cat /run/ticket.id)'"
}
arrived() { [ "$(outcome)" = "$1" ]; }
# Notes the signs of life that systemd gets from the booth (two seconds apart), until pause() says what the longest time between two was, s.
alive() {
	: >/run/alive
	while sleep 1.3; do systemctl show boothd -P WatchdogTimestampMonotonic; done >>/run/alive &
	asks=$!
	disown
}
pause() {
	kill $asks
	sort -nu /run/alive | awk 'NR>1 && $1-last>most{most=$1-last} {last=$1} END{printf "%.2f", most/1e6}'
}
# Seconds from the first instruction to the outcome, as the booth has logged them.
took() {
	journalctl -u boothd --after-cursor="$cursor" -o short-monotonic |
		awk -F '[][]' '/screen="document/ && !from{from=$2} /outcome stored/{to=$2} END{printf "%.2f", to-from}'
}
# Processor time of the technician's console so far, ms; that of the kernel's interrupts, all of the machine's.
console_cpu() { echo $(($(systemctl show boothd-console -P CPUUsageNSec) / 1000000)); }
interrupts_cpu() { awk '/^cpu /{print ($7+$8)*10}' /proc/stat; }
largest() { printf '%s\n' "$@" | sort -n | tail -n 1; }
# later A B: A is more than a second more than B, or one of them was not measured.
later() { awk -v a="$1" -v b="$2" 'BEGIN{exit !(a<=0 || b<=0 || a>b+1)}'; }
# Whether the outcome of the ticket says that it used none of the person's attempts.
attempt_unused() {
	sqlite3 /run/wallet-copy/wallet.db "select jws from outcome where ticket='$(cat /run/ticket.id)'" |
		cut -d. -f2 | tr '_-' '/+' | base64 -d 2>/dev/null | grep -q '"uses_attempt":false'
}
