#!/bin/bash
# People come to the booth. Sourced by guest.sh.
# A ticket of the wallet, and the host's picture of somebody who shows it.
ticket() {
	rm -f "$host/ticket.txt" "$host/frames/ticket.yuyv"
	boothd ticket "$host/scenes/passport.toml" --keys /run/wallet-keys --out /run/ticket | cut -d' ' -f2 >/run/ticket.id
	cp /run/ticket "$host/half.txt"
	mv "$host/half.txt" "$host/ticket.txt"
	within 30 test -f "$host/frames/ticket.yuyv"
}
# Shows the ticket and agrees; `document` is the next step.
agree() {
	mark
	look ticket
	within 40 said "screen=\"consent" || return 1
	look empty
	sleep 1
	press 5
	within 20 said "screen=\"document"
}

part "Sessions, by the service on the drivers, with the wallet behind the uplink"
# Somebody comes, agrees, and is verified.
verified() {
	agree || return 1
	look document
	says 150 "screen=\"face" || return 1
	look face
	says 90 "outcome stored" && within 30 arrived "verified 1"
}
# Whoever has read the result, which would stay on the panel for a while, presses the green button; the next one has a ticket.
next() {
	look empty
	press 5
	ticket
	within 20 said "screen=\"idle"
}
level=$(duty)
: >/sys/kernel/debug/boothsim/i2c
check "wallet: issues a ticket" ticket
alive
check "camera, button: the ticket is read, the person agrees" agree
look document
check "lights: other in a step than when idle" within 20 changed "$level"
check "camera: the document is read" says 150 "screen=\"face"
look face
check "camera: the face is compared" says 90 "outcome stored"
check "wallet: the outcome is verified, once" within 30 arrived "verified 1"
before=$(took) before_pause=$(pause)
cp /sys/kernel/debug/boothsim/i2c "$host/i2c.tape"
next

# The next one comes while the technician's line is held at BREAK again and again; then one more, and it is not.
signal storm BOOTH-VM
check "a storm of BREAKs on the technician's line begins" heard raging
used=$(console_cpu) interrupts=$(interrupts_cpu)
alive
check "somebody is verified beside the storm" verified
stormy=$(took) stormy_pause=$(pause) used=$(($(console_cpu) - used)) interrupts=$(($(interrupts_cpu) - interrupts))
signal over BOOTH-VM
check "the storm ended the technician's login once, and the line answers" heard calm
next
quiet_interrupts=$(interrupts_cpu)
alive
check "somebody is verified after it" verified
after=$(took) after_pause=$(pause) quiet_interrupts=$(($(interrupts_cpu) - quiet_interrupts))
echo "  first instruction to outcome: $before s before the storm, $stormy s beside it, $after s after it"
echo "  longest pause of the signs of life: $before_pause, $stormy_pause, $after_pause s; processor time in the storm: console $used ms, interrupts $interrupts ms (after it $quiet_interrupts ms)"
check "the storm delays the session by no more than a second, against the slower one" not later "$stormy" "$(largest "$before" "$after")"
check "the storm delays the signs of life by no more than a second, likewise" not later "$stormy_pause" "$(largest "$before_pause" "$after_pause")"
next

agree
look document
since=$(uptime)
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
check "camera unbound in a session: found within 2 s" within 2 said hw.camera.absent
check "wallet: the outcome is aborted_equipment, once" within 30 arrived "aborted_equipment 1"
check "wallet: no attempt was used" attempt_unused
look empty
sleep 1
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
plug
check "camera bound again: back within 5 s" within 5 said "camera is back"
check "camera: the fault and that it is over are remembered" fault hw.camera.absent
next

agree
systemctl stop wallet
old=$(pid)
kill -9 "$old"
check "service killed in a session, wallet away: running again" within 40 other_pid "$old"
within 20 said "ready"
wallet
check "wallet back: the session that was cut off is reported as the booth's fault, once" within 40 arrived "aborted_equipment 1"
