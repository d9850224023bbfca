#!/usr/bin/env bash
# image.sh CACHE: the disk and the initial memory disk of the virtual machine, from what fetch.sh has brought.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
version=$(cat version)
sum=$(cat "$here"/init "$here"/image.sh rootfs-1.tar modules/*.ko | sha256sum | cut -c1-16)
if [[ -f image-$sum ]]; then exit 0; fi
echo "vm: making the disk"
rm -rf root memory image-*
mkdir root
tar xf rootfs-1.tar -C root
to=root/lib/modules/$version
mkdir -p "$to/extra"
for module in virtio_pci virtio_blk virtio_rng squashfs overlay 9p 9pnet_virtio vivid snd-aloop snd-dummy i2c-dev i6300esb configfs spidev loop ext4; do
  modprobe -d "kernel/$version/image" -S "$version" --show-depends "$module" | awk '/^insmod/{print $2}'
done | sort -u | while read -r file; do
  target=$to/${file#*"$version"/}
  mkdir -p "$(dirname "$target")"
  cp "$file" "$target"
  strip -g "$target"
done
cp modules/*.ko "$to/extra/"
cp "kernel/$version/image/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} "$to/"
depmod -b root "$version"

cat >root/etc/systemd/system/vm-test.service <<'U'
[Unit]
Description=the checks of tests/vm/guest.sh
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'mkdir -p /mnt/host && modprobe 9pnet_virtio && mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 host /mnt/host && exec /bin/bash /mnt/host/guest.sh'
ExecStopPost=/bin/systemctl poweroff --force --no-block
TimeoutStartSec=infinity
U
mkdir -p root/etc/systemd/system/default.target.wants
ln -sf ../vm-test.service root/etc/systemd/system/default.target.wants/
ln -sf /lib/systemd/system/multi-user.target root/etc/systemd/system/default.target
mkdir -p root/etc/systemd/system/multi-user.target.wants
for unit in systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer getty@tty1.service serial-getty@ttyS0.service \
  systemd-pstore.service alsa-restore.service e2scrub_all.timer fstrim.timer; do
  ln -sf /dev/null "root/etc/systemd/system/$unit"
done
: >root/etc/fstab
echo booth-vm >root/etc/hostname
mksquashfs root root.squashfs -comp lz4 -noappend -quiet -no-progress
mkdir -p memory/{bin,dev,proc,sys,lower,upper,root,modules}
cp /bin/busybox memory/bin/
cp "$here/init" memory/init
chmod +x memory/init
for module in virtio_pci virtio_blk virtio_rng squashfs overlay; do
  modprobe -d root -S "$version" --show-depends "$module" | awk '/^insmod/{print $2}'
done | awk '!seen[$0]++' | while read -r file; do
  cp "$file" memory/modules/
  basename "$file" >>memory/modules/order
done
(cd memory && find . | cpio --quiet -o -H newc | gzip -1) >memory.gz
rm -rf root memory
touch "image-$sum"
