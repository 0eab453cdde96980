#!/bin/sh
# Makes .venv from the pinned requirements, with uv (found, or put into .tools) and Python 3.12 or newer.
# Leaves nothing outside the checkout. Usage: deploy/environment.sh requirements/FILE.txt
set -eu
cd "$(dirname "$0")/.."
wanted="$1"
stamp=".venv/.made-from-$(cat "$wanted" .python-version | cksum | tr ' ' '-')"
[ -e "$stamp" ] && exit 0

export UV_CACHE_DIR="$PWD/.tools/cache" UV_PYTHON_INSTALL_DIR="$PWD/.tools/python" UV_NO_CONFIG=1
if command -v uv >/dev/null 2>&1; then
  uv=uv
elif [ -x .tools/uv/bin/uv ]; then
  uv=.tools/uv/bin/uv
elif python3 -m pip --version >/dev/null 2>&1; then
  python3 -m pip install --quiet --no-cache-dir --disable-pip-version-check \
    --target .tools/uv --requirement requirements/uv.txt 2>.tools-pip.log ||
    { cat .tools-pip.log >&2; rm -f .tools-pip.log; exit 1; }
  rm -f .tools-pip.log
  uv=.tools/uv/bin/uv
else
  echo "taizhang: install uv, or a python3 with pip, and run make again" >&2
  exit 2
fi

if [ ! -x .venv/bin/python ]; then
  "$uv" venv --quiet --python 3.13 .venv 2>/dev/null ||
    "$uv" venv --quiet --python '>=3.12' .venv 2>/dev/null ||
    { echo "taizhang: no Python 3.12 or newer found, and none could be fetched; install one and run make again" >&2; exit 2; }
fi
"$uv" pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes "$wanted"
rm -f .venv/.made-from-*
: >"$stamp"
