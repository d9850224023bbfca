#!/bin/bash
# Drivers, configuration and wallet of the booth in the virtual machine. Sourced by guest.sh.
# A camera whose picture is what is written to its output: the rendered booth.
modprobe vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=3 num_outputs=1 output_types=1 no_error_inj=1 vid_cap_nr=0 vid_out_nr=10
modprobe -a snd-aloop snd-dummy i2c-dev spidev boothsim gpio-sim loop ext4
# As a Pi's.
modprobe i6300esb heartbeat=15
sim=/sys/kernel/config/gpio-sim/booth
mkdir -p $sim/bank0
echo 58 >$sim/bank0/num_lines
echo pinctrl-bcm2711 >$sim/bank0/label
echo 1 >$sim/live
lines=/sys/devices/platform/$(cat $sim/dev_name)/$(cat $sim/bank0/chip_name)
look empty
plug
arecord -l >/dev/null
noise

# A disk of its own, small enough to be filled, and large enough that the self-test finds nothing wrong with it.
truncate -s 192M /run/state.img
mkfs.ext4 -q /run/state.img
mkdir -p /var/lib/boothd
mount -o loop /run/state.img /var/lib/boothd
rmdir /var/lib/boothd/lost+found

mkdir -p /etc/boothd
cp "$host/vm.toml" /etc/boothd/
(
	umask 077
	cd /etc/boothd || exit
	boothd keys --out keys >/dev/null
	# The machine is emulated: what takes a fifth of a second on a board takes eight here.
	sed 's/^document_s = .*/document_s = 180/; s/^face_s = .*/face_s = 120/' /usr/share/boothd/policies/utopia-standard.toml >/run/policy.toml
	boothd policy sign /run/policy.toml --key keys/policy-sign.key --out policy.jws >/dev/null
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
[control]
socket = "/run/boothd/control.sock"
allowed_users = ["boothd-console"]
T
cat >/etc/boothd/console.toml <<T
booth_id = "BOOTH-VM"
tty = "/dev/ttyS1"
control = "/run/boothd/control.sock"
state_dir = "/var/lib/boothd-console"
code_key = "/var/lib/boothd-console/code.key"
T
(
	umask 077
	boothd dispatch init --desk /run/desk >/dev/null
	boothd dispatch device-key --desk /run/desk --booth BOOTH-VM --out /run/code.key >/dev/null
	install -d -o boothd-console -g boothd -m 0700 /var/lib/boothd-console
	install -o boothd-console -g boothd -m 0600 /run/code.key /var/lib/boothd-console/code.key
)
cat >/etc/boothd/uplink.toml <<T
url = "https://127.0.0.1:8443"
socket = "/run/boothd/uplink.sock"
probe_every_s = 2
state_dir = "/var/lib/boothd-uplink"
[tls]
ca = "/etc/boothd/keys/ca.pem"
certificate = "/etc/boothd/keys/uplink.pem"
key = "/etc/boothd/keys/uplink.key"
[backoff]
min_ms = 200
max_ms = 2000
T
# The wallet is the bank's, far away; here it is on the same machine, with the keys that it has at home.
cp -r /etc/boothd/keys /run/wallet-keys
cat >/run/wallet.toml <<T
listen = "127.0.0.1:8443"
state_dir = "/var/lib/wallet"
signing_key = "/run/wallet-keys/wallet-sign.key"
tenant = "utopia-wallet"
policy = "utopia-standard"
[tls]
ca = "/run/wallet-keys/ca.pem"
certificate = "/run/wallet-keys/wallet.pem"
key = "/run/wallet-keys/wallet.key"
[[booths]]
id = "BOOTH-VM"
key = "/run/wallet-keys/booth-sign.pub.pem"
T
chgrp -R boothd /etc/boothd
chmod 640 /etc/boothd/*.toml /etc/boothd/policy.jws
chmod 750 /etc/boothd/keys
chmod 644 /etc/boothd/keys/*.pem
chown boothd /etc/boothd/keys/booth-sign.key
chown boothd-uplink /etc/boothd/keys/uplink.key
wallet() { systemd-run -q --unit wallet --collect boothd wallet --config /run/wallet.toml; }
wallet
# The PWM chip of this machine is another than a Pi's. Safe mode lasts seconds here.
mkdir -p /etc/systemd/system/boothd.service.d /etc/systemd/system/boothd-safe.service.d
printf '[Service]\nReadWritePaths=/sys/devices/platform/boothsim\nExecStart=\nExecStart=/usr/bin/boothd safe --config /etc/boothd/boothd.toml --for 6\n' \
	>/etc/systemd/system/boothd-safe.service.d/vm.conf
printf '[Service]\nReadWritePaths=/sys/devices/platform/boothsim\n' >/etc/systemd/system/boothd.service.d/vm.conf
systemctl daemon-reload
