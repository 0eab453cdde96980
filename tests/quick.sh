#!/bin/sh
# The quick tests that a change can reach (reached.sh); where that is all of them, in two halves at once.
set -eu
cd "$(dirname "$0")/.."
run() {
  .venv/bin/python -m pytest -q -m "not live and not thorough" \
    -p no:anyio -p no:xdist -p no:logging -p no:faulthandler "$@"
}
reached=$(tests/reached.sh)
if [ "$reached" != tests ]; then
  run $reached
  exit
fi
half="tests/campaign tests/meetings tests/oversight tests/rectification"
run -p no:cacheprovider $half &
run tests $(printf -- '--ignore=%s ' $half) || { wait $!; exit 1; }
wait $!
