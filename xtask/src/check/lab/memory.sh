# diag's peak memory for each of the files.
for file; do
	runner -m /tmp/out/memory-${file##*/} /tmp/bin/diag --json /tmp/$file >/dev/null 2>&1
done
true
