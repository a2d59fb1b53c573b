# SPDX-License-Identifier: MIT
# Sourced by ./run, ./check and bench/run: installs the Debian packages that are missing, and nothing else.
# shellcheck shell=bash

# packages_missing NAME=PROBE…: prints the names whose probe finds nothing. A probe is a command to find on
# PATH or, with a slash in it, a file to find (a pattern may stand there).
packages_missing ()
{
    local entry probe
    for entry in "$@"; do
        probe=${entry#*=}
        case $probe in
        */*) compgen -G "$probe" >/dev/null || printf '%s ' "${entry%%=*}" ;;
        *) command -v "$probe" >/dev/null || printf '%s ' "${entry%%=*}" ;;
        esac
    done
}

# packages_install WHO NAME=PROBE…: one line says what is installed and for whom; the rest goes to a log that is
# shown when it fails. False when something is still missing.
packages_install ()
{
    local who=$1 missing log as_root=()
    shift
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "$who: these are missing, and there is no apt-get to install them: $missing" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "$who: these are missing, and installing takes root or sudo: $missing" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "$who: installing with ${as_root[*]:+sudo }apt-get: $missing" >&2
    log=$(mktemp)
    # Lists that are old or absent are the common reason for a failure, so the update comes first; when it
    # fails (one dead repository among several) the install may still succeed.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update >"$log" 2>&1 || true
    # shellcheck disable=SC2086 # one word per package is meant
    # A server that tests begin by themselves (nginx) is not to be started here.
    if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1 \
        apt-get -qy install --no-install-recommends $missing >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        echo "$who: apt-get could not install: $missing" >&2
        return 1
    fi
    rm -f "$log"
    hash -r
    missing=$(packages_missing "$@")
    if [ -n "$missing" ]; then
        echo "$who: installed, but still not found: $missing" >&2
        return 1
    fi
}

# What building the library and the command takes, as NAME=PROBE.
# shellcheck disable=SC2034 # used by who sources this
packages_build=(
    gcc=cc
    libc6-dev=/usr/include/stdio.h
    meson=meson
    ninja-build=ninja
    pkg-config=pkg-config
    python3=python3
    liburing-dev=/usr/include/liburing.h
    libc-ares-dev=/usr/include/ares.h
)
