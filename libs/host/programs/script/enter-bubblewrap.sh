#!/bin/bash
# enter-bubblewrap.sh <bwrap> [argument…]
# Runs bubblewrap, without what a script could use of this process. As root it needs a mount namespace of its own.
set -eu
# What the panel was given by its parent: an open folder would lead out of the sandbox. 255 is bash's own, and ends with it.
for path in /proc/self/fd/*; do
  fd=${path##*/}
  case $fd in 0 | 1 | 2 | 255) ;; *) eval "exec $fd>&-" ;; esac
done
# Root owns the devices, also in a user namespace where it has no right: read-only keeps their mode, they stay writable.
if [ "$(id -u)" = 0 ]; then
  for device in null zero full random urandom tty; do
    mount -n --bind "/dev/$device" "/dev/$device"
    mount -n -o remount,bind,ro,nosuid,noexec "/dev/$device"
  done
fi
# Game servers come first, also where the kernel has to end something for want of memory: what the watch has not seen in time.
echo 1000 >/proc/self/oom_score_adj
# What this process writes to are sockets, which nobody can open again: a script could not write to /dev/stderr. So each goes through a
# pipe. Both are at their ends when the sandbox is; its code is this one's.
{
  nice -n 10 "$@" 2>&1 >&3 3>&- | cat >&2 3>&-
  exit "${PIPESTATUS[0]}"
} 3>&1 | cat
exit "${PIPESTATUS[0]}"
