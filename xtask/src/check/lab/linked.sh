# What the loaders themselves say of each program's libraries. Arguments: the list that guest.sh takes.
cd /tmp/s || exit 2
while IFS='|' read -r index path command arguments; do
	ldd "$path" >/tmp/out/$index.musl 2>&1 </dev/null
	LD_TRACE_LOADED_OBJECTS=1 busybox timeout 20 "$path" >/tmp/out/$index.glibc 2>&1 </dev/null
done <"$1"
true
