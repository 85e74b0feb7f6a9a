#!/bin/bash
# deploy/install.sh [--worker-only] [--force] | --uninstall [--purge]
# Installs left4me from this checkout on Debian 13, or upgrades it: run it again after `git pull`. Needs root. Game servers
# run on through an upgrade. Settings given in the environment (LEFT4ME_PORT, LEFT4ME_PUBLIC_URL …) go into new files in
# /etc/left4me; files that are there are kept. LEFT4ME_ADMIN_PASSWORD is the first admin's, or one is made up and printed.
# --worker-only: a further game host, or one whose API runs in a container. Its first run takes DATABASE_URL, REDIS_URL, SECRET_KEY
# and LEFT4ME_HOST from the environment; later ones know it from /etc/left4me.
# --force: upgrades even where that interrupts jobs.
# --uninstall stops everything and removes it, but for /var/lib/left4me, /etc/left4me and the database; --purge: those too.
set -euo pipefail
shopt -s inherit_errexit
umask 022
export LC_ALL=C.UTF-8
LEFT4ME_ADMIN_PASSWORD=${LEFT4ME_ADMIN_PASSWORD:-}
# Of root's own work, not of the panel.
unset NODE_ENV

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CODE=/opt/left4me
RELEASES=/opt/left4me-releases
STATE=/var/lib/left4me
SETTINGS=/etc/left4me
UNITS=/usr/local/lib/systemd/system
SCRIPT_ROOT=/usr/local/lib/left4me/script-root
SUDOERS=/etc/sudoers.d/left4me
APPARMOR=/etc/apparmor.d/left4me
LIMITS=/etc/systemd/system/left4me-server@.service.d/limits.conf
REDIS_CONF=/etc/redis/redis-left4me.conf
REDIS_DROPIN=/etc/systemd/system/redis-server@left4me.service.d
# bzip2 to zstd unpack archives that people upload; scripts of overlays download with curl and unpack with unzip.
PACKAGES=(sudo util-linux ca-certificates bzip2 xz-utils zstd curl unzip)
NEEDED_NODE=20.19.0
# A steamcmd that was asked for and is not there yet.
STEAMCMD_LATER=""
# Kilobytes: two releases with their packages, while one is built.
NEEDED_SPACE=2500000
NPM=(npm --no-audit --no-fund --no-update-notifier --loglevel=error)

say() { printf '%s\n' "$*"; }
step() { printf -- '-- %s\n' "$*"; }
die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
# Its output is shown only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "failed: $*"
  fi
  rm -f "$log"
}

# Puts a file in place; CHANGED tells whether it was another one before.
place() {
  CHANGED=no
  if cmp --silent "$1" "$2"; then return; fi
  install -o "$3" -g "$4" -m "$5" "$1" "$2.new"
  mv "$2.new" "$2"
  CHANGED=yes
}

for part in checks machine services release panel uninstall; do
  # shellcheck source=/dev/null
  . "$CHECKOUT/deploy/install/$part.sh"
done

install_or_upgrade() {
  local before release worker_only=$1
  # A machine stays what it was installed as: one with the API's settings is a whole panel.
  [ -e "$SETTINGS/web.env" ] || [ ! -e "$SETTINGS/host.env" ] || worker_only=yes
  if [ "$worker_only" = yes ] && [ -e "$SETTINGS/web.env" ]; then die "this machine has a whole panel: --uninstall it first"; fi
  check_machine
  check_settings "$worker_only"
  check_folders
  check_jobs
  check_space
  [ "$worker_only" = yes ] || PACKAGES+=(postgresql redis-server)
  install_packages
  before=$(readlink "$CODE" || :)
  [ -n "$before" ] || [ ! -e "$CODE" ] || die "$CODE is not a link of this installer's: move it away first"
  release=$(build_release)
  [ "$FORCE" = yes ] || [ "$worker_only" = yes ] || check_jobs
  step "Users, folders, settings"
  make_users
  make_folders
  if [ "$worker_only" = yes ]; then
    make_worker_settings
  else
    make_settings
    step "PostgreSQL and Redis"
    make_database
    make_redis
  fi
  step "Units"
  # A rule that sudo cannot read would take sudo away from the whole machine.
  quietly visudo -cf "$release/deploy/sudoers.d/left4me"
  swap_release "$release"
  install_units
  if [ "$worker_only" = yes ]; then
    step "Starting the worker"
    restart_panel left4me-worker
  else
    make_first_admin
    step "Starting the panel"
    # The API first: it brings the database up to date.
    restart_panel left4me-api left4me-worker
  fi
  # Run again for the same version, the one before is still the one to go back to.
  [ "$before" = "$release" ] || remove_old_releases "$release" "${before:-$release}"
  [ -z "$STEAMCMD_LATER" ] || say "Note: $STEAMCMD_LATER is not there yet, so the worker runs without it: Install sets up the demo runtime.
  $CODE/deploy/README.md tells how to get it; then LEFT4ME_STEAMCMD=$STEAMCMD_LATER in $SETTINGS/host.env, and: systemctl restart left4me-worker"
  if [ "$worker_only" = yes ]; then
    say "The worker of host $(sed -n 's/^LEFT4ME_HOST=//p' "$SETTINGS/host.env") runs; the panel shows it under Hosts. Settings are in $SETTINGS/host.env."
    return
  fi
  say "left4me runs: $(panel_address). Settings are in $SETTINGS; a proxy for TLS: $CODE/deploy/proxy."
}

FORCE=no action=install worker_only=no purge=no
for word in "$@"; do
  case $word in
  --force) FORCE=yes ;;
  --worker-only) worker_only=yes ;;
  --uninstall) action=uninstall ;;
  --purge) purge=yes ;;
  -h | --help) action=help ;;
  *) die "unknown words: $word. Known: --worker-only, --force, --uninstall [--purge]" ;;
  esac
done
case $action in
help) sed -n '2,9s/^# //p' "$0" ;;
uninstall) uninstall $purge ;;
install)
  [ $purge = no ] || die "--purge is for --uninstall"
  install_or_upgrade $worker_only
  ;;
esac
