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

fail() {
	echo "diag: $*" >&2
	exit 126
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

# unpack DIR NAME MODE: leaves the build as $new in DIR; the caller renames it.
unpack() {
	tail -c +$((@HEAD__@ + 1)) "$self" | sum @PAYLOAD_SHA256@ @PAYLOAD_MD5@ || damaged
	# What somebody left who was killed.
	for new in "$1/$2".*.*; do
		old=${new#"$1/$2".}
		case ${old%%.*} in
		'' | *[!0-9]*) ;;
		*) [ "${old%%.*}" = $$ ] || kill -0 "${old%%.*}" 2>/dev/null || rm -f "$new" ;;
		esac
	done
	new=
	trap '[ -z "$new" ] || rm -f "$new"' 0
	trap 'exit 129' 1
	trap 'exit 130' 2
	trap 'exit 143' 15
	# A new file of ours, whatever somebody may have put there.
	error=$(mktemp "$1/$2.$$.XXXXXX" 2>&1) || fail "cannot write to $1: ${error##*: }$elsewhere"
	new=$error
	error=$({ tail -c +"$start" "$self" | head -c "$packed" | gunzip -c >"$new"; } 2>&1)
	if ! sum "$sha256" "$md5" <"$new"; then
		error=${error##*: }
		fail "cannot write $size bytes to $1: ${error:-what was written is not what is there}$elsewhere"
	fi
	error=$(chmod "$3" "$new" 2>&1) || fail "cannot write to $1: ${error##*: }$elsewhere"
}

# Whether $name is ours, and the build. Others may write to /tmp, but not to our files there.
trusted() {
	set -- $(ls -ldn "$name" 2>/dev/null)
	case $1,$3 in
	-rwx------,"$user" | -rwx------.,"$user" | -rwx------+,"$user") sum "$sha256" "$md5" <"$name" ;;
	*) false ;;
	esac
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

look
choose || fail "none of its builds is for this machine: $(describe)"
elsewhere=

if [ "$1" = --unpack ]; then
	[ $# = 2 ] && [ "$2" ] || fail "--unpack takes one folder"
	dir=$2
	case $dir in
	-*) dir=./$dir ;;
	esac
	[ -d "$dir" ] || fail "$dir is no folder"
	[ ! -d "$dir/diag" ] || fail "$dir/diag is a folder"
	[ ! "$dir/diag" -ef "$self" ] || fail "$dir/diag is this file itself: name another folder"
	unpack "$dir" .diag-unpack 755
	error=$(mv -f "$new" "$dir/diag" 2>&1) || fail "cannot write $dir/diag: ${error##*: }"
	new=
	echo "$dir/diag is the build for $label, $size bytes"
	exit
fi

user=$(id -u)
name=/tmp/diag-$user-$(printf %.16s "$sha256")
if ! trusted; then
	free=$(memory)
	[ "$free" = unknown ] || [ "$free" -ge $((size / 1024 + 1024)) ] ||
		fail "$free kB of memory are free, too few to unpack $size bytes to /tmp and run them; --unpack DIR unpacks them elsewhere"
	elsewhere="; --unpack DIR unpacks it elsewhere"
	unpack /tmp "${name#/tmp/}" 700
	# /tmp may be mounted noexec, and the CPU older than the build's.
	error=$("$new" --version 2>&1 </dev/null)
	status=$?
	case $status,$error in
	0,*) ;;
	126,*'this build is for'*) fail "the kernel refuses its build for $label: $(describe)" ;;
	126,*) fail "cannot run a program in /tmp: ${error##*: }$elsewhere" ;;
	*) fail "its build for $label does not run here (status $status): $(describe)" ;;
	esac
	# `mv` would move it into a folder that somebody put there. Then this run has a copy of its own.
	if [ -d "$name" ] || [ -h "$name" ] || ! mv -f "$new" "$name" 2>/dev/null; then
		"$new" "$@"
		exit
	fi
	new=
	trusted || fail "somebody else writes to $name"
fi
trap - 0 1 2 15
exec "$name" "$@"
