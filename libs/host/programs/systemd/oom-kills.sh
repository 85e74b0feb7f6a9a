#!/bin/sh
# oom-kills.sh [<cgroup mount> <list of own groups>]
# Prints how many processes of the control group it runs in the kernel has killed because the memory was used up
# (cgroup v2 or v1). A group that systemd has kept counts on from earlier runs.
set -eu
mount=${1-/sys/fs/cgroup}
killed=0
while IFS=: read -r _ controllers path; do
  case $controllers in
  '') file=$mount$path/memory.events ;;
  memory) file=$mount/memory$path/memory.oom_control ;;
  *) continue ;;
  esac
  [ ! -r "$file" ] || killed=$(awk -v n="$killed" '$1 == "oom_kill" { n += $2 } END { print n }' "$file")
done <"${2-/proc/self/cgroup}"
echo "$killed"
