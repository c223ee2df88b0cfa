# Counts a transfer of the rsync daemon for the statistics: when, which module, how it ended, bytes sent.
# The daemon runs this after each transfer ("post-xfer exec"). Its own log would say who asked, whatever
# "log format" is; this has no address to write. See rsyncd.conf(5), and proc(5) for /proc/PID/io, which
# counts what the daemon's child, now gone, has written.
while read -r key value; do
    [ "$key" = wchar: ] && bytes=$value
done < "/proc/$PPID/io"
echo "$(date +%s) $RSYNC_MODULE_NAME $RSYNC_EXIT_STATUS ${bytes:-0}" >> "{{prefix}}/var/log/mirrorkit-rsync.log"
