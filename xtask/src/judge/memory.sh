# diag's peak memory, for a small and for a large file.
for file in bin/runner s/v2ray-swapped-16 s/v2ray-16 s/v2ray-swapped-23; do
	runner -m /tmp/out/memory-${file##*/} /tmp/bin/diag --json /tmp/$file >/dev/null 2>&1
done
true
