# SPDX-License-Identifier: MIT
"""Getting ready: the peers' packages from Debian, and the release build with Eddy and the peers."""

import glob
import os
import shutil
import subprocess

# The peers, as tools/packages.sh takes them: NAME=PROBE. Where one cannot be had, its claims are short.
PEERS = ["libglib2.0-dev=/usr/include/glib-2.0/gio/gio.h", "libuv1-dev=/usr/include/uv.h",
         "libevent-dev=/usr/include/event2/bufferevent.h", "nginx-light=nginx",
         "libnginx-mod-stream=/usr/lib/nginx/modules/ngx_stream_module.so",
         "coreutils=cp", "diffutils=diff", "golang-go=go"]
INSTALL = '. "$1" && shift && packages_install bench/run "${packages_build[@]}" "$@"'


def install(source, progress):
    """Installs what is missing. A failure is said, and then counts by its effects."""
    script = os.path.join(source, "tools", "packages.sh")
    done = subprocess.run(["bash", "-c", INSTALL, "bash", script, *PEERS],
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        progress.say("bench/run: not all is installed; going on with what is there")


def run_step(command, log, progress, environment=None):
    progress.say(f"bench/run: {' '.join(command)}")
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                              env={**os.environ, **(environment or {})})
    except OSError as error:
        progress.say(f"bench/run: {command[0]}: {error.strerror}")
        return False
    return done.returncode == 0


def build_go(source, folder, log, progress):
    """Builds the peers in Go: without a module, hence without a network, and with all that the compiler
    keeps in the build folder. One that is not built is removed: nobody must measure yesterday's."""
    whole = True
    if not shutil.which("go"):
        progress.say("bench/run: there is no go (Debian's golang-go): claims beside it will be short")
        return False
    environment = {"GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local",
                   "GOCACHE": os.path.join(folder, "go-cache"), "GOPATH": os.path.join(folder, "go-path")}
    for path in sorted(glob.glob(os.path.join(source, "bench", "peers", "*.go"))):
        program = os.path.join(folder, "bench", os.path.basename(path).removesuffix(".go"))
        if not run_step(["go", "build", "-o", program, path], log, progress, environment):
            whole = False
            if os.path.exists(program):
                os.unlink(program)
    return whole


def discard_stale(folder):
    """Removes the programs that are older than their sources: nobody must measure yesterday's."""
    for path in glob.glob(os.path.join(folder, "bench", "*")) + [os.path.join(folder, "cli", "eddy")]:
        if not os.path.isfile(path):
            continue
        plan = subprocess.run(["ninja", "-C", folder, "-n", os.path.relpath(path, folder)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if b"no work to do" not in plan.stdout:
            os.unlink(path)


def build(source, folder, progress):
    """Builds what can be built. Ninja keeps going after a failure, so that one program which does
    not compile makes its own claims short and no others'. Configures each time: a peer may have
    been installed since."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "bench.log")
    again = ["--reconfigure"] if os.path.exists(os.path.join(folder, "build.ninja")) else []
    with open(path, "wb") as log:
        whole = run_step(["meson", "setup", *again, "--buildtype=release", "-Dbench=true",
                          "-Dtests=false", "-Dexamples=true", folder, source], log, progress)
        whole = whole and run_step(["ninja", "-k", "0", "-C", folder], log, progress)
        if not whole:
            discard_stale(folder)
        whole = build_go(source, folder, log, progress) and whole
    if not whole:
        progress.say(f"bench/run: the build is not whole, see {path}")
