#!/bin/sh
# Becomes a game server. Arguments only, no environment; started by the supervisor with its standard input a pipe.
#
#   launch-server.sh namespaces <uid> <root> <name> <layers> <program> [argument…]
#   launch-server.sh copy       <uid> <root> <name> -        <program> [argument…]
#
# namespaces: <layers> is overlayfs's lowerdir, relative to <root>. The server gets a file system made of a few
# read-only system folders and its own merged tree at /game, a process table of its own, no capability, and is not uid 0.
# copy: the tree was composed in instances/<name>/copy; nothing is hidden (this machine forbids user namespaces).
set -eu
umask 022
# pivot_root is in /usr/sbin, which is not on an ordinary user's PATH.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

mode=$1 uid=$2 root=$3 name=$4 layers=$5
programs=${0%/*}

case $mode in
namespaces | copy)
  # The supervisor writes a line once it is ready. If it is gone instead, nobody would watch the server: end here.
  read -r _ || exit 70
  exec </dev/null
  ;;
esac

if [ "$mode" = namespaces ]; then
  shift
  # This process stays outside until the whole process namespace is empty.
  exec unshare --user --map-user="$uid" --map-group="$uid" --keep-caps --mount --ipc --pid --fork --kill-child \
    /bin/sh "$0" inside "$@"
fi

shift 5

if [ "$mode" = copy ]; then
  : >"$root/instances/$name/launched"
  cd "$root/instances/$name/copy"
  ulimit -c 0
  set -- /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$PWD" LANG=C.UTF-8 \
    /bin/sh "$programs/server-init.sh" setpriv --pdeathsig KILL "$@"
  if [ "$(id -u)" = 0 ]; then
    # Another uid clears the parent-death signal.
    exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
      --pdeathsig KILL "$@"
  fi
  exec setpriv --no-new-privs "$@"
fi

# ---- inside the new namespaces, as their first process, with capabilities in them only ----
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
# mount(8) 2.41 sets overlay options one by one with 256 bytes each; mount(2) takes a whole page.
export LIBMOUNT_FORCE_MOUNT2=always
cd "$root"
instance=instances/$name
new=$root/$instance/merged

# -n: an ordinary user cannot write the mount table, and mount(8) would report that as a failure.
mount -n -t tmpfs -o mode=0755,size=4m,nosuid,nodev tmpfs "$new"
mkdir "$new/game" "$new/etc" "$new/proc" "$new/dev" "$new/dev/shm" "$new/tmp" "$new/run" "$new/var" "$new/.old" "$new/.left4me"

# userxattr: overlayfs in a user namespace. xino=off: a 32-bit srcds cannot stat 64-bit inode numbers.
mount -n -t overlay overlay "$new/game" \
  -o "userxattr,xino=off,nosuid,nodev,lowerdir=$layers,upperdir=$instance/upper,workdir=$instance/work"

# Makes $1 and every mount below it read-only. The server's uid may be the owner of these files (a panel started by
# root maps itself to another uid), so permissions alone would not keep it from changing them.
read_only() {
  while read -r _ _ _ _ point _; do
    # Spaces and the like are written as \040; a process for every line would take most of a start's time.
    case $point in
    *\\*) point=$(printf '%b' "$point") ;;
    esac
    case $point in
    "$1" | "$1"/*) mount -n -o remount,bind,ro,nosuid,"$2" "$point" ;;
    esac
  done </proc/self/mountinfo
}
show() {
  mount -n --rbind "$1" "$new$1"
  read_only "$new$1" nodev
}

for folder in /usr /bin /sbin /lib /lib32 /lib64 /libx32; do
  if [ -L "$folder" ]; then
    cp -P "$folder" "$new$folder"
  elif [ -d "$folder" ]; then
    mkdir "$new$folder"
    show "$folder"
  fi
done

# Of /etc only what name resolution, TLS and the dynamic linker need. Copies: some are links to places not shown.
for file in resolv.conf hosts host.conf gai.conf nsswitch.conf services protocols localtime timezone ld.so.cache ld.so.conf; do
  [ ! -f "/etc/$file" ] || cp -L "/etc/$file" "$new/etc/$file"
done
for folder in /etc/ld.so.conf.d /etc/alternatives /etc/ssl/certs /etc/pki/tls/certs /etc/pki/ca-trust /etc/ca-certificates; do
  if [ -d "$folder" ]; then
    mkdir -p "$new$folder"
    show "$folder"
  fi
done
printf 'root:x:0:0::/:/bin/false\nl4d2:x:%s:%s::/game:/bin/sh\n' "$uid" "$uid" >"$new/etc/passwd"
printf 'root:x:0:\nl4d2:x:%s:\n' "$uid" >"$new/etc/group"

for device in null zero full random urandom; do
  : >"$new/dev/$device"
  mount -n --bind "/dev/$device" "$new/dev/$device"
  # Read-only keeps the node's owner and mode; the device itself stays writable.
  mount -n -o remount,bind,ro,nosuid,noexec "$new/dev/$device"
done
ln -s /proc/self/fd "$new/dev/fd"
ln -s /proc/self/fd/0 "$new/dev/stdin"
ln -s /proc/self/fd/1 "$new/dev/stdout"
ln -s /proc/self/fd/2 "$new/dev/stderr"
ln -s /tmp "$new/var/tmp"
mount -n -t tmpfs -o mode=1777,size=64m,nosuid,nodev,noexec tmpfs "$new/dev/shm"
mount -n -t tmpfs -o mode=1777,size=256m,nosuid,nodev tmpfs "$new/tmp"

mount -n -t proc -o nosuid,nodev,noexec proc "$new/proc"
# No user namespace inside this one: it would give the server capabilities to attack the kernel with.
echo 0 >"$new/proc/sys/user/max_user_namespaces"
for path in sys bus fs irq sysrq-trigger acpi scsi tty; do
  [ -e "$new/proc/$path" ] || continue
  mount -n --bind "$new/proc/$path" "$new/proc/$path"
  read_only "$new/proc/$path" nodev,noexec
done
for path in kcore keys kmsg kallsyms latency_stats timer_list sched_debug; do
  [ ! -f "$new/proc/$path" ] || mount -n --bind "$new/dev/null" "$new/proc/$path"
done

cp "$programs/server-init.sh" "$new/.left4me/server-init.sh"
: >"$instance/launched"
cd "$new"
pivot_root . .old
cd /game
umount -n -l /.old
rmdir /.old
mount -n -o remount,bind,ro,nosuid,nodev /

ulimit -c 0
exec setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs \
  /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/game USER=l4d2 LANG=C.UTF-8 \
  /bin/sh /.left4me/server-init.sh "$@"
