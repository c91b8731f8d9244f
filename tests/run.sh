#!/usr/bin/env bash
# All checks: lint, types, tests with coverage on today's NumPy, tests on the oldest versions we promise.
# Needs only Python >= 3.10; makes its own virtual environments. Arguments go to pytest and make it
# run the tests alone: tests/run.sh -k optimizer
# tests/run.sh --torch installs PyTorch in an environment of its own and runs its whole database of operations; what
# follows goes to tests/full_database.py. Leaves with 75 where pip cannot have PyTorch.
set -euf
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg
unset DISPLAY WAYLAND_DISPLAY PYTHONPATH PYTHONHOME

find_python() {  # the first of $pythons that is a Python for which the condition $1 holds
    for name in $pythons; do
        "$name" -c "import sys, venv, ensurepip; sys.exit(not ($1))" >/dev/null 2>&1 && echo "$name" && return
    done
    return 1
}

named() {  # the packages of pyproject.toml's extra $1
    sed -n "/^$1 = \[/,/^]/s/^ *\"\(.*\)\",.*/\1/p" pyproject.toml
}

setup() {  # a virtual environment $1 of Python $2 with packages $3; its stamp says what is in it
    stamp="$("$2" -V) $(echo $3)"
    [ "$(cat "$1/stamp" 2>/dev/null)" = "$stamp" ] && "$1/bin/python" -c "" && return
    echo "== setting up $1: $stamp"
    rm -rf "$1"
    "$2" -m venv "$1" && "$1/bin/python" -m pip install --quiet --disable-pip-version-check $3 && echo "$stamp" > "$1/stamp"
}

versions() {
    "$1/bin/python" -c "import sys, numpy; print('Python', sys.version.split()[0] + ', NumPy', numpy.__version__)"
}

pythons="${PYTHON:-} python3 python python3.14 python3.13 python3.12 python3.11 python3.10"
python=$(find_python "sys.version_info >= (3, 10)") || {
    echo "tests/run.sh: no Python 3.10 or newer (with its venv module) among: $pythons" >&2
    exit 1
}
needs=$(grep -v '^ *\(#\|$\)' requirements.txt)

if [ "${1:-}" = --torch ]; then
    shift
    setup .venv-torch "$python" "$needs $(named torch-tests)" || {
        echo "tests/run.sh --torch: pip cannot install $(named torch-tests | grep '^torch')" >&2
        exit 75
    }
    echo "== PyTorch's database of operations: $(versions .venv-torch)"
    PYTHONPATH=. exec .venv-torch/bin/python tests/full_database.py "$@"
fi

setup .venv-test "$python" "$needs $(named dev) setuptools>=77"
bin=.venv-test/bin

if [ $# -gt 0 ]; then
    exec $bin/python -m pytest "$@"
fi

echo "== lint"
$bin/ruff check .
echo "== types"
$bin/mypy
echo "== tests on $(versions .venv-test)"
$bin/python -m pytest -n "${JOBS:-2}" --cov --cov-report=term

if oldest=$(find_python "(3, 10) <= sys.version_info < (3, 13)"); then
    lower_bounds=$(echo "$needs" | sed 's/>=\(.*\)/==\1.*/')
    setup .venv-test-oldest "$oldest" "$lower_bounds $(named dev | grep -v '^\(ruff\|mypy\)') setuptools>=77"
    echo "== tests on the oldest promised versions: $(versions .venv-test-oldest)"
    .venv-test-oldest/bin/python -m pytest -n "${JOBS:-2}"
else
    echo "== SKIPPED: tests on the oldest promised versions (NumPy 1.26 needs Python 3.10, 3.11 or 3.12; found none)"
fi
