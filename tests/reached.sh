#!/bin/sh
# The tests that what is not committed yet can break; all of them where nothing or something common changed.
# Services meet only through what they publish (import contracts in pyproject.toml), so a change inside one
# reaches its own tests, and those that look at every service.
set -eu
changed=$(git status --porcelain --untracked-files=all 2>/dev/null | sed 's/^...//; s/.* -> //') || changed=
reached=
for path in $changed; do
  case $path in
    services/demo/* | services/clock/* | docs/* | *.md) continue ;;   # only tests on real servers look at them
    services/*/events.py | services/campaign/roster.py | services/campaign/calendar.py | \
      services/campaign/directory.py | services/campaign/defaults.py) reached=; break ;;
    services/*/*) name=${path#services/}; name=tests/${name%%/*} ;;
    tests/live/* | tests/golden/*) continue ;;
    tests/*/*) name=${path%/*} ;;
    *) reached=; break ;;
  esac
  [ -d "$name" ] || { reached=; break; }
  case " $reached " in *" $name "*) ;; *) reached="$reached $name" ;; esac
done
[ -n "$reached" ] && echo "$reached tests/gateway tests/test_surface.py tests/test_golden.py" || echo tests
