#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that tools/check-layers, check-style and check-api fail on what they are there for.

A small tree in which all three find nothing is written; then, for each kind of violation, one is planted in a
copy of it, and the check must fail and name the file and the line. TAP on stdout.
"""

import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPDX = "/* SPDX-License-Identifier: MIT */\n"

TREE = {
    "include/eddy/macros.h": SPDX + """/* Marks. */
#ifndef EDDY_MACROS_H
#define EDDY_MACROS_H
#include <stddef.h>
#define EDDY_API __attribute__ ((visibility ("default")))
#define EDDY_OPERATION(KIND) EDDY_API
#endif
""",
    "include/eddy/object.h": SPDX + """/* An object. */
#ifndef EDDY_OBJECT_H
#define EDDY_OBJECT_H
#include <eddy/macros.h>
#ifdef __cplusplus
extern "C" {
#endif

/** Makes an object. */
EDDY_API void *eddy_object_new (size_t size);

#ifdef __cplusplus
}
#endif
#endif
""",
    "include/eddy/future.h": SPDX + """/* A future. */
#ifndef EDDY_FUTURE_H
#define EDDY_FUTURE_H
#include <eddy/object.h>
#endif
""",
    "include/eddy/zlib.h": SPDX + """/* What another library has. */
#ifndef EDDY_ZLIB_H
#define EDDY_ZLIB_H
#include <eddy/macros.h>
#ifdef __cplusplus
extern "C" {
#endif

/** Counts. */
EDDY_API int eddy_zlib_count (void);

#ifdef __cplusplus
}
#endif
#endif
""",
    "zlib/zlib.c": SPDX + """/* Another library. */
#include <eddy/zlib.h>

int eddy_zlib_count (void)
{
    return 1;
}
""",
    "include/eddy/meson.build": "eddy_plain_headers = ['future', 'macros', 'object', 'zlib']\n",
    "src/base/alloc-private.h": SPDX + """/* Memory. */
#pragma once
#include <stddef.h>
void *eddy__alloc (size_t size);
""",
    "src/base/object.c": SPDX + """/* An object. */
#include "base/alloc-private.h"

#include <stdlib.h>

#include <eddy/object.h>

void *eddy__alloc (size_t size)
{
    return malloc (size);
}

void *eddy_object_new (size_t size)
{
    return eddy__alloc (size);
}
""",
    "src/sys/file-private.h": SPDX + """/* Files. */
#pragma once
int eddy__sys_close (int fd);
""",
    "src/sys/file.c": SPDX + """/* Files. */
#include "sys/file-private.h"

#include <unistd.h>

int eddy__sys_close (int fd)
{
    return close (fd);
}
""",
    "src/engine/engine-private.h": SPDX + """/* What an engine is. */
#pragma once
int eddy__engine_open (void);
""",
    "src/engine/uring-private.h": SPDX + """/* One engine. */
#pragma once
""",
    "src/engine/uring.c": SPDX + """/* One engine. */
#include "engine/uring-private.h"

#include "engine/engine-private.h"
#include "sys/file-private.h"

int eddy__engine_open (void)
{
    return eddy__sys_close (-1);
}
""",
    "src/loop/context.c": SPDX + """/* The loop; close (fd) in a comment, and "free (x)" in a text, are no calls. */
#include "engine/engine-private.h"

extern int eddy__loop_example (void);

int eddy__loop_example (void)
{
    return eddy__engine_open ();
}
""",
    "src/future/future-private.h": SPDX + """/* A future. */
#pragma once
""",
    "src/file/copy-private.h": SPDX + """/* A copy. */
#pragma once
""",
    "src/net/socket-private.h": SPDX + """/* A socket. */
#pragma once
""",
    "cli/main.c": SPDX + """/* The command. */
#include <stdlib.h>

#include <eddy/object.h>

int main (void)
{
    void *object = eddy_object_new (1);
    free (object);
    return 0;
}
""",
    "examples/forms.c": SPDX + """/* An example. */
#include <eddy/object.h>
#include <eddy/zlib.h>

int main (void)
{
    return eddy_object_new (1) == NULL || eddy_zlib_count () == 0;
}
""",
}

LONG_FUNCTION = "\nvoid eddy__long (void);\nvoid eddy__long (void)\n{\n" + "    ;\n" * 69 + "}\n"


@dataclasses.dataclass
class Plant:
    """One violation: in `path`, `old` becomes `new` (without `old`, `new` is put at the end)."""

    check: str
    what: str
    path: str
    new: str
    old: str = ""
    mark: str = ""      # stands in the line that must be named; the first line of `new` unless given
    says: str = ""      # must stand in the message


PLANTS = [
    Plant("layers", "a room includes a higher room", "src/base/object.c",
          '#include "loop/context-private.h"\n#include <stdlib.h>', "#include <stdlib.h>", says="above it"),
    Plant("layers", "a room includes a higher room's public header", "src/engine/uring.c",
          '#include <eddy/future.h>\n', "", says="above it"),
    Plant("layers", "a public header includes a higher room's", "include/eddy/object.h",
          "#include <eddy/macros.h>\n#include <eddy/future.h>", "#include <eddy/macros.h>",
          mark="<eddy/future.h>", says="above it"),
    Plant("layers", "a room includes the room beside it", "src/file/copy-private.h",
          '#include "net/socket-private.h"\n', says="beside it"),
    Plant("layers", "a room includes the whole interface", "src/loop/context.c", "#include <eddy/eddy.h>\n",
          says="for programs"),
    Plant("layers", "the loop knows an engine", "src/loop/context.c", '#include "engine/uring-private.h"\n',
          says="one engine's"),
    Plant("layers", "liburing in the loop", "src/loop/context.c", "#include <liburing.h>\n",
          says="belongs to engine/uring.c"),
    Plant("layers", "c-ares beside the resolver", "src/net/socket-address.c", "#include <ares.h>\n",
          says="belongs to net/resolver"),
    Plant("layers", "a call of liburing in the loop", "src/loop/context.c",
          "    return io_uring_submit (0);", "    return eddy__engine_open ();", says="io_uring_submit"),
    Plant("layers", "malloc outside base", "src/loop/context.c",
          "    return malloc (1) != 0;", "    return eddy__engine_open ();", says="malloc"),
    Plant("layers", "free through a pointer", "src/sys/file.c",
          "#include <stdlib.h>\nvoid (*eddy__free_pointer) (void *) = free;\n", mark="= free",
          says="the object needs free"),
    Plant("layers", "a system call outside sys", "src/engine/uring.c",
          "    return close (-1);", "    return eddy__sys_close (-1);", says="close asks the system"),
    Plant("layers", "a clock outside sys", "src/loop/context.c",
          "    return clock_gettime (1, 0);", "    return eddy__engine_open ();", says="clock_gettime"),
    Plant("layers", "randomness outside sys", "src/loop/context.c",
          "    return random () > 0;", "    return eddy__engine_open ();", says="random"),
    Plant("layers", "an exception without a reason", "src/loop/context.c",
          "    /* check-allow: random: */\n    return random () > 0;", "    return eddy__engine_open ();",
          mark="    return random", says="random"),
    Plant("layers", "a name that is looked up anywhere", "src/file/copy-private.h",
          "#define COPY_FOLDER AT_FDCWD\n", says="looked up in file/at.c alone"),
    Plant("layers", "a file in no room", "src/attic/old.c", SPDX + "/* Old. */\n", says="in no room"),
    Plant("layers", "a public header includes the system's", "include/eddy/object.h",
          "#include <sys/stat.h>", "#include <eddy/macros.h>", says="public header includes"),
    Plant("layers", "a public header includes a private one", "include/eddy/object.h",
          '#include "base/alloc-private.h"', "#include <eddy/macros.h>", says="public header includes"),
    Plant("layers", "a public header that does not stand alone", "include/eddy/future.h",
          "EDDY_API uint32_t eddy_future_count (void);\n", says="compile alone as C99"),
    Plant("layers", "a public header that is no C++", "include/eddy/future.h",
          "EDDY_API int eddy_future_kind (int class);\n", says="compile alone as C++"),
    Plant("layers", "the command includes a private header", "cli/main.c",
          '#include "../src/base/alloc-private.h"\n', says="public headers only"),
    Plant("layers", "an example includes a private header", "examples/forms.c",
          '#include "base/alloc-private.h"\n', says="public headers only"),
    Plant("layers", "another library includes a private header", "zlib/zlib.c",
          '#include "base/alloc-private.h"\n', says="public headers only"),

    Plant("style", "no licence line", "src/loop/context.c", "/* Mine. */", "/* SPDX-License-Identifier: MIT */",
          says="SPDX"),
    Plant("style", "no word of what the file is for", "src/sys/file.c", "\n", "/* Files. */\n",
          mark="", says="what this file is for"),
    Plant("style", "a tab", "src/loop/context.c", "\treturn 1;", "    return eddy__engine_open ();",
          says="a tab"),
    Plant("style", "a line too long", "src/loop/context.c", "/* " + "x" * 98 + " */\n", says="columns"),
    Plant("style", "blanks at a line's end", "src/loop/context.c", "/* x */  \n", says="blanks"),
    Plant("style", "a last line that does not end", "src/loop/context.c", "/* x */", says="does not end"),
    Plant("style", "a function too long", "src/sys/file.c", LONG_FUNCTION, mark="{last",
          says="a function of 71 lines"),
    Plant("style", "a file too long", "src/future/future-private.h", "/* x */\n" * 800, mark="{800",
          says="fewer than 800"),
    Plant("style", "a banned call", "cli/main.c", "    strcpy (object, 0);\n    free (object);",
          "    free (object);", says="strcpy is banned"),
    Plant("style", "another layout", "cli/main.c", "    free(object);", "    free (object);",
          says="clang-format"),

    Plant("api", "no documentation", "include/eddy/object.h", "/* Makes an object. */",
          "/** Makes an object. */", mark="EDDY_API void *eddy_object_new", says="no comment"),
    Plant("api", "declared, and not exported", "include/eddy/future.h",
          "/** Counts. */\nEDDY_API int eddy_future_count (void);\n", mark="EDDY_API int",
          says="not exported"),
    Plant("api", "an operation that is not exported", "include/eddy/future.h",
          "/** Waits. */\nEDDY_OPERATION (FIBER)\nint eddy_future_wait (void);\n", mark="EDDY_OPERATION",
          says="eddy_future_wait is declared, and not exported"),
    Plant("api", "called by nobody", "include/eddy/object.h",
          "/** Frees. */\nEDDY_API void eddy_object_free (void *object);\n\n/** Makes an object. */",
          "/** Makes an object. */", mark="EDDY_API void eddy_object_free", says="called by no test"),
    Plant("api", "a header that is not installed", "include/eddy/task.h", SPDX + "/* A task. */\n",
          says="would not be installed"),
    Plant("api", "exported, and not declared", "src/loop/context.c",
          '__attribute__ ((visibility ("default"))) int eddy_secret (void)\n{\n    return 0;\n}\n',
          says="declared by no public header"),
    Plant("api", "declared, and not exported by the other library", "include/eddy/zlib.h",
          "/** Sums. */\nEDDY_API int eddy_zlib_sum (void);\n", mark="EDDY_API int eddy_zlib_sum",
          says="not exported by libeddy-zlib.so"),
    Plant("api", "exported by the wrong library", "src/loop/context.c",
          '__attribute__ ((visibility ("default"))) int eddy_zlib_count (void)\n{\n    return 0;\n}\n',
          says="exported by libeddy.so, too"),
]


def write_tree(root):
    for path, text in TREE.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    shutil.copy(ROOT / ".clang-format", root)


def plant(root, violation):
    """Changes the file; returns the number of the line that the check must name."""
    path = root / violation.path
    text = path.read_text() if path.exists() else ""
    if violation.old:
        assert violation.old in text, f"{violation.path} has no {violation.old!r}"
        offset = text.index(violation.old)
        text = text.replace(violation.old, violation.new, 1)
    else:
        offset = len(text)
        text += violation.new
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if violation.mark == "{800":
        return 800
    if violation.mark == "{last":
        return text.count("\n", 0, text.rindex("\n{\n")) + 2
    if violation.mark:
        offset = text.index(violation.mark)
    return text.count("\n", 0, offset) + 1


def compile_tree(root):
    """The objects and the shared libraries, under the names that the build gives them; False: does not compile."""
    return (compile_library(root, "src", "libeddy", sorted((root / "src").glob("*/*.c"))) and
            compile_library(root, "zlib", "libeddy-zlib", sorted((root / "zlib").glob("*.c"))))


def compile_library(root, folder, name, sources):
    objects = root / "build" / folder / f"{name}.so.0.1.0.p"
    shutil.rmtree(objects.parent, ignore_errors=True)
    objects.mkdir(parents=True)
    for path in sources:
        output = objects / f"{path.parent.name}_{path.name}.o"
        process = subprocess.run(["gcc", "-w", "-fPIC", "-fvisibility=hidden", "-I", root / "include", "-I",
                                  root / "src", "-c", path, "-o", output], capture_output=True, check=False)
        if process.returncode != 0:
            return False
    subprocess.run(["gcc", "-shared", *objects.glob("*.o"), "-o", objects.parent / f"{name}.so.0.1.0"], check=True)
    return True


def run_check(root, check):
    command = [sys.executable, ROOT / "tools" / f"check-{check}", "--root", root]
    # A planted line may not compile; then the text alone must tell.
    if check == "api" or check == "layers":
        if compile_tree(root):
            command += ["--build", root / "build"]
        elif check == "api":
            raise AssertionError("the planted tree does not compile")
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_exception(root, check):
    """`check-allow` with a reason lets one name pass on one line."""
    path = root / "src/loop/context.c"
    path.write_text(path.read_text().replace(
        "    return eddy__engine_open ();",
        "    /* check-allow: random: shows that it may be. */\n    return random () > 0;"))
    return test_clean(root, check)


def test_clean(root, check):
    process = run_check(root, check)
    return None if process.returncode == 0 else process.stdout + process.stderr


def test_planted(root, violation):
    line = plant(root, violation)
    process = run_check(root, violation.check)
    wanted = f"{violation.path}:{line}: "
    found = any(said.startswith(wanted) and violation.says in said for said in process.stdout.splitlines())
    if process.returncode != 0 and found:
        return None
    return f"wanted a failure with {wanted}…{violation.says}…, got {process.returncode}:\n" + \
        process.stdout + process.stderr


def main():
    tests = [(f"{check}: nothing in a clean tree", test_clean, check) for check in ("layers", "style", "api")]
    tests += [("layers: an exception with its reason", test_exception, "layers")]
    tests += [(f"{violation.check}: {violation.what}", test_planted, violation) for violation in PLANTS]
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, function, argument) in enumerate(tests, start=1):
        with tempfile.TemporaryDirectory(prefix="eddy-checks-") as folder:
            root = pathlib.Path(folder)
            write_tree(root)
            complaint = function(root, argument)
        print(f"{'not ok' if complaint else 'ok'} {number} - {name}", flush=True)
        if complaint:
            failed += 1
            for line in complaint.splitlines():
                print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
