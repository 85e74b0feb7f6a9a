# shellcheck shell=bash
# --uninstall and --purge.

# What is still there afterwards.
LEFT=()

uninstall() {
  local purge=$1 whole=no
  check_machine
  [ ! -e "$SETTINGS/web.env" ] || whole=yes
  step "Stopping the panel and all game servers"
  stop_everything
  step "Removing units, code and rights"
  remove_program
  if [ "$purge" = yes ]; then
    step "Removing data, settings, database and users"
    remove_database $whole
    remove_data
  else
    LEFT+=("$STATE" "$SETTINGS" "/var/lib/redis-left4me" "the database left4me" "the users left4me and left4me-web")
    say "--uninstall --purge removes the data too. Installed again, servers have to be started once: they do not start with the machine any more."
  fi
  LEFT+=("Debian's packages (PostgreSQL, Redis, Node)")
  say "Removed. Still there:"
  printf '  %s\n' "${LEFT[@]}"
}

stop_everything() {
  local running
  systemctl disable --quiet --now left4me-api.service left4me-worker.service 2>/dev/null || :
  # Enabled ones that do not run have no unit in memory.
  { systemctl list-units --all --plain --no-legend 'left4me-server@*' | awk '{ print $1 }'
    find /etc/systemd/system/multi-user.target.wants -name 'left4me-server@*' -printf '%f\n' 2>/dev/null || :
  } | sort -u | xargs --no-run-if-empty --delimiter='\n' systemctl disable --quiet --now || :
  running=$(systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading 'left4me-*.service' | awk '{ print $1 }' | xargs)
  [ -z "$running" ] || die "these do not stop: $running. See systemctl status; nothing was removed."
  systemctl disable --quiet --now redis-server@left4me.service 2>/dev/null || :
  systemctl stop left4me.slice 2>/dev/null || :
}

remove_program() {
  rm -f "$UNITS"/left4me-{api,worker}.service "$UNITS"/left4me-{server,script}@.service "$SUDOERS" "$REDIS_CONF" \
    /usr/local/bin/left4me /usr/local/bin/l4d2ctl "$LIMITS"
  rm -rf "$REDIS_DROPIN"
  rm -rf --one-file-system "${SCRIPT_ROOT%/*}"
  rmdir "${LIMITS%/*}" 2>/dev/null || [ ! -e "${LIMITS%/*}" ] || LEFT+=("${LIMITS%/*}: settings of your own")
  if [ -e "$APPARMOR" ]; then
    apparmor_parser -R "$APPARMOR" || :
    rm -f "$APPARMOR"
  fi
  systemctl daemon-reload
  systemctl reset-failed 'left4me-*' 2>/dev/null || :
  rm -f "$CODE"
  rm -rf --one-file-system "$RELEASES"
  if getent passwd left4me >/dev/null; then gpasswd --delete left4me systemd-journal >/dev/null 2>&1 || :; fi
}

# A machine with a worker alone has no database of left4me's; one of that name is somebody else's.
remove_database() {
  local config
  if [ "$1" = no ]; then
    LEFT+=("the panel's database, wherever it is: this machine had no panel of its own")
    return
  fi
  if ! as_postgres --dbname=postgres 2>/dev/null <<'SQL'
DROP DATABASE IF EXISTS left4me WITH (FORCE);
DROP ROLE IF EXISTS "left4me-web";
DROP ROLE IF EXISTS left4me;
SQL
  then
    LEFT+=("the database left4me and its roles: PostgreSQL does not run, or refuses. As postgres: dropdb left4me; dropuser left4me-web; dropuser left4me")
    return
  fi
  config=$(dirname "$(ask_postgres 'SHOW config_file')")
  if [ -e "$config/conf.d/left4me.conf" ]; then
    rm "$config/conf.d/left4me.conf"
    restart_postgres
  fi
  ! grep -q left4me "$config/pg_hba.conf" || LEFT+=("lines about left4me in $config/pg_hba.conf")
}

# The state may lie on a disk of its own, or be a link to it.
remove_data() {
  local user
  if [ -d "$STATE" ]; then
    find "$STATE/" -mindepth 1 -maxdepth 1 -exec rm -rf --one-file-system {} + || :
    if [ -L "$STATE" ]; then rm "$STATE"; else rmdir "$STATE" 2>/dev/null || LEFT+=("$STATE: a mount point, or with one in it"); fi
  fi
  rm -rf --one-file-system "$SETTINGS" /var/lib/redis-left4me "${REDIS_CONF%.conf}.d"
  for user in left4me-web left4me; do
    ! getent passwd "$user" >/dev/null || userdel "$user" || LEFT+=("the user $user")
  done
}
