#!/bin/sh
# The lab's first process, in the initramfs: mounts the read-only root, puts the files into /tmp, and hands
# over to /sbin/init there (boot.sh), as a router's kernel would mount its squashfs and start procd.

fail() {
	echo "lab: $*"
	poweroff -f
}

# Where the kernel has them as modules (in the order of their names).
for module in /modules/*.ko; do
	[ -e "$module" ] && { insmod "$module" || fail "insmod $module"; }
done

mknod /dev/loop0 b 7 0
mknod /dev/root b 7 0
losetup /dev/loop0 /rom.squashfs || fail "losetup"
mount -t squashfs -o ro,relatime /dev/root /root || fail "mount /rom"
mount -t tmpfs -o nosuid,nodev,noatime,mode=1777 tmpfs /root/tmp || fail "mount /tmp"

# One at a time, so that no more than one file is ever there twice.
if [ -d /tmp ]; then
	find /tmp -mindepth 1 -maxdepth 1 -exec mv {} /root/tmp/ \;
	rmdir /tmp || fail "copy the files to /tmp"
fi
mv /lab /root/tmp/.lab

# Frees what is left of the initramfs.
exec switch_root /root /sbin/init
fail "switch_root"
