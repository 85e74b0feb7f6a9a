#!/bin/sh
# after-server.sh <name>
# ExecStopPost of left4me-server@<name>.service: notes in instances/<name>/end when the kernel killed something of this
# unit because its memory was used up. systemd sees that on cgroup v2 only. Needs LEFT4ME_ROOT and INVOCATION_ID.
set -eu
end=$LEFT4ME_ROOT/instances/$1/end
killed=0
while IFS=: read -r _ controllers path; do
  case $controllers in
  '') file=/sys/fs/cgroup$path/memory.events ;;
  memory) file=/sys/fs/cgroup/memory$path/memory.oom_control ;;
  *) continue ;;
  esac
  [ ! -r "$file" ] || killed=$(awk -v n="$killed" '$1 == "oom_kill" { n += $2 } END { print n }' "$file")
done </proc/self/cgroup
[ "$killed" -gt 0 ] || exit 0
echo "left4me: the server used up its memory, and the kernel ended it" >&2
printf '%s oom\n' "$INVOCATION_ID" >"$end.tmp"
mv "$end.tmp" "$end"
