# shellcheck shell=bash
# What is looked at before anything is changed.

check_machine() {
  [ "$(id -u)" = 0 ] || die "must be run as root: sudo $0"
  # shellcheck disable=SC1091
  . /etc/os-release
  case ${ID:-}-${VERSION_ID:-0} in
  debian-13 | ubuntu-24.04) ;;
  *) die "made for Debian 13 and Ubuntu 24.04; this is ${PRETTY_NAME:-an unknown system}" ;;
  esac
  [ -d /run/systemd/system ] || die "systemd does not run this machine, and left4me's servers are its units"
}

# What would keep the worker from starting is said before anything is changed.
check_settings() {
  local worker_only=$1 file=$SETTINGS/host.env name path length=${#LEFT4ME_ADMIN_PASSWORD}
  if [ "$length" != 0 ] && { [ "$length" -lt 8 ] || [ "$length" -gt 256 ]; }; then
    die "LEFT4ME_ADMIN_PASSWORD must have 8 to 256 characters, not $length. Nothing was changed."
  fi
  check_simple_settings
  if [ -e "$file" ]; then
    path=$(sed -n 's/^LEFT4ME_STEAMCMD=//p' "$file" | tail -n 1 | sed -E "s/^([\"'])(.*)\1\$/\2/")
    [ -z "$path" ] || is_program "$path" ||
      die "LEFT4ME_STEAMCMD in $file is $path, which is no executable file: put it there or remove the line. Nothing was changed."
    return 0
  fi
  if [ "$worker_only" = yes ]; then
    for name in DATABASE_URL REDIS_URL SECRET_KEY LEFT4ME_HOST; do
      [ -n "${!name:-}" ] || die "--worker-only needs $name in the environment: it is the panel's (deploy/README.md)"
    done
  fi
  case ${LEFT4ME_STEAMCMD:-/} in /*) ;; *) die "LEFT4ME_STEAMCMD must be an absolute path, not $LEFT4ME_STEAMCMD" ;; esac
  # Its usual place is made by this script, so a first run cannot find it there.
  if [ -n "${LEFT4ME_STEAMCMD:-}" ] && ! is_program "$LEFT4ME_STEAMCMD"; then
    STEAMCMD_LATER=$LEFT4ME_STEAMCMD
    unset LEFT4ME_STEAMCMD
  fi
}

# Those of the environment, which a first run writes down; where the files are there, they are not what counts.
check_simple_settings() {
  local file name given
  for file in web.env host.env; do
    [ -e "$SETTINGS/$file" ] || continue
    for name in $(sed -nE 's/^#?(LEFT4ME_[A-Z_]+)=.*/\1/p' "$SETTINGS/$file"); do
      given=${!name:-}
      case $name in LEFT4ME_ROOT | LEFT4ME_HOST | LEFT4ME_SERVICE_MANAGER) continue ;; esac
      if [ -n "$given" ] && ! grep -qxF -e "$name=$given" -e "$name=\"$given\"" "$SETTINGS/$file"; then
        say "Note: $name=$given from the environment is left aside: $SETTINGS/$file is there, change it there and restart the unit."
      fi
    done
  done
  if [ ! -e "$SETTINGS/web.env" ]; then
    [[ ${LEFT4ME_PORT:-8080} =~ ^[1-9][0-9]{0,4}$ ]] && [ "${LEFT4ME_PORT:-8080}" -le 65535 ] ||
      die "LEFT4ME_PORT must be a whole number from 1 to 65535, not $LEFT4ME_PORT. Nothing was changed."
    [[ ${LEFT4ME_PUBLIC_URL:-https://} =~ ^https?:// ]] ||
      die "LEFT4ME_PUBLIC_URL must begin with https:// or http://, not $LEFT4ME_PUBLIC_URL. Nothing was changed."
  fi
  [ -e "$SETTINGS/host.env" ] || "$CHECKOUT/deploy/apply-limits.sh" --check || die "Nothing was changed."
}

is_program() { [ -f "$1" ] && [ -x "$1" ]; }

check_folders() {
  local folder user found
  for folder in overlays drafts builds installation instances cache trash; do
    folder=$STATE/$folder user=left4me
    [ "${folder##*/}" != drafts ] || user=left4me-web
    if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then continue; fi
    found=$(stat --dereference --format='%F of %U' "$folder") || die "$folder leads nowhere. Nothing was changed."
    [ "$found" = "directory of $user" ] || die "$folder is a $found, and must be a directory of $user. Nothing was changed."
  done
}

# The worker ends what runs when it is restarted.
check_jobs() {
  local jobs
  systemctl is-active --quiet left4me-worker.service || return 0
  if [ ! -e "$SETTINGS/web.env" ]; then
    [ "$FORCE" = yes ] || say "Note: a job that runs on this host is interrupted when its worker is restarted, and does not go on by itself."
    return 0
  fi
  # Without an answer of PostgreSQL no job can go on.
  jobs=$(as_postgres --dbname=left4me --command="SELECT string_agg(operation || ' (job ' || jobs.id || ')', ', ') FROM jobs
    JOIN hosts ON hosts.id = host_id WHERE state IN ('running', 'cancelling') AND hosts.name = 'local'" 2>/dev/null) || return 0
  [ -n "$jobs" ] || return 0
  [ "$FORCE" = yes ] || die "an upgrade would interrupt what runs now: $jobs. Run it again later, or with --force. What was installed before runs on."
  say "Note: the upgrade interrupts $jobs."
}

check_space() {
  local free
  mkdir -p "$RELEASES"
  free=$(df --output=avail -k "$RELEASES" | tail -n 1)
  [ "$free" -ge "$NEEDED_SPACE" ] ||
    die "too little disk space for $RELEASES: $((free / 1024)) MB free, $((NEEDED_SPACE / 1024)) MB needed. Nothing was changed."
  free=$(df --output=avail -k "$(dirname "$STATE")" | tail -n 1)
  [ "$free" -ge 12000000 ] || say "Note: $STATE has $((free / 1024)) MB free; the game itself needs about 10 GB for each build."
}
