#!/bin/bash
# machine.sh possible | build | boot | reboot | cut | run COMMAND… | remove
# A real Debian 13 with a real systemd, for the system tests: debootstrap into a cached base, a copy of it booted by
# systemd-nspawn with a network of its own. Root only; nothing of it outlives `remove`, or the process that is given.
#   possible  gets the programs it needs from Debian; says in one line why it cannot run here, and fails
#   build     the base, below MACHINE_CACHE, named by its packages; ends with 77 where Debian cannot be fetched
#   boot      a fresh copy, or the one that is there; waits until systemd is up
#   reboot    `systemctl reboot` inside         cut   power cut, then boot again
#   run       a command as root inside; standard streams and exit code pass through
#   remove    power cut, and the copy is removed
# Environment: MACHINE_FOLDER (state of one machine), MACHINE_CACHE, MACHINE_NAME (at most 8 letters), MACHINE_NET (first three
# numbers of a /30: .1 is this side, .2 the machine), MACHINE_PACKAGES, MACHINE_OWNER (pid: the machine dies with it),
# MACHINE_BINDS (source:destination …, read-write, separated by spaces).
set -euo pipefail
NOT_HERE=77
SUITE=trixie
BASE_PACKAGES="systemd systemd-sysv dbus libpam-systemd iproute2 procps ca-certificates $MACHINE_PACKAGES"
BASE=$MACHINE_CACHE/base-$(echo "$SUITE $BASE_PACKAGES" | sha256sum | cut -c 1-12)
ROOT=$MACHINE_FOLDER/root
PID=$MACHINE_FOLDER/pid
# The number of the machine's systemd, since it is up: to look for it at each command took longer than the command.
LEADER=$MACHINE_FOLDER/leader
LOG=$MACHINE_FOLDER/log
# Machines whose memory, cpu and pids are bound to cgroup v1 cannot give them to a v2 guest, where every limit would
# silently be none: the v1 controllers are handed in, and systemd is told to bear that.
V1_CONTROLLERS="cpu cpuacct cpuset memory devices freezer blkio pids"

fail() {
  echo "$*" >&2
  exit 1
}

uses_v1() { [ -d /sys/fs/cgroup/memory ] && [ -d /sys/fs/cgroup/systemd ]; }
leader() {
  local shell nspawn
  [ -s "$PID" ] && shell=$(pgrep -P "$(cat "$PID")") && nspawn=$(pgrep -P "$shell" -x systemd-nspawn) &&
    pgrep -P "$nspawn" -x systemd
}
alive() { [ -s "$PID" ] && [ "$(cat "/proc/$(cat "$PID")/comm" 2>/dev/null)" = unshare ]; }
has_ended() { [ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

possible() {
  local program
  [ "$(id -u)" = 0 ] || fail "it needs root"
  if ! { command -v debootstrap && command -v systemd-nspawn && command -v ip; } >/dev/null && command -v apt-get >/dev/null; then
    echo "Installing debootstrap, systemd-container and iproute2 on this machine."
    (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      debootstrap systemd-container iproute2 procps) >/dev/null 2>&1 || :
  fi
  for program in debootstrap systemd-nspawn ip nsenter pgrep; do
    command -v $program >/dev/null || fail "$program is missing (Debian: apt-get install debootstrap systemd-container iproute2 util-linux)"
  done
  [ -e /usr/share/debootstrap/scripts/$SUITE ] || fail "this debootstrap does not know $SUITE"
  unshare --mount --pid --fork --propagation private mount -t tmpfs none /mnt 2>/dev/null ||
    fail "mounting is not allowed here (a container without CAP_SYS_ADMIN?)"
  if ip link add "vp-$MACHINE_NAME" type veth peer name "vq-$MACHINE_NAME" 2>/dev/null; then
    ip link delete "vp-$MACHINE_NAME"
  else
    fail "virtual network cards cannot be made here"
  fi
  uses_v1 || [ -e /sys/fs/cgroup/cgroup.controllers ] || fail "no cgroups are mounted at /sys/fs/cgroup"
}

build() {
  local unit made=$BASE.new
  [ ! -e "$BASE.tar" ] || return 0
  mkdir -p "$MACHINE_CACHE"
  leave "$made"
  mkdir "$made"
  trap 'leave "$BASE.new"' EXIT
  ! fits_in_memory || mount -t tmpfs -o size=3g base "$made"
  debootstrap --variant=minbase "$SUITE" "$made" >"$MACHINE_CACHE/debootstrap.log" 2>&1 || {
    grep -q -e 'Failed getting release file' -e "Couldn't download" "$MACHINE_CACHE/debootstrap.log" ||
      fail "debootstrap failed: $(tail -n 3 "$MACHINE_CACHE/debootstrap.log")"
    echo "Debian cannot be fetched: $(tail -n 1 "$MACHINE_CACHE/debootstrap.log")" >&2
    exit $NOT_HERE
  }
  # Services are enabled in a chroot, but not started.
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$made" apt-get install -y -q --no-install-recommends \
    -o Dpkg::Options::=--force-unsafe-io $BASE_PACKAGES >"$MACHINE_CACHE/apt.log" 2>&1 ||
    fail "installing packages failed: $(tail -n 3 "$MACHINE_CACHE/apt.log")"
  for unit in console-getty systemd-modules-load; do ln -sf /dev/null "$made/etc/systemd/system/$unit.service"; done
  # nspawn mounts cgroup v1 read-only.
  cat >"$made/usr/local/sbin/first" <<'SH'
#!/bin/sh
for controller in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$controller" 2>/dev/null || :; done
exec /lib/systemd/systemd "$@"
SH
  chmod 755 "$made/usr/local/sbin/first"
  rm -f "$made"/var/cache/apt/archives/*.deb
  # One file: reading fifty thousand small ones from a disk took a minute.
  tar -C "$made" --xattrs --xattrs-include='*' --numeric-owner -cf "$BASE.tar.new" .
  mv "$BASE.tar.new" "$BASE.tar"
  leave "$made"
}

# Removes a folder that may lie in memory.
leave() {
  ! mountpoint --quiet "$1" || umount --lazy "$1"
  rm -rf --one-file-system "$1"
}

# This process, and what it starts, into cgroups of the machine's own.
enter_cgroups() {
  local controller below folder
  for controller in unified systemd $V1_CONTROLLERS; do
    [ -d "/sys/fs/cgroup/$controller" ] || continue
    below=$(awk -F: -v c="$controller" '$2 == c || (c == "systemd" && $2 == "name=systemd") || (c == "unified" && $1 == 0) { print $3 }' /proc/self/cgroup)
    folder=/sys/fs/cgroup/$controller${below%/}/machine-$MACHINE_NAME
    mkdir -p "$folder"
    if [ "$controller" = cpuset ]; then
      cat "${folder%/*}/cpuset.cpus" >"$folder/cpuset.cpus"
      cat "${folder%/*}/cpuset.mems" >"$folder/cpuset.mems"
      echo 1 >"$folder/cgroup.clone_children"
    fi
    # As much as four processes; all of the machine would count as one of those beside it.
    [ "$controller" != cpu ] || echo 4096 >"$folder/cpu.shares"
    echo "$BASHPID" >"$folder/cgroup.procs"
  done
}

remove_cgroups() {
  local _
  for _ in 1 2 3 4 5; do
    find /sys/fs/cgroup -depth -type d \( -path "*/machine-$MACHINE_NAME" -o -path "*/machine-$MACHINE_NAME/*" \) \
      -exec rmdir {} + 2>/dev/null && return
    sleep 0.2
  done
}

# In memory installing is several times as fast, and removing takes no time. overlayfs needs user attributes: Linux 6.6.
fits_in_memory() {
  [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -ge 10000000 ] &&
    [ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.6 ]
}

boot() {
  ! alive || fail "the machine runs already"
  build
  mkdir -p "$MACHINE_FOLDER"
  if [ ! -d "$ROOT" ]; then
    ! fits_in_memory || mount -t tmpfs -o size=6g,mode=0700 machine "$MACHINE_FOLDER"
    # Not an overlay: a server's own overlay could not lie on one.
    rm -rf --one-file-system "$ROOT.new"
    mkdir "$ROOT.new"
    tar -C "$ROOT.new" --xattrs --xattrs-include='*' --numeric-owner -xpf "$BASE.tar"
    echo "$MACHINE_NAME" >"$ROOT.new/etc/hostname"
    printf '127.0.0.1 localhost %s\n' "$MACHINE_NAME" >"$ROOT.new/etc/hosts"
    : >"$ROOT.new/etc/resolv.conf"
    mv "$ROOT.new" "$ROOT"
  fi
  local words=(--directory="$ROOT" --machine="$MACHINE_NAME" --register=no --keep-unit --console=read-only --link-journal=no
    --network-veth --resolv-conf=off --kill-signal=SIGRTMIN+3 --capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN
    --system-call-filter="bpf perf_event_open @keyring") bind
  for bind in ${MACHINE_BINDS:-}; do words+=("--bind=$bind"); done
  words+=(/usr/local/sbin/first)
  ! uses_v1 || words+=(systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1)
  # The process namespace guarantees that nothing survives its first process, which dies with the owner. nspawn ends with 133 when the machine reboots.
  (
    ! uses_v1 || enter_cgroups
    exec setsid unshare --pid --fork --kill-child --mount --propagation private --mount-proc bash -c '
      while :; do code=0; systemd-nspawn "$@" || code=$?; [ $code = 133 ] || exit $code; done' machine "${words[@]}"
  ) </dev/null >"$LOG" 2>&1 &
  echo $! >"$PID"
  disown
  # Whoever wanted the machine may die without a word.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done; kill -KILL "$2" 2>/dev/null' \
    watch "$MACHINE_OWNER" "$(cat "$PID")" </dev/null >/dev/null 2>&1 &
  wait_until_up ""
}

# Until systemd is up under another leader than $1.
wait_until_up() {
  local began=$SECONDS now state=""
  rm -f "$LEADER"
  while [ $((SECONDS - began)) -lt 120 ]; do
    sleep 0.1
    ! has_ended "$(cat "$PID")" || fail "the machine ended: $(tail -n 5 "$LOG")"
    now=$(leader) || continue
    [ "$now" != "$1" ] || continue
    echo "$now" >"$LEADER"
    if nsenter -t "$now" -n ip -o link show host0 2>/dev/null | grep -q 'state DOWN'; then
      ip address replace "$MACHINE_NET.1/30" dev "ve-$MACHINE_NAME"
      ip link set "ve-$MACHINE_NAME" up
      nsenter -t "$now" -n sh -c "ip address replace $MACHINE_NET.2/30 dev host0; ip link set host0 up; ip route replace default via $MACHINE_NET.1"
    fi
    state=$(inside systemctl is-system-running 2>/dev/null || :)
    case $state in running | degraded) return ;; esac
  done
  fail "the machine is not up after 120 s ($state): $(tail -n 5 "$LOG")"
}

# Becomes a command inside: in the machine's cgroups and namespaces, and ended with this process.
enter() {
  local first number controller path folder
  { read -r first <"$LEADER" && [ -e "/proc/$first" ]; } 2>/dev/null || fail "the machine does not run"
  while IFS=: read -r number controller path; do
    case $controller in
    '') controller=unified ;;
    name=systemd) controller=systemd ;;
    esac
    folder=/sys/fs/cgroup/$controller${path%/init.scope}/entered
    case $path in
    */machine-$MACHINE_NAME*) { [ -d "$folder" ] || mkdir -p "$folder"; } && echo "$BASHPID" >"$folder/cgroup.procs" || : ;;
    esac
  done 2>/dev/null <"/proc/$first/cgroup"
  exec nsenter -t "$first" -m -u -i -n -p -C -r -w env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 setpriv --pdeathsig KILL -- "$@"
}
inside() { (enter "$@"); }

cut() {
  local process first
  if alive; then
    process=$(cat "$PID")
    # The first of the machine's processes, which ends when all others have: one that is left would hold the folder.
    first=$(pgrep -P "$process") || first=$process
    kill -KILL "$process"
    until has_ended "$process" && has_ended "$first"; do sleep 0.1; done
  fi
  rm -f "$PID" "$LEADER"
  remove_cgroups
}

case $1 in
possible) possible ;;
build) build ;;
boot) boot ;;
reboot)
  before=$(leader) || fail "the machine does not run"
  inside systemctl reboot || :
  wait_until_up "$before"
  ;;
cut)
  cut
  boot
  ;;
run)
  shift
  enter "$@"
  ;;
remove)
  cut
  leave "$MACHINE_FOLDER"
  ;;
*) fail "unknown command $1" ;;
esac
