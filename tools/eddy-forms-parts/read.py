# SPDX-License-Identifier: MIT
#
# Reading: text → tokens → operations. A declaration that is not fully understood becomes a problem
# with its line; all problems of a header are collected. A header without any is safe to write for.

import re
from dataclasses import dataclass, field

KINDS = ("PRIMITIVE", "STREAM", "DIRECT", "FIBER", "JOB", "BRIEF")
OPERATION_MACROS = ("EDDY_OPERATION", "EDDY_OPERATION_LOCAL")
MARKS = ("EDDY_BORROWED", "EDDY_COPIED", "EDDY_REF", "EDDY_HOME", "EDDY_OUT", "EDDY_OUT_LEN",
         "EDDY_CALLBACK")

NUMBER_WORDS = {"unsigned", "signed", "short", "long", "int", "char", "float", "double", "_Bool"}
NUMBER_TYPES = {
    "bool", "size_t", "ssize_t", "ptrdiff_t", "intptr_t", "uintptr_t", "intmax_t", "uintmax_t",
    "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
    "off_t", "mode_t", "uid_t", "gid_t", "id_t", "pid_t", "dev_t", "ino_t", "nlink_t", "time_t",
    "clockid_t", "socklen_t", "blksize_t", "blkcnt_t",
}
# Capitalized types that are no objects: referencing one would write into somebody else's memory.
NOT_OBJECTS = {"FILE", "DIR", "EddyOp", "EddyValue", "EddyFormProgress", "EddyClass"}
# What is copied for the forms that outlive the caller: a string, and strings up to a NULL.
COPIED_TYPES = {"const char *": "string", "const char *const *": "strings"}
# How pointers to functions are named.
FUNCTION_NAME = re.compile(r"(Callback|Func|Function|Notify)$")
# What is handed to the body as it came.
INPUT_ROLES = ("number", "string", "strings", "borrowed", "object", "function", "function_data")
FORM_PARAMETERS = {"io_priority", "callback", "user_data", "result", "op"}
C_KEYWORDS = set("""
    auto break case char const continue default do double else enum extern float for goto if inline
    int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while _Bool _Atomic _Complex _Alignas _Noreturn _Thread_local bool
    """.split())
# Forms stand in headers that C++ programs include.
CXX_KEYWORDS = set("""
    alignas alignof and and_eq asm bitand bitor catch class compl concept const_cast constexpr
    decltype delete dynamic_cast explicit export false friend mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public reinterpret_cast requires
    static_assert static_cast template this thread_local throw true try typeid typename using
    virtual wchar_t xor xor_eq
    """.split())

# --- Tokens ---------------------------------------------------------------------------------------

@dataclass
class Token:
    kind: str       # comment, directive, name, number, string, punctuation
    text: str
    line: int


TOKEN_PATTERN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<comment>/\*.*?\*/|//[^\n]*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<punctuation>\.\.\.|[^\s\w\"'])",
    re.DOTALL)
# A directive ends with its line, but a comment that begins in it may go on below.
DIRECTIVE_PATTERN = re.compile(r"#(?:/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|[^\n/]|/(?![*/]))*",
                               re.DOTALL)


class SyntaxProblem(Exception):
    def __init__(self, line, reason):
        super().__init__(reason)
        self.line = line
        self.reason = reason


CONDITIONS = ("if", "ifdef", "ifndef")


def directive_word(token):
    return re.match(r"#\s*(\w*)", token.text)[1] if token.kind == "directive" else None


def join_spliced_lines(text):
    """Removes backslash-newlines; returns the text, and the line of each character."""
    joined, lines, line, index = [], [], 1, 0
    while index < len(text):
        if text.startswith("\\\n", index):
            line += 1
            index += 2
            continue
        joined.append(text[index])
        lines.append(line)
        line += text[index] == "\n"
        index += 1
    lines.append(line)
    return "".join(joined), lines


def tokenize(text):
    text, lines = join_spliced_lines(text.replace("\r\n", "\n"))
    tokens, position, at_line_start = [], 0, True
    while position < len(text):
        if at_line_start and text[position] == "#":
            match, kind = DIRECTIVE_PATTERN.match(text, position), "directive"
        else:
            match = TOKEN_PATTERN.match(text, position)
            kind = match.lastgroup if match else None
        if kind is None or (kind == "punctuation" and text.startswith("/*", position)):
            raise SyntaxProblem(lines[position], "a comment or a string does not end")
        if kind == "space":
            at_line_start = at_line_start or "\n" in match.group()
        else:
            tokens.append(Token(kind, match.group(), lines[position]))
            at_line_start = kind == "comment" and at_line_start
        position = match.end()
        if kind == "directive" and text.startswith("/*", position):
            raise SyntaxProblem(lines[position], "a comment does not end")
    return tokens


# --- What a declaration is ------------------------------------------------------------------------

@dataclass
class Documentation:
    parameters: dict = field(default_factory=dict)      # name → lines
    text: list = field(default_factory=list)            # lines, as they stood
    tags: dict = field(default_factory=dict)            # "Returns" … → lines


@dataclass
class Parameter:
    name: str
    base: str           # "const char", "EddyFile", "size_t"
    stars: str          # "", "*", "**", "*const *"
    # number, string, strings, borrowed, object, out, callback, callback_data, function,
    # function_data, cancellable or error
    role: str
    mark: str
    line: int

    @property
    def type(self):
        return f"{self.base} {self.stars}" if self.stars else f"{self.base} "

    @property
    def is_owned_out(self):
        """An answer that becomes the caller's: a string or an object, beside the one returned."""
        return self.role == "out" and self.stars == "**"

    @property
    def release(self):
        """What gives up an input that is kept, or an output that nobody takes."""
        is_string = self.role in ("string", "strings") or self.base == "char"
        return "eddy_free" if is_string else "eddy_unref"

    def declare(self, with_mark=False):
        return f"{self.type}{self.name}" + (f" {self.mark}" if with_mark and self.mark else "")


@dataclass
class Operation:
    name: str
    kind: str
    local: bool
    line: int
    returns: str            # "bool ", "EddyBytes *": a name can follow
    answer: str             # boolean, integer, object, string, pointer
    parameters: list
    documentation: Documentation

    def having(self, *roles):
        return [parameter for parameter in self.parameters if parameter.role in roles]

    @property
    def inputs(self):
        return self.having(*INPUT_ROLES)

    @property
    def outs(self):
        return self.having("out")

    @property
    def number_outs(self):
        return [out for out in self.outs if not out.is_owned_out]

    @property
    def owned_outs(self):
        return [out for out in self.outs if out.is_owned_out]

    @property
    def clears_arguments(self):
        return bool(self.having("string", "strings", "object") or self.owned_outs)

    @property
    def callback(self):
        return next(iter(self.having("callback")), None)

    @property
    def callback_data(self):
        return next(iter(self.having("callback_data")), None)

    @property
    def source(self):
        first = self.parameters[0]
        return first if first.role == "object" else None

    @property
    def home(self):
        """The parameter in whose context it runs, of those outside a fiber."""
        return next((parameter for parameter in self.parameters
                     if parameter.mark == "EDDY_HOME"), None)

    @property
    def has_future(self):
        return not self.having("borrowed")

    @property
    def has_arguments(self):
        return bool(self.inputs or self.outs or self.callback)

    @property
    def keeps_arguments(self):
        """A request says all that a primitive needs, but for what is owned or handed out at its end."""
        if self.kind == "PRIMITIVE":
            return bool(self.having("string", "strings", "object") or self.outs)
        return self.has_arguments

    @property
    def result_inputs(self):
        """What the _result of a primitive is told again."""
        return self.inputs if self.keeps_arguments else []

    @property
    def arguments_type(self):
        return "".join(part[:1].upper() + part[1:] for part in self.name.split("_")) + "Arguments"

    @property
    def progress_field(self):
        return self.fresh("progress")

    def fresh(self, name):
        """A name for a local variable that no parameter has."""
        while any(parameter.name == name for parameter in self.parameters):
            name = f"form_{name}"
        return name

    def made_names(self):
        suffixes = ["_async", "_finish", "_form", "_form_begin", "_form_clear", "_form_keep"]
        suffixes += ["_future"] if self.has_future else []
        if self.kind == "PRIMITIVE":
            suffixes += ["_prepare", "_result", "_form_prepare", "_form_result"]
        else:
            suffixes += ["_body", "_form_run"]
        if self.kind == "STREAM":
            suffixes += ["_request", "_result", "_form_request", "_form_result"]
        return [self.name] + [self.name + suffix for suffix in suffixes] + [self.arguments_type]


def parse_documentation(comment):
    """Takes a comment apart: @parameter lines, text and tags. Lines stay as they were written."""
    documentation = Documentation()
    into = documentation.text
    for line in comment[3:-2].split("\n"):
        line = re.sub(r"^\s*\*? ?", "", line).rstrip()
        parameter = re.match(r"\s*@(\w+):\s*(.*)", line)
        tag = re.match(r"(Returns|Errors|Thread|Since):\s*(.*)", line)
        if parameter:
            into = documentation.parameters[parameter[1]] = [parameter[2]]
        elif tag:
            into = documentation.tags[tag[1]] = [tag[2]]
        elif not line:
            into = documentation.text
            if into and into[-1]:
                into.append("")
        else:
            into.append(line.strip() if into is not documentation.text else line)
    while documentation.text and not documentation.text[-1]:
        documentation.text.pop()
    while documentation.text and not documentation.text[0]:
        documentation.text.pop(0)
    return documentation


# --- Reading a header -----------------------------------------------------------------------------

class Header:
    """The operations of one header, and every problem found on the way."""

    def __init__(self, path, text):
        self.path = path
        self.problems = []          # (line, text)
        self.operations = []
        self.license = None
        # name → "function", "struct", "pointer" or "number", for those that stand in this header
        self.typedefs = {}
        try:
            self.tokens = tokenize(text)
        except SyntaxProblem as problem:
            self.problems.append((problem.line, problem.reason))
            return
        self.find_license()
        self.find_typedefs()
        self.read()
        self.check_names()

    def problem(self, line, reason, operation=None, parameter=None):
        where = f"operation {operation}: " if operation else ""
        where += f"parameter {parameter}: " if parameter else ""
        self.problems.append((line, where + reason))

    def find_license(self):
        for token in self.tokens[:1]:
            match = re.search(r"SPDX-License-Identifier:\s*([\w.+() -]*[\w.+)])", token.text)
            self.license = match[1] if match and token.kind == "comment" else None

    def find_typedefs(self):
        """Saves the author from some mistakes; what is not seen from here, the compiler checks."""
        tokens = [token for token in self.tokens if token.kind not in ("comment", "directive")]
        for index, token in enumerate(tokens):
            if token.text != "typedef":
                continue
            depth, words = 0, []
            for word in tokens[index + 1:]:
                depth += word.text in ("{", "(", "[")
                if word.text == ";" and depth == 0:
                    break
                words.append(word.text)
                depth -= word.text in ("}", ")", "]")
            pointer = re.search(r"\( ?\* ?(\w+) ?\)", " ".join(words))
            if pointer and words[-1] == ")":
                self.typedefs[pointer[1]] = "function"
            elif words and words[0] in ("struct", "union"):
                self.typedefs[words[-1]] = "pointer" if "*" in words[-2:] else "struct"
            elif words:
                self.typedefs[words[-1]] = "pointer" if words[-2:-1] == ["*"] else "number"

    # Walks the tokens of the file; declarations other than operations are passed over.
    def read(self):
        guard = self.guard_depth()
        index, conditions, braces, previous, comment = 0, 0, [], None, None
        while index < len(self.tokens):
            token = self.tokens[index]
            if token.kind == "comment":
                if token.text.startswith("/**") and len(token.text) > 4:
                    comment = token
                index += 1
                continue
            if token.kind == "directive":
                word = directive_word(token)
                conditions += (word in CONDITIONS) - (word == "endif")
            elif token.text == "{":
                braces.append("extern" if previous is not None and previous.text == '"C"' else "{")
            elif token.text == "}" and braces:
                braces.pop()
            elif token.text in OPERATION_MACROS:
                self.check_place(token, previous, conditions > guard, braces)
                index = self.read_operation(index, comment)
                previous, comment = None, None
                continue
            previous, comment = token, None
            index += 1

    def guard_depth(self):
        """1 when the file is wrapped in the usual #ifndef NAME, #define NAME … #endif."""
        words = [token for token in self.tokens if token.kind != "comment"]
        if len(words) < 3 or {words[0].kind, words[1].kind, words[-1].kind} != {"directive"}:
            return 0
        opened = re.match(r"#\s*ifndef\s+(\w+)", words[0].text)
        defined = re.match(r"#\s*define\s+(\w+)", words[1].text)
        if not opened or not defined or opened[1] != defined[1]:
            return 0
        # The last #endif must be that of the first #ifndef, and nothing of the file an #else to it.
        depth = 0
        for token in words[:-1]:
            word = directive_word(token)
            depth += (word in CONDITIONS) - (word == "endif")
            if depth == 0 or (depth == 1 and word in ("else", "elif")):
                return 0
        return int(depth == 1 and directive_word(words[-1]) == "endif")

    def check_place(self, token, previous, conditional, braces):
        if conditional:
            self.problem(token.line, f"{token.text} stands inside #if: forms cannot be conditional")
        if any(brace != "extern" for brace in braces):
            self.problem(token.line, f"{token.text} stands inside braces")
        if previous is not None and previous.kind in ("name", "string", "number") \
           and not previous.text.endswith("_BEGIN_DECLS"):
            self.problem(token.line,
                         f"{token.text} must begin the declaration, not follow \"{previous.text}\"")

    # Reads from EDDY_OPERATION to the semicolon; returns the index behind it, or where reading can
    # go on.
    def read_operation(self, start, comment):
        macro, tokens, index = self.tokens[start], [], start + 1
        while index < len(self.tokens):
            token = self.tokens[index]
            if token.text in (";", "{", *OPERATION_MACROS) or token.kind == "directive":
                break
            if token.kind != "comment":
                tokens.append(token)
            index += 1
        end = self.tokens[index] if index < len(self.tokens) else None
        kind = None
        if len(tokens) >= 3 and tokens[0].text == "(" and tokens[2].text == ")":
            kind = tokens[1].text
        opening = next((i for i in range(4, len(tokens)) if tokens[i].text == "("), None)
        if kind is None or opening is None or tokens[opening - 1].kind != "name":
            self.problem(macro.line,
                         f"{macro.text} (KIND) must stand before the declaration of a function")
            return index + (end is not None and end.text == ";")
        name = tokens[opening - 1]
        if kind not in KINDS:
            self.problem(macro.line, f"\"{kind}\" is not one of {', '.join(KINDS)}", name.text)
        if end is None or end.text != ";":
            what = f"\"{end.text.splitlines()[0]}\"" if end else "the end of the file"
            self.problem((end or tokens[-1]).line,
                         f"{what} stands before the semicolon of the declaration", name.text)
            return index
        self.build_operation(macro, kind, tokens[3:opening - 1], name, tokens[opening + 1:],
                             comment)
        return index + 1

    def build_operation(self, macro, kind, returns, name, rest, comment):
        before = len(self.problems)
        groups, behind = split_parameters(rest)
        if groups is None or behind:
            what = f"\"{behind[0].text}\" after the parameters is not understood" if behind \
                else "the parentheses do not match"
            self.problem((behind or [name])[0].line, what, name.text)
            return
        answer = self.classify_return(returns, kind, name)
        parameters = []
        if [[token.text for token in group] for group in groups] not in ([], [["void"]]):
            parameters = [self.read_parameter(group, number, name)
                          for number, group in enumerate(groups, 1)]
        documentation = parse_documentation(comment.text) if comment else Documentation()
        if None not in parameters:
            self.check_parameters(name, kind, parameters, documentation)
        if len(self.problems) == before:
            self.operations.append(Operation(
                name.text, kind, macro.text == "EDDY_OPERATION_LOCAL", macro.line, spell(returns),
                answer, parameters, documentation))

    def classify_return(self, tokens, kind, name):
        words = [token.text for token in tokens]
        if words == ["void", "*"] and kind != "PRIMITIVE":
            return "pointer"
        if words == ["bool"]:
            return "boolean"
        if words in (["int"], ["ssize_t"], ["int64_t"]):
            return "integer"
        if words == ["char", "*"]:
            return "string"
        if len(words) == 2 and words[1] == "*" and self.may_be_object(words[0]):
            return "object"
        spelled = spell(tokens).strip() or "nothing"
        self.problem(name.line, f"return type \"{spelled}\" is not one of bool, int, ssize_t, "
                     "int64_t, char *, pointer to an object, and void * where there is a body",
                     name.text)
        return None

    def may_be_object(self, base):
        return bool(re.fullmatch(r"[A-Z]\w*", base)) and base not in NOT_OBJECTS \
            and self.typedefs.get(base, "struct") == "struct"

    def read_parameter(self, tokens, number, operation):
        """Reads one parameter; reports it and returns None when it is not understood."""
        line = tokens[0].line if tokens else operation.line
        words = [token.text for token in tokens]
        marks = []
        while words and words[-1].startswith("EDDY_") and words[-1].isupper():
            marks.insert(0, words.pop())
        name = words[-1] if len(words) > 1 and re.fullmatch(r"[A-Za-z_]\w*", words[-1]) \
            and words[-1] not in C_KEYWORDS else None
        base, stars, reason = parse_type(words[:-1] if name else words)
        if "..." in words:
            reason = "variable arguments have no forms"
        elif not name and not reason:
            reason = "has no name"
        unknown = [mark for mark in marks if mark not in MARKS]
        misplaced = [word for word in words if word in MARKS]
        if unknown or misplaced:
            reason = f"{unknown[0]} is not a mark" if unknown \
                else f"{misplaced[0]} must stand behind the name"
        elif len(marks) > 1:
            reason = f"has two marks, {marks[0]} and {marks[1]}"
        role = None
        if not reason:
            role, reason = self.classify(name, base, stars, marks[0] if marks else "")
        if reason:
            self.problem(line, reason, operation.text, name or number)
            return None
        return Parameter(name, base, stars, role, marks[0] if marks else "", line)

    def classify(self, name, base, stars, mark):
        """Says what a parameter is: its role, or why it cannot have one."""
        whole = f"{base} {stars}".strip()
        if name in FORM_PARAMETERS:
            return None, "has the name of a parameter that the forms add"
        if name in CXX_KEYWORDS:
            return None, "has a name that is a keyword in C++"
        if whole == "EddyCancellable *" or name == "cancellable":
            if mark or whole != "EddyCancellable *" or name != "cancellable":
                return None, "only EddyCancellable *cancellable, unmarked, can be the cancellable"
            return "cancellable", None
        if whole == "EddyError **" or name == "error":
            if mark or whole != "EddyError **" or name != "error":
                return None, "only EddyError **error, unmarked, can be the error"
            return "error", None
        if mark:
            return self.classify_marked(base, stars, mark)
        if not stars:
            is_number = self.may_be_number(base)
            return ("number", None) if is_number else (None, self.why_no_number(base))
        if whole in COPIED_TYPES:
            return COPIED_TYPES[whole], None
        if whole == "void *":
            # check_parameters sees whether it stands behind its callback.
            return "callback_data", None
        if stars == "*" and self.may_be_object(base):
            return "object", None
        return None, f"\"{whole}\" without a mark is not understood: " \
            "is it EDDY_BORROWED or EDDY_OUT?"

    def classify_marked(self, base, stars, mark):
        whole = f"{base} {stars}".strip()
        if mark == "EDDY_BORROWED":
            return ("borrowed", None) if stars else (None, "EDDY_BORROWED is for pointers")
        if mark == "EDDY_COPIED":
            return (COPIED_TYPES[whole], None) if whole in COPIED_TYPES \
                else (None, f"EDDY_COPIED is for {' and '.join(COPIED_TYPES)}")
        if mark in ("EDDY_REF", "EDDY_HOME"):
            is_object = stars == "*" and re.fullmatch(r"[A-Za-z_]\w*", base) and base != "void" \
                and base not in NUMBER_WORDS | NUMBER_TYPES | NOT_OBJECTS \
                and self.typedefs.get(base, "struct") == "struct"
            return ("object", None) if is_object \
                else (None, f"{mark} is for a pointer to an object")
        if mark == "EDDY_CALLBACK":
            if whole == "EddyFileProgressCallback":
                return "callback", None
            return ("function", None) if not stars and FUNCTION_NAME.search(base) \
                else (None, "EDDY_CALLBACK is for a function, such as an EddyFileProgressCallback")
        is_number = stars == "*" and base not in ("char", "void") and self.may_be_number(base)
        is_owned = stars == "**" and (base == "char" or self.may_be_object(base))
        if mark == "EDDY_OUT_LEN" and not is_number:
            return None, f"{mark} is for a pointer to a number, such as size_t *"
        if not is_number and not is_owned:
            return None, f"{mark} is for a pointer to a number, a char * or a pointer to an object"
        return "out", None

    def may_be_number(self, base):
        words = base.split()
        if words[0] == "enum":
            return True
        if set(words) <= NUMBER_WORDS or base in NUMBER_TYPES:
            return True
        return len(words) == 1 and base != "void" and not FUNCTION_NAME.search(base) \
            and self.typedefs.get(base, "number") == "number"

    def why_no_number(self, base):
        if base == "EddyFileProgressCallback":
            return "a callback must be marked EDDY_CALLBACK"
        if self.typedefs.get(base) == "function" or FUNCTION_NAME.search(base):
            return f"\"{base}\" is a function: to be passed it must be marked EDDY_CALLBACK, and " \
                "have a name that says so"
        return f"\"{base}\" by value is not a number"

    def check_parameters(self, name, kind, parameters, documentation):
        def problem(reason, parameter=None):
            self.problem(parameter.line if parameter else name.line, reason, name.text,
                         parameter.name if parameter else None)

        if sum(parameter.role == "cancellable" for parameter in parameters) != 1:
            problem("must have one EddyCancellable *cancellable")
        if not parameters or parameters[-1].role != "error":
            problem("must have EddyError **error as its last parameter")
        seen, callbacks, homes, previous = set(), 0, 0, None
        for parameter in parameters:
            if parameter.name in seen:
                problem("stands twice", parameter)
            seen.add(parameter.name)
            if parameter.mark == "EDDY_HOME":
                homes += 1
                if kind != "FIBER" or homes > 1:
                    problem("EDDY_HOME is for one parameter of a FIBER operation", parameter)
            if parameter.role == "error" and parameter is not parameters[-1]:
                problem("must be the last parameter", parameter)
            is_data = parameter.role == "callback_data"
            follows = previous is not None and previous.role in ("callback", "function")
            if is_data and not follows:
                problem("\"void *\" without a mark is not understood: is it EDDY_BORROWED?",
                        parameter)
            if follows and not is_data:
                problem("must be followed by a void *, its data", previous)
            if is_data and follows and previous.role == "function":
                parameter.role = "function_data"
            if parameter.role == "function" and kind not in ("DIRECT", "FIBER"):
                problem("is called for an answer, which only the body of a DIRECT or FIBER "
                        "operation can do", parameter)
            if parameter.role == "callback":
                callbacks += 1
                if callbacks > 1:
                    problem("is a second callback: an operation has one", parameter)
                if kind == "PRIMITIVE":
                    problem("a PRIMITIVE has no callback: it is one request", parameter)
            previous = parameter
        for word in documentation.parameters:
            if word not in seen:
                self.problem(name.line, "is documented, but not declared", name.text, word)

    def check_names(self):
        """Two operations must not make the same name, as eddy_x and an eddy_x_async would."""
        owners = {}
        for operation in self.operations:
            for made in operation.made_names():
                if made in owners:
                    self.problem(operation.line,
                                 f"{made} is already made by operation {owners[made]}",
                                 operation.name)
                owners.setdefault(made, operation.name)


def split_parameters(tokens):
    """Splits what follows a parenthesis at its commas: the groups, and the tokens behind them."""
    groups, group, depth = [], [], 0
    for index, token in enumerate(tokens):
        if token.text == ")" and depth == 0:
            return groups + [group] if groups or group else [], tokens[index + 1:]
        if token.text == "," and depth == 0:
            groups.append(group)
            group = []
            continue
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        group.append(token)
    return None, []


def spell(tokens):
    """A type as it is written before a name: "bool ", "char *"."""
    text = ""
    for token in tokens:
        text += token.text if token.text == "*" else token.text + " "
    return text


def parse_type(words):
    """Returns base, stars and None; or why these words are no type for an operation."""
    for word in words:
        if word == "(":
            return None, None, "a pointer to a function is not understood: use a typedef"
        if word == "[":
            return None, None, "an array is not understood: write a pointer"
        is_known = re.fullmatch(r"\w+|\*", word)
        if not is_known or word in ("volatile", "restrict", "register", "_Atomic"):
            return None, None, f"\"{word}\" is not understood"
    first_star = words.index("*") if "*" in words else len(words)
    constant = "const" in words[:first_star]
    base = [word for word in words[:first_star] if word != "const"]
    stars = words[first_star:]
    if any(word not in ("*", "const") for word in stars) or not base:
        return None, None, "its type is not understood"
    if (stars and stars[-1] == "const") or (constant and not stars):
        return None, None, "const by value says nothing to a caller: leave it out"
    if base[0] in ("struct", "union", "enum"):
        if len(base) != 2:
            return None, None, "its type is not understood"
        if not stars and base[0] != "enum":
            return None, None, f"\"{' '.join(base)}\" by value is not a number"
    elif len(base) > 1 and not set(base) <= NUMBER_WORDS:
        return None, None, f"\"{' '.join(base)}\" is not understood"
    if len(base) == 1 and base[0] in (C_KEYWORDS - NUMBER_WORDS - {"void", "bool"}):
        return None, None, f"\"{base[0]}\" is not understood"
    if base == ["void"] and not stars:
        return None, None, "has no type"
    spelled = re.sub(r"\bconst\b(?=.)", "const ", "".join(stars))
    return ("const " if constant else "") + " ".join(base), spelled, None
