#!/bin/sh
# One mail over HTTP: KEY=postroom_test_... curl.sh ADDRESS
# The answer comes when the mail is on disk. A repeat with the same Idempotency-Key is the same mail.
set -eu
exec curl --silent --show-error --fail-with-body \
    "http://127.0.0.1:${POSTROOM_HTTP_PORT:-8025}/v1/messages" \
    --header "Authorization: Bearer $KEY" \
    --header "Idempotency-Key: single-mail-to-$1" \
    --header "Content-Type: application/json" \
    --data '{
        "from": "Field Office <prices@corp.example>",
        "to": ["'"$1"'"],
        "subject": "One mail by curl",
        "text": "It was submitted by hand.",
        "communication": "by-hand"
    }'
