# shellcheck shell=sh
# Defines run_python: Python 3.11 or newer, by whatever name this machine has it. Sourced by build.sh and deploy.sh;
# plain POSIX sh, so that Git Bash and macOS's own shell run it too. PYTHON=... names the one to use.
run_python() {
    if [ "$PYTHON" = "py -3" ]; then
        py -3 "$@"
    else
        "$PYTHON" "$@"
    fi
}

python_is_new_enough() {
    run_python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    seen=
    wanted=${PYTHON:-}
    for PYTHON in "${wanted:-python3}" "${wanted:-python}" "${wanted:-py -3}" \
        "${wanted:-python3.14}" "${wanted:-python3.13}" "${wanted:-python3.12}" "${wanted:-python3.11}"; do
        if python_is_new_enough; then
            return 0
        fi
        version=$(run_python --version 2>/dev/null || true)
        case "$seen" in
            *"$PYTHON is"*) ;;
            *) [ -z "$version" ] || seen="$seen $PYTHON is $version." ;;
        esac
    done
    echo "Python 3.11 or newer is needed.${seen:- No Python was found.}" >&2
    echo "Install it from https://www.python.org/downloads/ (Windows: tick 'Add python.exe to PATH')," >&2
    echo "or name the one to use: export PYTHON=/path/to/python3" >&2
    return 1
}

find_python || exit 1
