#!/bin/sh
# Makes what `docker compose up` needs, once: .env with new secrets, and config/gateway.yaml. What is there already is left
# as it is, so that the command may be repeated: with another pepper no existing key would work.
set -eu
cd "$(dirname "$0")/.."

random() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

if [ -e .env ]; then
  echo '.env is there already'
else
  umask 077
  sed -e "s/^GATEWAY_ADMIN_KEY=\$/GATEWAY_ADMIN_KEY=$(random 24)/" \
    -e "s/^GATEWAY_KEY_PEPPER=\$/GATEWAY_KEY_PEPPER=$(random 32)/" \
    -e "s/^POSTGRES_PASSWORD=\$/POSTGRES_PASSWORD=$(random 16)/" .env.example >.env
  echo '.env is made: keep a copy of it with your secrets'
fi
if [ ! -e config/gateway.yaml ]; then
  umask 022
  mkdir -p config
  printf '%s\n' '# Every key is optional; docs/configuration.md has them all.' 'sandbox: true' >config/gateway.yaml
  echo 'config/gateway.yaml is made'
fi
