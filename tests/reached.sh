#!/bin/sh
# The tests that what is not committed yet can break, or else what the last commit changed; all of them
# where that is not known, or something common changed. `make test` runs every test in any case.
# Services meet only through what they publish (import contracts in pyproject.toml), so a change inside one
# reaches its own tests, and those that look at every service.
set -eu
everything() { echo tests; exit; }
changed=$(git status --porcelain --untracked-files=all 2>/dev/null | sed 's/^...//; s/.* -> //') || changed=
[ -n "$changed" ] || changed=$(git diff --name-only HEAD^ HEAD 2>/dev/null) || everything
[ -n "$changed" ] || everything
reached=
for path in $changed; do
  case $path in
    services/demo/* | services/clock/* | docs/* | *.md) continue ;;   # only tests on real servers look at them
    services/*/events.py | services/campaign/roster.py | services/campaign/calendar.py | \
      services/campaign/directory.py | services/campaign/defaults.py) everything ;;
    services/*/*) name=${path#services/}; name=tests/${name%%/*} ;;
    tests/live/* | tests/golden/*) continue ;;
    tests/*/*) name=${path%/*} ;;
    *) everything ;;
  esac
  [ -d "$name" ] || everything
  case " $reached " in *" $name "*) ;; *) reached="$reached $name" ;; esac
done
echo "$reached tests/test_surface.py tests/gateway tests/test_golden.py"
