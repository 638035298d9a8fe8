#!/bin/sh
# The packages feed's CI runs it where the package is installed: $1 is the package's name, $2 its version.

[ "$1" = diag ] || exit 0

diag --version | grep -F "diag $2" || exit 1

# An ELF file with nothing behind its first bytes starts nowhere, nor does a text without "#!".
file=$(mktemp) || exit 1
trap 'rm -f "$file"' EXIT
chmod 755 "$file"
for content in '\0177ELF' 'no program\n'; do
	printf '%b' "$content" >"$file"
	diag -q "$file"
	status=$?
	if [ "$status" -ne 1 ]; then
		echo "diag says $status of a file that is no program" >&2
		exit 1
	fi
done

# Of itself it never says that it would not start.
diag --json "$(command -v diag)" >"$file"
[ $? -ne 1 ] || exit 1
grep -F '"schema"' "$file"
