#!/bin/sh
# One mail over SMTP with swaks: KEY=postroom_test_... swaks.sh ADDRESS
# User and password are the last two parts of the key. The final 250 names the message id.
set -eu
secret=${KEY##*_}
rest=${KEY%_*}
exec swaks --server 127.0.0.1 --port "${POSTROOM_SMTP_PORT:-2525}" --tls \
    --auth PLAIN --auth-user "${rest##*_}" --auth-password "$secret" \
    --from prices@corp.example --to "$1" \
    --header "Subject: One mail by swaks" \
    --add-header "X-Postroom-Communication: by-hand" \
    --body "It was submitted by hand."
