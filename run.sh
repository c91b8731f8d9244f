#!/usr/bin/env bash
# The whole job on a machine that has only Python >= 3.10: set up .venv, draw data where there is none,
# train, draw the pictures, predict. Arguments go to fit_func.py: ./run.sh --train_epoch_num 2
# PYTHON=python3.12 ./run.sh picks the Python.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$here/.venv
unset PYTHONHOME PYTHONPATH

find_python() {  # the first that is new enough and can make virtual environments
    local name
    for name in ${PYTHON:-python3 python python3.14 python3.13 python3.12 python3.11 python3.10}; do
        if "$name" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "run.sh: no Python 3.10 or newer with its venv module found; set PYTHON to one" >&2
    return 2
}

set_up() {  # nothing to do where the stamp says that Python and requirements are the same as last time
    local python stamp
    python=$(find_python)
    stamp="$("$python" -V) $(cksum < "$here/requirements.txt")"
    if [ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ] && "$venv/bin/python" -c "" 2>/dev/null; then
        return
    fi
    echo "setting up $venv ($("$python" -V))"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    echo "$stamp" > "$venv/stamp"
}

set_up
export PYTHONUNBUFFERED=1
if [ ! -e "$here/data/train.csv" ] || [ ! -e "$here/data/dev.csv" ]; then
    "$venv/bin/python" "$here/data_generator.py" --num 5000 --ratio 0.8 --output_dir "$here/data"
fi
if [ ! -e "$here/data/test.csv" ]; then
    "$venv/bin/python" "$here/data_generator.py" --num 5000 --test --output_dir "$here/data"
fi
exec "$venv/bin/python" "$here/fit_func.py" --train --save --predict --draw --data_dir "$here/data" \
    --model_save_dir "$here/model" --image_dir "$here/images" "$@"
