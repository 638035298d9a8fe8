#!/bin/sh
{
	case $({ head -c @HEAD__@ | tail -c +@BODY__@ | { sha256sum || md5sum; }; } 2>/dev/null <"$0") in
	@SHA256@* | @MD5@*) ;;
	*)
		# A file that was sourced, or that a shell reads from a pipe or has as an argument, is not what $0 names.
		if ! grep -q @SHA256@ 2>/dev/null <"$0"; then
			echo "diag: start this file by its path (./diag or sh ./diag): it can be neither sourced nor read from a pipe" >&2
		elif ! { sha256sum || md5sum; } >/dev/null 2>&1 </dev/null; then
			echo "diag: neither sha256sum nor md5sum is here to check this file with" >&2
		else
			echo "diag: $0 is damaged: copy it here again" >&2
		fi
		# Where a shell sourced it, that one goes on.
		(return 0) 2>/dev/null && return 126
		exit 126
		;;
	esac
}
# diag @VERSION@ for every router: this script, and behind it the builds, each gzip'd. It finds out which one
# this machine runs, unpacks it to /tmp once, and runs it with the same arguments.
#
#	diag [OPTIONS] [PROGRAM...]     see diag --help
#	diag --unpack DIR               leaves the build for this machine in DIR, as DIR/diag
#
# It asks no more of the machine than what every OpenWrt since 17.01 has in its BusyBox.

self=$0
# The file being written, and its folder.
new='' folder=''

fail() {
	leave
	echo "diag: $*" >&2
	exit 126
}

# Leaves no file that is not whole, or that is this run's alone, and no empty folder.
leave() {
	[ -z "$new" ] || rm -f "$new"
	[ -z "$folder" ] || rmdir "$folder" 2>/dev/null
}

damaged() {
	fail "$self is damaged: copy it here again"
}

# sum SHA256 MD5 <FILE: whether the file has that checksum.
sum() {
	set -- "$1" "$2" "$({ sha256sum || md5sum; } 2>/dev/null)"
	case $3 in
	"$1 "* | "$2 "*) ;;
	*) false ;;
	esac
}

# byte N: the byte N of $elf, as a number. A shell has no variable with a NUL in it.
byte() {
	{ set -- "$(head -c $(($1 + 1)) "$elf" | tail -c 1 && echo .)"; } 2>/dev/null
	case $1 in
	.) echo 0 ;;
	*) LC_ALL=C printf '%d\n' "'${1%.}" ;;
	esac
}

# What this machine runs is what its shell is built for: uname would tell the kernel's side, and no byte order.
look() {
	for elf in /proc/self/exe /bin/busybox /bin/sh; do
		[ "$(head -c 4 "$elf" 2>/dev/null | tail -c 3)" = ELF ] && break
		elf=
	done
	[ "$elf" ] || fail "cannot tell what this machine is: neither /proc/self/exe nor /bin/busybox nor /bin/sh is an ELF file that can be read"
	class=$(byte 4) data=$(byte 5)
	case $data in
	1) machine=$(($(byte 18) + 256 * $(byte 19))) ;;
	*) machine=$(($(byte 19) + 256 * $(byte 18))) ;;
	esac
	case $class$data$machine in
	# EF_MIPS_ABI2 in e_flags
	118) abi=$(($(byte 36) & 32)) ;;
	128) abi=$(($(byte 39) & 32)) ;;
	*) abi=0 ;;
	esac
}

# The builds: how an ELF file says what it is for (EI_CLASS, EI_DATA, e_machine); where the build is in this file, and
# its length there; its length and its checksums when unpacked.
choose() {
	case $class,$data,$machine,$abi in
@BUILDS@
	*) return 1 ;;
	esac
	start=$(($1 + @HEAD__@ + 1)) packed=$2 size=$3 sha256=$4 md5=$5
}

# For a machine that no build is for.
describe() {
	case $class in
	1) bits=32 ;;
	2) bits=64 ;;
	*) bits="an unknown number of" ;;
	esac
	case $data in
	1) order=little ;;
	2) order=big ;;
	*) order=unknown ;;
	esac
	case $machine in
	2 | 18 | 43) family=SPARC ;;
	3) family=x86 ;;
	4) family=m68k ;;
	8) family=MIPS ;;
	15) family=PA-RISC ;;
	20 | 21) family=PowerPC ;;
	22) family="S/390" ;;
	40 | 183) family=ARM ;;
	42) family=SuperH ;;
	62) family=x86-64 ;;
	93 | 195) family=ARC ;;
	94) family=Xtensa ;;
	106) family=Blackfin ;;
	243) family=RISC-V ;;
	258) family=LoongArch ;;
	*) family="an unknown processor" ;;
	esac
	[ "$abi" = 0 ] || family="$family n32"
	echo "$family, $bits bits, $order-endian (of $elf: EI_CLASS $class, EI_DATA $data, e_machine $machine; uname -m: $(uname -m 2>/dev/null))"
}

# In a folder that others may write to and that has no sticky bit, they can rename and remove our files: they could put
# another program in the place of the build between the check and the start. So the build has a folder of its own, in
# which only this user can change anything, and between check and start that folder is never looked up by its name.

# stable FOLDER: whether nobody else can rename or remove what is ours in it.
stable() {
	set -- $(ls -ldn "$1" 2>/dev/null)
	case $3 in
	0 | "$user") ;;
	*) return 1 ;;
	esac
	# The sticky bit, or no w for the group and for others. A link is neither.
	case $1 in
	d????????[tT]* | d????-??-*) ;;
	*) false ;;
	esac
}

# hold FOLDER COMMAND...: runs the command if nobody else can change anything in the folder; to the command, $place is
# that folder and no other. It is the path, where that is stable. Elsewhere the folder is opened: procfs's link to an
# open file leads to the file itself, whatever its path leads to by then. The build inherits that descriptor, since the
# kernel looks the build up by it.
hold() {
	folder=$1
	shift
	if stable "$where"; then
		place=$folder
		private "$place" && "$@"
	elif [ -r "$folder/." ]; then
		place=/proc/self/fd/9
		{ opened && private "$place/." && "$@"; } 9<"$folder/."
	fi
}

# Whether $place is a link of procfs, and what was opened has the name of $folder: that may have been a link elsewhere.
opened() {
	# Only in procfs it is gone while the descriptor is closed.
	[ -e "$place" ] && ! [ -e "$place" ] 9<&- || return 1
	case $(ls -ldn "$place" 2>/dev/null) in
	*" -> "*/"${folder##*/}") ;;
	*) false ;;
	esac
}

# private FOLDER: whether it is a folder of ours, not a link, and others may not write to it. On a file system without
# modes it is not the 0700 that it was made with.
private() {
	set -- $(ls -ldn "$1" 2>/dev/null)
	case $1,$3 in
	d????-??-*,"$user") ;;
	*) false ;;
	esac
}

# dead NAME.PID.XXXXXX: whether it is from a process that is no more.
dead() {
	set -- "${1%.*}"
	set -- "${1##*.}"
	case $1 in
	'' | *[!0-9]*) false ;;
	*) ! kill -0 "$1" 2>/dev/null ;;
	esac
}

# copy PREFIX: a folder for a copy that this run alone has. Removes those of runs that were killed.
copy() {
	(for folder in "$where/$1".*.*; do
		dead "$folder" && hold "$folder" clear
	done)
	# Never one that is there already, whatever somebody may have put there.
	# Assigned at once: a signal is heeded before the next command.
	folder=$(mktemp -d "$where/$1.$$.XXXXXX" 2>&1) || {
		error=$folder folder=''
		fail "cannot write to $where: ${error##*: }$elsewhere"
	}
}

clear() {
	rm -f "$place/diag" "$place"/diag.*.*
	rmdir "$folder" 2>/dev/null
}

# unpack MODE: writes the build to the file $new, which is in $place.
unpack() {
	tail -c +$((@HEAD__@ + 1)) <"$self" | sum @PAYLOAD_SHA256@ @PAYLOAD_MD5@ || damaged
	error=$({ tail -c +"$start" <"$self" | head -c "$packed" | gunzip -c >"$new"; } 2>&1)
	if ! sum "$sha256" "$md5" <"$new"; then
		error=${error##*: }
		fail "cannot write $size bytes to $where: ${error:-what was written is not what is there}$elsewhere"
	fi
	error=$(chmod "$1" "$new" 2>&1) || fail "cannot write to $where: ${error##*: }$elsewhere"
}

# In kB; /tmp is memory on a router.
memory() {
	while read -r key value rest; do
		case $key in
		MemAvailable:) echo "$value" && return ;;
		esac
	done 2>/dev/null </proc/meminfo
	echo unknown
}

# What --unpack does in a folder of its own, which is in $dir.
deliver() {
	new=$place/diag
	unpack 755
	# It is renamed to a folder, so a link to a folder that is there by its name is replaced and not followed.
	error=$(mv -f "$new" "$dir/" 2>&1) || fail "cannot write $dir/diag: ${error##*: }"
	new=
	leave
	echo "$dir/diag is the build for $label, $size bytes"
	exit
}

# Unpacks the build to $new, and tries it.
prepare() {
	free=$(memory)
	[ "$free" = unknown ] || [ "$free" -ge $((size / 1024 + 1024)) ] ||
		fail "$free kB of memory are free, too few to unpack $size bytes to /tmp and run them; --unpack DIR unpacks them elsewhere"
	unpack 700
	# /tmp may be mounted noexec, and the CPU older than the build's.
	error=$("$new" --version 2>&1 </dev/null)
	status=$?
	case $status,$error in
	0,*) ;;
	126,*'this build is for'*) fail "the kernel refuses its build for $label: $(describe)" ;;
	126,*) fail "cannot run a program in /tmp: ${error##*: }$elsewhere" ;;
	*) fail "its build for $label does not run here (status $status): $(describe)" ;;
	esac
}

# start ARGUMENT...: runs the build that is in $place, for this run and the next ones.
start() {
	if ! [ -x "$place/diag" ] || ! sum "$sha256" "$md5" <"$place/diag"; then
		for new in "$place"/diag.*.*; do
			dead "$new" && rm -f "$new"
		done
		new=
		# Another run may unpack it there at the same time.
		new=$(mktemp "$place/diag.$$.XXXXXX" 2>&1) || {
			error=$new new=''
			fail "cannot write to /tmp: ${error##*: }$elsewhere"
		}
		prepare
		error=$(mv -f "$new" "$place/diag" 2>&1) || fail "cannot write to /tmp: ${error##*: }$elsewhere"
		new=
	fi
	trap - 1 2 15
	exec "$place/diag" "$@"
}

# start_once ARGUMENT...: the same for this run alone.
start_once() {
	new=$place/diag
	prepare
	"$new" "$@"
	status=$?
	leave
	exit "$status"
}

look
choose || fail "none of its builds is for this machine: $(describe)"
user=$(id -u)
trap 'leave; exit 129' 1
trap 'leave; exit 130' 2
trap 'leave; exit 143' 15

if [ "$1" = --unpack ]; then
	[ $# = 2 ] && [ "$2" ] || fail "--unpack takes one folder"
	dir=$2
	case $dir in
	-*) dir=./$dir ;;
	esac
	[ -d "$dir" ] || fail "$dir is no folder"
	[ ! -d "$dir/diag" ] || fail "$dir/diag is a folder"
	[ ! "$dir/diag" -ef "$self" ] || fail "$dir/diag is this file itself: name another folder"
	where=$dir elsewhere=''
	copy .diag-unpack
	hold "$folder" deliver
else
	where=/tmp elsewhere="; --unpack DIR unpacks it elsewhere"
	name=diag-$user-$(printf %.16s "$sha256")
	folder=/tmp/$name
	(umask 077 && mkdir "$folder" 2>/dev/null)
	made=$?
	hold "$folder" start "$@"
	# Somebody put something else there, or may do so at any time.
	[ "$made" != 0 ] || rmdir "/tmp/$name" 2>/dev/null
	copy "$name"
	hold "$folder" start_once "$@"
fi
fail "others can replace what is unpacked to $where: it needs the sticky bit (chmod +t $where)$elsewhere"
