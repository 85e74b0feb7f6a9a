# shellcheck shell=bash
# PostgreSQL and Redis.

# Peer authentication on the Unix socket: no password anywhere. left4me-web acts as left4me, to whom all tables belong.
make_database() {
  quietly systemctl enable --now postgresql.service
  as_postgres --dbname=postgres <<'SQL'
SELECT 'CREATE ROLE left4me LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'left4me') \gexec
SELECT 'CREATE ROLE "left4me-web" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'left4me-web') \gexec
SELECT 'GRANT left4me TO "left4me-web"' WHERE NOT pg_has_role('left4me-web', 'left4me', 'MEMBER') \gexec
ALTER ROLE "left4me-web" SET role = 'left4me';
SELECT $$CREATE DATABASE left4me OWNER left4me TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'$$
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'left4me') \gexec
REVOKE ALL ON DATABASE left4me FROM PUBLIC;
SQL
  close_postgres
}

# Debian's listens at 127.0.0.1, where game servers reach it. It is closed where nobody but left4me can want that.
close_postgres() {
  local listens others config
  listens=$(ask_postgres 'SHOW listen_addresses')
  [ -n "$listens" ] || return 0
  config=$(dirname "$(ask_postgres 'SHOW config_file')")/conf.d/left4me.conf
  # Opened for other hosts (deploy/README.md).
  [ ! -e "$config" ] || return 0
  others=$(ask_postgres "SELECT (SELECT count(*) FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'left4me'))
    + (SELECT count(*) FROM pg_stat_activity WHERE client_port > 0)")
  if [ "$listens" = localhost ] && [ "$others" = 0 ] && [ -d "${config%/*}" ] && ! cat "$SETTINGS"/*.env | grep '^DATABASE_URL=' | grep -qv 'host='; then
    say "listen_addresses = ''  # Unix sockets only: game servers share this machine's network." >"$config.new"
    mv "$config.new" "$config"
    restart_postgres
    listens=$(ask_postgres 'SHOW listen_addresses')
  fi
  [ -z "$listens" ] || say "Note: PostgreSQL listens at $listens, in reach of game servers: only its passwords and pg_hba.conf keep them out.
  If nothing else needs that: listen_addresses = '' in $config, and: systemctl restart postgresql"
}

# Debian names a cluster 17/main, and its unit postgresql@17-main.
restart_postgres() {
  local cluster
  cluster=$(ask_postgres 'SHOW cluster_name')
  quietly systemctl restart "postgresql@${cluster/\//-}.service"
}

ask_postgres() { as_postgres --dbname=postgres --command="$1"; }

as_postgres() {
  (cd / && runuser -u postgres -- psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@")
}

make_redis() {
  local changed=no
  install -d -m 0755 "$REDIS_DROPIN"
  place "$CHECKOUT/deploy/redis/redis-left4me.conf" "$REDIS_CONF" redis redis 0640
  changed=$CHANGED
  place "$CHECKOUT/deploy/redis/redis-server@left4me.conf" "$REDIS_DROPIN/left4me.conf" root root 0644
  [ $CHANGED = no ] || changed=yes
  quietly systemctl daemon-reload
  quietly systemctl enable redis-server@left4me.service
  if [ $changed = yes ]; then
    quietly systemctl restart redis-server@left4me.service
  else
    quietly systemctl start redis-server@left4me.service
  fi
}
