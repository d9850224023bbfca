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
level=$(duty)
: >/sys/kernel/debug/boothsim/i2c
check "wallet: issues a ticket" ticket
check "camera, button: the ticket is read, the person agrees" agree
look document
check "lights: other in a step than when idle" within 20 changed "$level"
check "camera: the document is read" within 150 said "screen=\"face"
look face
check "camera: the face is compared" within 90 said "outcome stored"
check "wallet: the outcome is verified, once" within 30 arrived "verified 1"
cp /sys/kernel/debug/boothsim/i2c "$host/i2c.tape"
look empty
# The result would stay on the panel for a while; whoever has read it presses the green button.
press 5
ticket
within 20 said "screen=\"idle"

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
press 5
ticket
within 20 said "screen=\"idle"

agree
systemctl stop wallet
old=$(pid)
kill -9 "$old"
check "service killed in a session, wallet away: running again" within 40 other_pid "$old"
within 20 said "ready"
wallet
check "wallet back: the session that was cut off is reported as the booth's fault, once" within 40 arrived "aborted_equipment 1"
