#!/bin/sh
# Makes a machine of its own in the folder $1 and runs the commands $2 there: BusyBox $3 with its applets, a memory
# file system of the options $4 on /tmp, and the folder $5 as /work. $6, where it is not empty, is the program of
# QEMU that runs this machine's programs; $7 is the shell, if it is not BusyBox's; $8, where
# it is not empty, is a folder to be /tmp instead.
set -e
root=$1 commands=$2 busybox=$3 options=$4 work=$5 qemu=$6 shell=$7 tmp=$8

mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$root"
cd "$root"
mkdir -p bin usr/bin usr/lib lib64 proc dev tmp work keep
ln -s usr/lib lib
mount --bind -o ro "$work" work
if [ "$tmp" ]; then
	mount --bind "$tmp" tmp
else
	mount -t tmpfs -o "mode=1777,$options" tmpfs tmp
fi
touch dev/null
mount --bind /dev/null dev/null
mount -t proc proc proc
cp "$busybox" bin/busybox
for applet in APPLETS; do
	ln -s busybox "bin/$applet"
done
if [ "$shell" ] || [ "$qemu" ]; then
	# What those are linked with.
	mount --bind -o ro /usr/lib usr/lib
	mount --bind -o ro /lib64 lib64
fi
if [ "$shell" ]; then
	rm bin/sh
	cp "$shell" bin/sh
fi
if [ "$qemu" ]; then
	mount -t binfmt_misc none proc/sys/fs/binfmt_misc
	# P: applets go by argv[0]. By the magic, class, byte order and e_machine of BusyBox itself; e_ident's rest, e_type's low byte: any.
	bytes=$(od -An -v -tx1 -N20 "$busybox" | tr -d '\n' | sed 's/ /\\x/g')
	mask='\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00MASK\xff\xff'
	case $(od -An -tu1 -j5 -N1 "$busybox") in
	*1) mask=${mask%MASK*}'\xfe\xff'${mask#*MASK} ;;
	*) mask=${mask%MASK*}'\xff\xfe'${mask#*MASK} ;;
	esac
	echo ":emulated:M::$bytes:$mask:$qemu:FP" >proc/sys/fs/binfmt_misc/register
fi
exec chroot "$root" /bin/busybox env -i PATH=/bin:/usr/bin HOME=/ /bin/sh -c "$commands"
