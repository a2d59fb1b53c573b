#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Tests of tools/eddy-forms. What it writes for forms/sample.h is compiled by each compiler that is
# installed, and run against the small runtime in forms/stub; what it refuses is given to it line by
# line. Speaks TAP.

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import tap

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOL = os.path.join(ROOT, "tools", "eddy-forms")
FORMS = os.path.join(HERE, "forms")
STUB = os.path.join(FORMS, "stub")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion"]
C_WARNINGS = WARNINGS + ["-Wstrict-prototypes", "-Wmissing-prototypes"]
END = "EddyCancellable *cancellable, EddyError **error);"


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=100, **options)


class FormsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="eddy-forms-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def generate(self, header, stem="x", include=None, folder=None):
        """Runs the tool on a header, for all three outputs."""
        def out(name):
            return os.path.join(folder or self.folder, name)
        return run(sys.executable, TOOL, "--header", header, "--include", include or f'"{stem}.h"',
                   "--forms", out(f"{stem}-forms.h"), "--bodies", out(f"{stem}-bodies.h"),
                   "--source", out(f"{stem}-forms.c"))

    def generate_text(self, text):
        with open(self.path("x.h"), "w", encoding="utf-8") as file:
            file.write(text)
        return self.generate(self.path("x.h"))

    def forms_of(self, text):
        """What is made of a header's text: the three files' contents."""
        done = self.generate_text(text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return self.read("x-forms.h"), self.read("x-bodies.h"), self.read("x-forms.c")

    def generate_sample(self):
        done = self.generate(os.path.join(FORMS, "sample.h"), "sample")
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, "", ""))

    def assert_refused(self, text, *problems):
        """Each problem stands behind "x.h:"; nothing else is reported, and nothing is written."""
        done = self.generate_text(text)
        expected = [f"{self.path('x.h')}:{problem}" for problem in problems]
        self.assertEqual(done.stderr.splitlines(), expected)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(os.listdir(self.folder), ["x.h"])

    def assert_parameter_refused(self, parameter, name, reason, kind="JOB"):
        self.assert_refused(f"EDDY_OPERATION ({kind})\nbool f (int first,\n{parameter},\n{END}",
                            f"3: operation f: parameter {name}: {reason}")

    def compile(self, compiler, *arguments):
        if shutil.which(compiler) is None:
            self.skipTest(f"{compiler} is not installed")
        done = run(compiler, *arguments, cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class CompiledTest(FormsTest):
    def check_program(self, compiler):
        self.generate_sample()
        self.compile(compiler, "-std=gnu11", "-O1", *C_WARNINGS, f"-I{STUB}", f"-I{FORMS}", "-I.",
                     "sample-forms.c",
                     os.path.join(FORMS, "program.c"), os.path.join(STUB, "runtime.c"), "-o",
                     "program")
        done = run(self.path("program"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def check_headers(self, compiler, standard, suffix):
        self.generate_sample()
        for name in ("sample.h", "sample-forms.h", "sample-bodies.h"):
            source = self.path("headers" + suffix)
            with open(source, "w", encoding="utf-8") as file:
                file.write(f"#include \"{name}\"\nint nothing;\n")
            if name == "sample-bodies.h" and standard == "c99":
                continue        # private to who writes the bodies, and those are C11
            self.compile(compiler, f"-std={standard}", "-pedantic", *WARNINGS, f"-I{STUB}",
                         f"-I{FORMS}", "-I.",
                         "-c", source, "-o", "headers.o")

    def test_forms_run_when_compiled_by_gcc(self):
        self.check_program("gcc")

    def test_forms_run_when_compiled_by_clang(self):
        self.check_program("clang")

    def test_headers_compile_as_c99_by_gcc(self):
        self.check_headers("gcc", "c99", ".c")

    def test_headers_compile_as_c99_by_clang(self):
        self.check_headers("clang", "c99", ".c")

    def test_headers_compile_as_cxx_by_gxx(self):
        self.check_headers("g++", "c++11", ".cc")

    def test_headers_compile_as_cxx_by_clangxx(self):
        self.check_headers("clang++", "c++11", ".cc")

    def test_forms_compile_against_eddy_itself(self):
        include = os.path.join(ROOT, "include")
        build = os.path.join(os.environ.get("EDDY_BUILD_ROOT", ""), "include")
        for needed in (f"{include}/eddy/eddy.h", f"{include}/eddy/forms.h",
                       f"{build}/eddy/version.h"):
            if not os.path.exists(needed):
                self.skipTest("Eddy is not built: EDDY_BUILD_ROOT does not say where")
        self.generate_sample()
        for compiler in ("gcc", "clang"):
            if shutil.which(compiler):
                self.compile(compiler, "-std=gnu11", *C_WARNINGS, f"-I{include}", f"-I{build}",
                             f"-I{FORMS}", "-I.",
                             "-c", "sample-forms.c", "-o", "sample.o")

    def test_structure_behind_a_typedef_does_not_compile(self):
        self.check_typedef("typedef struct { int x; } hidden_t;", False)

    def test_pointer_behind_a_typedef_does_not_compile(self):
        self.check_typedef("typedef char *hidden_t;", False)

    def test_number_behind_a_typedef_compiles(self):
        self.check_typedef("typedef unsigned long hidden_t;", True)

    def check_typedef(self, typedef, compiles):
        """The typedef stands in a header that eddy-forms does not see; its name says nothing."""
        with open(self.path("hidden.h"), "w", encoding="utf-8") as file:
            file.write(f"#pragma once\n#include <eddy/eddy.h>\n{typedef}\n")
        self.forms_of(f"#pragma once\n#include \"hidden.h\"\nEDDY_OPERATION (JOB)\nbool f "
                      f"(hidden_t hidden, {END}\n")
        if shutil.which("gcc") is None:
            self.skipTest("gcc is not installed")
        done = run("gcc", "-std=gnu11", f"-I{STUB}", "-c", "x-forms.c", "-o", "x.o",
                   cwd=self.folder)
        self.assertEqual(done.returncode == 0, compiles, done.stderr)


class OutputTest(FormsTest):
    def test_each_form_is_declared_as_agreed(self):
        forms, bodies, _ = self.forms_of(
            "EDDY_OPERATION (JOB)\nbool f (EddyFile *a, size_t *n EDDY_OUT_LEN, int b, "
            "EddyCancellable *cancellable, "
            "EddyFileProgressCallback p EDDY_CALLBACK, void *d, EddyError **error);")
        forms = re.sub(r"\s+", " ", forms)
        bodies = re.sub(r"\s+", " ", bodies)
        self.assertIn("EDDY_API void f_async (EddyFile *a, int b, int io_priority, EddyCancellable "
                      "*cancellable, EddyFileProgressCallback p, void *d, EddyAsyncReadyCallback "
                      "callback, void *user_data);", forms)
        self.assertIn("EDDY_API bool f_finish (EddyFile *a, EddyAsyncResult *result, size_t *n "
                      "EDDY_OUT_LEN, EddyError **error);", forms)
        self.assertIn("EDDY_API EDDY_MUST_USE EddyFuture *f_future (EddyFile *a, int b, int "
                      "io_priority, "
                      "EddyCancellable *cancellable, EddyFileProgressCallback p, void *d);", forms)
        self.assertIn("bool f_body (EddyFile *a, size_t *n, int b, EddyCancellable *cancellable, "
                      "EddyFileProgressCallback p, void *d, EddyError **error);", bodies)

    def test_a_function_that_answers_is_handed_on(self):
        forms, bodies, source = self.forms_of(
            "EDDY_OPERATION (DIRECT)\nbool f (EddyFile *a, EddyCancellable *cancellable, "
            "FooFunc p EDDY_CALLBACK, void *d, EddyError **error);")
        self.assertIn("EddyFuture *f_future (EddyFile *a, int io_priority, EddyCancellable "
                      "*cancellable, FooFunc p, void *d);", re.sub(r"\s+", " ", forms))
        self.assertIn("bool f_body (EddyFile *a, EddyCancellable *cancellable, FooFunc p, void *d, "
                      "EddyError **error);", re.sub(r"\s+", " ", bodies))
        self.assertIn("f_body (arguments->a, cancellable, arguments->p, arguments->d, error)",
                      re.sub(r"\s+", " ", source))

    def test_primitive_has_prepare_and_result_and_no_body(self):
        _, bodies, source = self.forms_of(
            "EDDY_OPERATION (PRIMITIVE)\nint f (const char *path, size_t *n EDDY_OUT, " + END)
        self.assertIn("void f_prepare (EddyOp *op, const char *path);", bodies)
        self.assertIn("int f_result (const EddyOp *op, const char *path, size_t *n, EddyError "
                      "**error);", bodies)
        self.assertNotIn("_body", bodies + source)
        self.assertNotIn("in_place", source)

    def test_owned_answer_is_taken_or_given_up(self):
        forms, bodies, source = self.forms_of(
            "/**\n */\nEDDY_OPERATION (JOB)\nbool f (int a, char **text EDDY_OUT, "
            "EddyBytes **bytes EDDY_OUT, " + END)
        forms = " ".join(re.sub(r"\n \*", " ", forms).split())
        bodies, source = " ".join(bodies.split()), " ".join(source.split())
        self.assertIn("bool f_finish (EddyAsyncResult *result, char **text EDDY_OUT, "
                      "EddyBytes **bytes EDDY_OUT, EddyError **error);", forms)
        self.assertIn("What is put into @text is the caller's, to be given up with eddy_free().",
                      forms)
        self.assertIn("What is put into @bytes is the caller's, to be given up with eddy_unref().",
                      forms)
        self.assertNotIn("written also on failure", forms)
        self.assertIn("bool f_body (int a, char **text, EddyBytes **bytes, EddyCancellable "
                      "*cancellable, EddyError **error);", bodies)
        self.assertIn("eddy_free (arguments->text); eddy_unref (arguments->bytes); }", source)
        self.assertIn("if (done && text != NULL) *text = arguments.text; else eddy_free "
                      "(arguments.text);", source)
        self.assertIn("{ *text = arguments->text; arguments->text = NULL; }", source)
        self.assertNotIn("form_keep", source)

    def test_pointer_is_an_answer_and_its_body_says_how_to_give_it_up(self):
        forms, bodies, source = self.forms_of(
            "EDDY_OPERATION (FIBER)\nvoid *f (EddyFile *a, int destroy, " + END)
        forms, bodies, source = (" ".join(text.split()) for text in (forms, bodies, source))
        self.assertIn("void *f_finish (EddyFile *a, EddyAsyncResult *result, EddyError **error);",
                      forms)
        self.assertIn("void *f_body (EddyFile *a, int destroy, void (**form_destroy) (void "
                      "*pointer), EddyCancellable *cancellable, EddyError **error);", bodies)
        self.assertIn("eddy_value_take_pointer (value, answer, destroy);", source)

    def test_request_has_no_pointer(self):
        self.assert_refused(f"EDDY_OPERATION (PRIMITIVE)\nvoid *f ({END}",
                            "2: operation f: return type \"void *\" is not one of bool, int, ssize_t, "
                            "int64_t, char *, pointer to an object, and void * where there is a body")

    def test_borrowed_memory_means_no_future_form(self):
        for texts in (self.forms_of(f"EDDY_OPERATION (JOB)\nbool f (void *b EDDY_BORROWED, {END}"),
                      self.forms_of(f"EDDY_OPERATION (FIBER)\nint f (const char *const *v "
                                    f"EDDY_BORROWED, {END}")):
            self.assertIn("f_async", texts[0])
            self.assertNotIn("f_future", "".join(texts))

    def test_brief_jobs_are_told_to_the_library(self):
        forms, bodies, source = self.forms_of(f"EDDY_OPERATION (BRIEF)\nbool f ({END}")
        self.assertIn("by this thread's loop", " ".join(forms.replace("*", "").split()))
        self.assertIn("bool f_body (EddyCancellable", bodies)
        self.assertIn(".kind = EDDY_FORM_BRIEF,", source)
        self.assertIn("eddy_form_in_place (EDDY_FORM_BRIEF)", source)

    def test_a_body_that_runs_anywhere_is_called_without_asking(self):
        for kind in ("STREAM", "DIRECT"):
            _, _, source = self.forms_of(f"EDDY_OPERATION ({kind})\nbool f ({END}")
            self.assertIn("    if (cancellable == NULL)\n        return f_body (", source)
            self.assertNotIn("eddy_form_in_place", source)

    def test_callbacks_have_a_future_form(self):
        forms, _, _ = self.forms_of("EDDY_OPERATION (JOB)\nbool f (EddyCancellable *cancellable, "
                                    "EddyFileProgressCallback p EDDY_CALLBACK, void *d, EddyError "
                                    "**error);")
        self.assertIn("f_future", forms)

    def test_first_parameter_is_the_source_only_when_it_is_an_object(self):
        forms, _, source = self.forms_of(f"EDDY_OPERATION (JOB)\nbool f (int a, EddyFile *b, {END}")
        self.assertIn("bool f_finish (EddyAsyncResult *result, EddyError **error);", forms)
        self.assertIn("eddy_form_begin (&f_form, NULL, &arguments, io_priority, cancellable)", source)

    def test_local_operations_are_not_exported(self):
        forms, _, _ = self.forms_of(f"EDDY_OPERATION_LOCAL (FIBER)\nbool f ({END}")
        self.assertNotIn("EDDY_API", forms)
        self.assertIn("\nvoid f_async (", forms)
        self.assertIn("\nEDDY_MUST_USE EddyFuture *f_future (", forms)

    def test_declarations_across_comments_splices_and_lines(self):
        forms, _, _ = self.forms_of(r"""
EDDY_OPERATION /* ; ) */ (JOB) // bool g (
bo\
ol
f(
const /* int */ char
*
a // , int b
, EddyCancellable*cancellable,EddyError**error)/**/;
""")
        self.assertIn("void f_async (const char *a, int io_priority, EddyCancellable *cancellable,",
                      forms)

    def test_operations_in_comments_strings_and_directives_are_none(self):
        forms, _, _ = self.forms_of(r"""
/* EDDY_OPERATION (JOB) bool f (int); */
// EDDY_OPERATION (BAD)
#define A EDDY_OPERATION (BAD) \
    EDDY_OPERATION (BAD) /* over
    lines */
static const char *s = "EDDY_OPERATION (BAD)";
  # define B '"' // EDDY_OPERATION (BAD)
""")
        self.assertNotIn("_async", forms)

    def test_several_operations_keep_their_order(self):
        forms, bodies, source = self.forms_of("".join(
            f"EDDY_OPERATION (JOB)\nint {name} ({END}\nint other (int);\n"
            for name in ("c", "a", "b")))
        self.assertEqual(re.findall(r"void (\w)_async", forms), ["c", "a", "b"])
        self.assertEqual(re.findall(r"int (\w)_body", bodies), ["c", "a", "b"])
        self.assertEqual(re.findall(r"static const EddyForm (\w)_form", source), ["c", "a", "b"])

    def test_no_operations_make_valid_empty_files(self):
        self.forms_of("#pragma once\n#include <eddy/eddy.h>\n")
        self.compile("gcc", "-std=gnu11", "-pedantic", *C_WARNINGS, f"-I{STUB}", "-c", "x-forms.c",
                     "-o", "x.o")

    def test_empty_header_makes_files(self):
        forms, _, _ = self.forms_of("")
        self.assertIn("#ifndef X_FORMS_H", forms)

    def test_guard_follows_the_include(self):
        with open(self.path("file.h"), "w", encoding="utf-8"):
            pass
        self.assertEqual(self.generate(self.path("file.h"), "file",
                                       "<eddy/some-file.h>").returncode, 0)
        self.assertIn("#ifndef EDDY_SOME_FILE_FORMS_H\n#define EDDY_SOME_FILE_FORMS_H\n",
                      self.read("file-forms.h"))
        self.assertIn("#include <eddy/some-file.h>", self.read("file-forms.c"))
        self.assertIn('#include "file-bodies.h"', self.read("file-forms.c"))

    def test_license_is_that_of_the_header(self):
        licensed = self.forms_of("/* SPDX-License-Identifier: Apache-2.0 WITH x */\n")
        plain = self.forms_of("/* Mine. */\n")
        for text in licensed:
            self.assertTrue(text.startswith("/* SPDX-License-Identifier: Apache-2.0 WITH x */\n"),
                            text)
        for text in plain:
            self.assertNotIn("SPDX", text)

    def test_same_input_same_output(self):
        self.generate_sample()
        again = tempfile.mkdtemp(dir=self.folder)
        self.assertEqual(self.generate(os.path.join(FORMS, "sample.h"), "sample",
                                       folder=again).returncode, 0)
        for name in os.listdir(again):
            with open(os.path.join(again, name), encoding="utf-8") as file:
                self.assertEqual(file.read(), self.read(name))

    def test_lines_fit(self):
        self.generate_sample()
        for name in ("sample-forms.h", "sample-bodies.h", "sample-forms.c"):
            for line in self.read(name).splitlines():
                self.assertLessEqual(len(line), 100, f"{name}: {line}")
                self.assertEqual(line, line.rstrip())

    def test_number_types(self):
        types = ["unsigned", "unsigned long long", "long double", "const_t", "enum colour",
                 "EddyFlags", "off_t", "_Bool"]
        parameters = ", ".join(f"{name} p{number}" for number, name in enumerate(types))
        forms, _, _ = self.forms_of(f"EDDY_OPERATION (JOB)\nbool f ({parameters}, {END}")
        self.assertIn(re.sub(r"\s+", " ", parameters), re.sub(r"\s+", " ", forms))

    def test_declarations_inside_guard_and_extern_c(self):
        forms, _, _ = self.forms_of("#ifndef A\n#define A\n#ifdef __cplusplus\nextern \"C\" "
                                    "{\n#endif\n"
                                    f"EDDY_OPERATION (JOB)\nbool f ({END}\n"
                                    "#ifdef __cplusplus\n}\n#endif\n#endif /* A */\n")
        self.assertIn("f_async", forms)


class DocumentationTest(FormsTest):
    TEXT = """/**
 * Does it.
 *
 *     as code
 *
 * @a: the first,
 *     at length
 * @n: how many
 *
 * Returns: whether
 * Errors: NONE,
 *     mostly
 * Thread: main
 * Since: 0.7
 */
EDDY_OPERATION (JOB)
bool f (int a, const char *s, EddyFile *o, size_t *n EDDY_OUT, """ + END

    def comment_of(self, forms, name):
        comments = re.findall(r"/\*\*\n(.*?) \*/\n([^;]*?) ?\*?(\w+) \(", forms, re.DOTALL)
        return next(comment for comment, _, function in comments if function == name)

    def test_async_explains_its_own_parameters(self):
        comment = self.comment_of(self.forms_of(self.TEXT)[0], "f_async")
        for text in (" * Does it.\n *\n *     as code\n *\n",
                     " * @a: the first,\n *     at length\n", " * @io_priority: ",
                     " * @callback: ", " * @user_data: ", " * Thread: main\n", " * Since: 0.7\n",
                     "@s is copied. @o and @cancellable are referenced until"):
            self.assertIn(text, comment)
        for text in ("@n:", "Returns:", "@error:", "mostly"):
            self.assertNotIn(text, comment)

    def test_finish_explains_the_answer(self):
        comment = self.comment_of(self.forms_of(self.TEXT)[0], "f_finish")
        for text in (" * @result: ", " * @n: how many\n", "@n is written also on failure",
                     " * Returns: whether\n",
                     " * Errors: NONE,\n *     mostly\n", " * Since: 0.7\n"):
            self.assertIn(text, comment)
        self.assertNotIn("@a:", comment)

    def test_future_explains_its_errors(self):
        comment = self.comment_of(self.forms_of(self.TEXT)[0], "f_future")
        for text in ("Returns: (owned) the future", " * Errors: NONE,\n *     mostly\n",
                     "@io_priority: "):
            self.assertIn(text, comment)
        self.assertIn("A future has one value: for n, use another form.", comment)
        for text in ("@callback", "@user_data", "@n:"):
            self.assertNotIn(text, comment)

    def test_borrowed_memory_is_explained(self):
        forms, _, _ = self.forms_of(f"EDDY_OPERATION (JOB)\nbool f (void *b EDDY_BORROWED, {END}")
        self.assertIn("@b stays the caller's and must live, untouched, until @callback has begun",
                      re.sub(
            r"\s+\*?\s*", " ", forms))

    def test_comment_of_something_else_is_not_taken(self):
        forms, _, _ = self.forms_of(f"/** Other. */\nint other;\nEDDY_OPERATION (JOB)\nbool f "
                                    f"({END}")
        self.assertNotIn("Other", forms)

    def test_undeclared_parameter_is_refused(self):
        self.assert_refused(f"/**\n * @b: gone\n */\nEDDY_OPERATION (JOB)\nbool f (int a, {END}",
                            "5: operation f: parameter b: is documented, but not declared")


class RefusalTest(FormsTest):
    def test_unmarked_pointers(self):
        for declared, spelled in (("const void *p", "const void *"), ("int *p", "int *"),
                                  ("char *p", "char *"),
                                  ("struct iovec *p", "struct iovec *"),
                                  ("const EddyFile *p", "const EddyFile *"),
                                  ("EddyFile **p", "EddyFile **"), ("FILE *p", "FILE *"),
                                  ("EddyOp *p", "EddyOp *"),
                                  ("char *const *p", "char *const *"), ("thing *p", "thing *")):
            self.assert_parameter_refused(
                declared, "p",
                f"\"{spelled}\" without a mark is not understood: is it EDDY_BORROWED or EDDY_OUT?")

    def test_void_pointer_without_its_callback(self):
        self.assert_parameter_refused("void *p", "p",
                                      "\"void *\" without a mark is not understood: is it "
                                      "EDDY_BORROWED?")

    def test_values_that_are_no_numbers(self):
        self.assert_parameter_refused("struct stat s", "s",
                                      "\"struct stat\" by value is not a number")
        self.assert_parameter_refused("FooCallback s", "s",
                                      "\"FooCallback\" is a function: to be passed it must be "
                                      "marked EDDY_CALLBACK, and have a name that says so")
        self.assert_parameter_refused("EddyFileProgressCallback s", "s",
                                      "a callback must be marked EDDY_CALLBACK")
        self.assert_parameter_refused("void s", "s", "has no type")

    def test_typedefs_of_the_header_are_known(self):
        tail = f"EDDY_OPERATION (JOB)\nbool f (Thing t, {END}"
        self.assert_refused(f"typedef struct {{ int a; }} Thing;\n{tail}",
                            "3: operation f: parameter t: \"Thing\" by value is not a number")
        self.assert_refused(f"typedef char *Thing;\n{tail}",
                            "3: operation f: parameter t: \"Thing\" by value is not a number")
        self.assert_refused(f"typedef void (*Thing) (int);\n{tail}",
                            "3: operation f: parameter t: \"Thing\" is a function: to be passed "
                            "it must be marked EDDY_CALLBACK, and have a name that says so")
        self.assert_refused("typedef enum { A } Thing;\n" + tail.replace("Thing t", "Thing *t"),
                            "3: operation f: parameter t: \"Thing *\" without a mark is not "
                            "understood: is it EDDY_BORROWED or EDDY_OUT?")

    def test_types_that_are_not_understood(self):
        self.assert_parameter_refused("int p[2]", "2",
                                      "an array is not understood: write a pointer")
        self.assert_parameter_refused("int (*p) (int)", "2",
                                      "a pointer to a function is not understood: use a typedef")
        self.assert_parameter_refused("...", "2", "variable arguments have no forms")
        self.assert_parameter_refused("void *restrict p EDDY_BORROWED", "p",
                                      "\"restrict\" is not understood")
        self.assert_parameter_refused("const int p", "p",
                                      "const by value says nothing to a caller: leave it out")
        self.assert_parameter_refused("char *const p EDDY_BORROWED", "p",
                                      "const by value says nothing to a caller: leave it out")
        self.assert_parameter_refused("FOO int p", "p", "\"FOO int\" is not understood")

    def test_names(self):
        self.assert_parameter_refused("int", "2", "has no name")
        self.assert_parameter_refused("unsigned int", "2", "has no name")
        self.assert_parameter_refused("EddyFile *", "2", "has no name")
        self.assert_parameter_refused("int first", "first", "stands twice")
        self.assert_parameter_refused("int class", "class", "has a name that is a keyword in C++")
        for name in ("io_priority", "callback", "user_data", "result", "op"):
            self.assert_parameter_refused(f"int {name}", name,
                                          "has the name of a parameter that the forms add")

    def test_marks(self):
        self.assert_parameter_refused("int p EDDY_BORROWED", "p", "EDDY_BORROWED is for pointers")
        self.assert_parameter_refused("char *p EDDY_COPIED", "p",
                                      "EDDY_COPIED is for const char * and const char *const *")
        self.assert_parameter_refused("char *p EDDY_REF", "p",
                                      "EDDY_REF is for a pointer to an object")
        self.assert_parameter_refused("const EddyFile *p EDDY_REF", "p",
                                      "EDDY_REF is for a pointer to an object")
        self.assert_parameter_refused("int p EDDY_HOME", "p", "EDDY_HOME is for a pointer to an object")
        self.assert_parameter_refused("EddyFoo *p EDDY_HOME", "p",
                                      "EDDY_HOME is for one parameter of a FIBER operation")
        self.assert_parameter_refused("EddyFoo p EDDY_CALLBACK", "p",
                                      "EDDY_CALLBACK is for a function, such as an "
                                      "EddyFileProgressCallback")
        for bad in ("size_t", "const size_t *", "char *", "void *", "size_t **"):
            self.assert_parameter_refused(f"{bad} p EDDY_OUT_LEN", "p",
                                          "EDDY_OUT_LEN is for a pointer to a number, such as "
                                          "size_t *")
        for bad in ("size_t **", "void **", "FILE **", "const EddyFile **", "const char **",
                    "char ***", "size_t"):
            self.assert_parameter_refused(f"{bad} p EDDY_OUT", "p", "EDDY_OUT is for a pointer to "
                                          "a number, a char * or a pointer to an object")
        self.assert_parameter_refused("void *p EDDY_BOROWED", "p", "EDDY_BOROWED is not a mark")
        self.assert_parameter_refused("void *EDDY_BORROWED p", "p",
                                      "EDDY_BORROWED must stand behind the name")
        self.assert_parameter_refused("size_t *p EDDY_OUT EDDY_BORROWED", "p",
                                      "has two marks, EDDY_OUT and EDDY_BORROWED")

    def test_callbacks(self):
        callback = "EddyFileProgressCallback {0} EDDY_CALLBACK"
        both = callback + ",\nvoid *{0}_data"
        self.assert_parameter_refused(callback.format("p"), "p",
                                      "must be followed by a void *, its data")
        self.assert_parameter_refused(both.format("p"), "p",
                                      "a PRIMITIVE has no callback: it is one request", "PRIMITIVE")
        self.assert_refused(f"EDDY_OPERATION (JOB)\nbool f "
                            f"({both.format('p')},\n{both.format('q')}, {END}",
                            "4: operation f: parameter q: is a second callback: an operation has "
                            "one")

    def test_functions_that_answer(self):
        function = "FooFunc {0} EDDY_CALLBACK"
        both = function + ", void *{0}_data"
        self.assert_parameter_refused(function.format("p"), "p",
                                      "must be followed by a void *, its data", "DIRECT")
        for kind in ("PRIMITIVE", "STREAM", "JOB"):
            self.assert_parameter_refused(both.format("p"), "p",
                                          "is called for an answer, which only the body of a DIRECT "
                                          "or FIBER operation can do", kind)

    def test_cancellable_and_error(self):
        self.assert_refused("EDDY_OPERATION (JOB)\nbool f (void);",
                            "2: operation f: must have one EddyCancellable *cancellable",
                            "2: operation f: must have EddyError **error as its last parameter")
        self.assert_refused("EDDY_OPERATION (JOB)\nbool f (EddyError **error, EddyCancellable "
                            "*cancellable);",
                            "2: operation f: must have EddyError **error as its last parameter",
                            "2: operation f: parameter error: must be the last parameter")
        self.assert_parameter_refused("EddyCancellable *other", "other",
                                      "only EddyCancellable *cancellable, unmarked, can be the "
                                      "cancellable")
        self.assert_parameter_refused("EddyError *error", "error",
                                      "only EddyError **error, unmarked, can be the error")

    def test_return_types(self):
        for bad in ("void", "size_t", "unsigned int", "double", "const char *",
                    "EddyFile **", "FILE *",
                    "struct foo *", "const EddyFile *", "static bool", "EDDY_API bool", "thing *"):
            spelled = bad + ("" if bad.endswith("*") else " ")
            self.assert_refused(f"EDDY_OPERATION (JOB)\n{spelled}f ({END}",
                                f"2: operation f: return type \"{bad}\" is not one of bool, int, "
                                "ssize_t, int64_t, char *, pointer to an object, and void * where there is "
                                "a body")

    def test_kinds(self):
        self.assert_refused(f"EDDY_OPERATION (job)\nbool f ({END}",
                            "1: operation f: \"job\" is not one of PRIMITIVE, STREAM, DIRECT, FIBER, JOB, BRIEF")
        macro = "EDDY_OPERATION (KIND) must stand before the declaration of a function"
        self.assert_refused(f"\nEDDY_OPERATION\nbool f ({END}", f"2: {macro}")
        self.assert_refused("EDDY_OPERATION (JOB)\nextern int f;", f"1: {macro}")
        self.assert_refused("EDDY_OPERATION (JOB)", f"1: {macro}")

    def test_what_ends_a_declaration(self):
        start = "EDDY_OPERATION (JOB)\nbool f (" + END[:-1]
        self.assert_refused(start, "2: operation f: the end of the file stands before the semicolon "
                            "of the declaration")
        self.assert_refused(start + "\n{ return true; }",
                            "3: operation f: \"{\" stands before the semicolon of the declaration")
        self.assert_refused(start + "\n#endif\n;",
                            "3: operation f: \"#endif\" stands before the semicolon of the "
                            "declaration")
        self.assert_refused(start + "\nEDDY_NOTHROW;",
                            "3: operation f: \"EDDY_NOTHROW\" after the parameters is not "
                            "understood")
        self.assert_refused("EDDY_OPERATION (JOB)\nbool f (int a;",
                            "2: operation f: the parentheses do not match")

    def test_places(self):
        operation = f"EDDY_OPERATION (JOB)\nbool f ({END}\n"
        self.assert_refused(f"#ifdef B\n{operation}#endif\nint a;",
                            "2: EDDY_OPERATION stands inside #if: forms cannot be conditional")
        self.assert_refused(f"#ifndef A\n#define A\n#if B\n{operation}#endif\n#endif",
                            "4: EDDY_OPERATION stands inside #if: forms cannot be conditional")
        self.assert_refused(f"#ifndef A\n#define A\n#endif\n#ifdef B\n{operation}#endif",
                            "5: EDDY_OPERATION stands inside #if: forms cannot be conditional")
        self.assert_refused(f"#ifndef A\n#define A\n#else\n{operation}#endif",
                            "4: EDDY_OPERATION stands inside #if: forms cannot be conditional")
        self.assert_refused(f"struct a {{\n{operation}}};",
                            "2: EDDY_OPERATION stands inside braces")
        self.assert_refused(f"static\n{operation}",
                            "2: EDDY_OPERATION must begin the declaration, not follow \"static\"")

    def test_names_made_twice(self):
        operation = f"EDDY_OPERATION (JOB)\nbool f ({END}\n"
        done = self.generate_text(operation + operation)
        self.assertIn("x.h:3: operation f: f is already made by operation f\n", done.stderr)
        self.assert_refused(operation + operation.replace("f (", "f_async ("),
                            "3: operation f_async: f_async is already made by operation f")

    def test_text_that_does_not_end(self):
        for text in ("int a;\n/* no end", "int a;\n\"no end\n", "int a;\n#define A /* no end"):
            done = self.generate_text(text)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^\S+x\.h:2: a comment( or a string)? does not end\n$")

    def test_all_problems_are_listed_with_their_lines(self):
        self.assert_refused("EDDY_OPERATION (JOB)\nvoid f (int *a,\nint "
                            f"b[1],\n{END}\n\nEDDY_OPERATION (JOB)\nbool fine ({END}\n/* "
                            f"over\nlines */ EDDY_OPERATION (NONE) \\\nbool g ({END}",
                            "2: operation f: return type \"void\" is not one of bool, int, "
                            "ssize_t, int64_t, char *, pointer to an object, and void * where there is a "
                            "body",
                            "2: operation f: parameter a: \"int *\" without a mark is not "
                            "understood: is it EDDY_BORROWED or EDDY_OUT?",
                            "3: operation f: parameter 2: an array is not understood: write a "
                            "pointer",
                            "9: operation g: \"NONE\" is not one of PRIMITIVE, STREAM, DIRECT, FIBER, JOB, BRIEF")


class CommandTest(FormsTest):
    def test_help(self):
        done = run(sys.executable, TOOL, "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("--header", "--include", "--forms", "--bodies", "--source"):
            self.assertIn(option, done.stdout)

    def test_is_executable(self):
        self.assertTrue(os.access(TOOL, os.X_OK))

    def test_works_where_it_is_installed(self):
        os.makedirs(self.path("bin"))
        shutil.copy(TOOL, self.path("bin"))
        shutil.copytree(TOOL + "-parts", self.path("share/eddy/eddy-forms-parts"))
        os.symlink(self.path("bin/eddy-forms"), self.path("link"))
        done = run(self.path("link"), "--header", os.path.join(FORMS, "sample.h"), "--include",
                   "<sample.h>", "--forms", self.path("sample-forms.h"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertFalse(os.path.exists(self.path("share/eddy/eddy-forms-parts/__pycache__")))

    def test_usage(self):
        header = self.path("x.h")
        with open(header, "w", encoding="utf-8"):
            pass
        for arguments in ([], ["--header", header], ["--header", header, "--include", "<x.h>"],
                          ["--header", header, "--include", "x.h", "--forms", self.path("f")],
                          ["--header", header, "--include", "<x.h>", "--forms", self.path("f"),
                           "--other"],
                          ["--header", header, "--include", "<x.h>", "--form", self.path("f")]):
            self.assertEqual(run(sys.executable, TOOL, *arguments).returncode, 2, arguments)
        self.assertEqual(os.listdir(self.folder), ["x.h"])

    def test_any_subset_of_outputs(self):
        header = os.path.join(FORMS, "sample.h")
        for option, name in (("--forms", "a.h"), ("--bodies", "b.h"), ("--source", "c.c")):
            done = run(sys.executable, TOOL, "--header", header, "--include", "<x.h>", option,
                       self.path(name))
            self.assertEqual(done.returncode, 0)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.h", "b.h", "c.c"])
        self.assertIn('#include "sample-bodies.h"', self.read("c.c"))

    def test_files_that_cannot_be_read_or_written(self):
        done = self.generate(self.path("none.h"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("none.h: No such file or directory", done.stderr)
        with open(self.path("x.h"), "wb") as file:
            file.write(b"\xff")
        self.assertIn("x.h: not UTF-8", self.generate(self.path("x.h")).stderr)
        done = self.generate(os.path.join(FORMS, "sample.h"), folder=self.path("none"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("none/x-forms.h: No such file or directory", done.stderr)

    def test_outputs_are_replaced_whole(self):
        self.forms_of("")
        os.link(self.path("x-forms.h"), self.path("former"))
        former = self.read("former")
        self.forms_of(f"EDDY_OPERATION (JOB)\nbool f ({END}")
        self.assertEqual(self.read("former"), former)
        self.assertIn("f_async", self.read("x-forms.h"))
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith(".")])
        self.assertTrue(os.stat(self.path("x-forms.h")).st_mode & stat.S_IRUSR)

    def test_bad_header_leaves_former_outputs(self):
        former = self.forms_of("")
        self.assertEqual(self.generate_text("EDDY_OPERATION (JOB)").returncode, 1)
        self.assertEqual((self.read("x-forms.h"), self.read("x-bodies.h"), self.read("x-forms.c")),
                         former)


if __name__ == "__main__":
    tap.main()
