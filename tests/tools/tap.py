# SPDX-License-Identifier: MIT
"""unittest that speaks TAP: `tap.main ()` in the place of `unittest.main ()`. Arguments pick tests by name.

A docstring's first line is a test's name, else its method's words. What fails follows in # lines.
"""

import sys
import unittest


def test_title(test):
    test = getattr(test, "test_case", test)
    method = getattr(test, "_testMethodName", str(test))
    return (test.shortDescription() or method.removeprefix("test_").replace("_", " ")).replace("#", "no. ")


class TapResult(unittest.TestResult):
    """One line for each test, when it has ended; a test's failed sub-tests fail it."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.any_failed = False
        self.failed_texts = []
        self.skip_reason = None

    def startTest(self, test):
        super().startTest(test)
        self.failed_texts = []
        self.skip_reason = None

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.failed_texts.append(self._exc_info_to_string(error, test))

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.failed_texts.append(f"{subtest}\n{self._exc_info_to_string(error, test)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skip_reason = reason

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.failed_texts.append("it passed, which was not expected")

    def stopTest(self, test):
        super().stopTest(test)
        self.number += 1
        skip = f" # SKIP {self.skip_reason}" if self.skip_reason and not self.failed_texts else ""
        print(f"{'not ok' if self.failed_texts else 'ok'} {self.number} - {test_title(test)}{skip}")
        for text in self.failed_texts:
            self.any_failed = True
            print("\n".join(f"# {line}" for line in text.splitlines()))
        sys.stdout.flush()


def select(suite, names):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from select(test, names)
        elif not names or any(name in test.id() for name in names):
            yield test


def main():
    loaded = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    suite = unittest.TestSuite(select(loaded, sys.argv[1:]))
    print(f"1..{suite.countTestCases()}", flush=True)
    result = TapResult()
    suite.run(result)
    # A class or module that cannot be set up is an error of no test: it has no line of its own.
    outside = result.errors + result.failures
    for _, text in outside:
        if not result.any_failed:
            print("\n".join(f"# {line}" for line in text.splitlines()), flush=True)
    failed_outside = len(outside) > 0
    sys.exit(1 if result.any_failed or failed_outside else 0)
