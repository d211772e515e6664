#!/bin/sh
# Runs once, when the Postgres of docker-compose.yml sets itself up: Atlas gets a database of its own, and a role that
# owns it and can do nothing else.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password ATLAS_POSTGRES_PASSWORD
create role atlas login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'password';
create database atlas owner atlas;
revoke connect on database atlas from public;
SQL
