#!/bin/sh
# The quick tests that a change can reach (reached.sh), in two halves at once.
set -eu
cd "$(dirname "$0")/.."
run() {
  .venv/bin/python -m pytest -q -m "not live and not thorough" \
    -p no:anyio -p no:xdist -p no:logging -p no:faulthandler "$@"
}
reached=$(tests/reached.sh)
first= second=
if [ "$reached" = tests ]; then
  first="tests/campaign tests/meetings tests/oversight tests/rectification"
  second="tests $(printf -- '--ignore=%s ' $first)"
else
  for path in $reached; do
    rest=$first first="$second $path" second=$rest   # turn about
  done
fi
run -p no:cacheprovider $first &
run $second || { wait $! || :; exit 1; }
wait $!
