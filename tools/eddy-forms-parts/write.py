# SPDX-License-Identifier: MIT
#
# Writing: operations → three C files. Everything was checked when it was read. A writer returns
# lines; they are what a careful author would write by hand, since people read and debug them.

import re
import textwrap

from read import INPUT_ROLES, NUMBER_TYPES, NUMBER_WORDS, Parameter

COLUMNS = 100

FAILURES = {"boolean": "false", "integer": "-1", "object": "NULL", "string": "NULL",
            "pointer": "NULL"}
VALUE_KINDS = {"boolean": "EDDY_VALUE_BOOLEAN", "integer": "EDDY_VALUE_INT",
               "object": "EDDY_VALUE_OBJECT", "string": "EDDY_VALUE_POINTER",
               "pointer": "EDDY_VALUE_POINTER"}


# --- Laying out C ---------------------------------------------------------------------------------

def lay_out(head, items, tail, indent=0):
    """A head, a list and a tail on as few lines as fit, as clang-format would lay them out."""
    lines = lay_out_list(head, items, tail, indent)
    if len(lines) > 1 and " = " in head:
        target, call = head.split(" = ")
        broken = [f"{' ' * indent}{target} ="] + lay_out_list(call, items, tail, indent + 4)
        lines = min(broken, lines, key=len)
    return lines


def lay_out_list(head, items, tail, indent):
    """The same without a break after "="; aligned under the first item unless that is too narrow."""
    margin = " " * indent
    whole = f"{margin}{head}{', '.join(items)}{tail}"
    if len(whole) <= COLUMNS or not items:
        return [whole]
    column = indent + len(head)
    aligned = lay_out_items(f"{margin}{head}", items, tail, column)
    hanging = [f"{margin}{head}".rstrip()]
    hanging += lay_out_items(" " * (indent + 4), items, tail, indent + 4)
    is_narrow = any(column + len(item) + max(1, len(tail)) > COLUMNS for item in items)
    return hanging if is_narrow or len(hanging) + 2 < len(aligned) else aligned


def lay_out_items(line, items, tail, column):
    lines, is_first = [], True
    for number, item in enumerate(items, 1):
        piece = item + ("," if number < len(items) else tail)
        if not is_first and len(line) + 1 + len(piece) > COLUMNS:
            lines.append(line)
            line, is_first = " " * column, True
        line += piece if is_first else " " + piece
        is_first = False
    return lines + [line]


def comment_lines(paragraphs):
    """A documentation comment of lines that stay as they are; an empty one parts paragraphs."""
    return ["/**"] + [f" * {line}".rstrip() for line in paragraphs] + [" */"]


def plain_comment(text):
    lines = textwrap.wrap(text, COLUMNS - 6, break_long_words=False, break_on_hyphens=False)
    return [("/* " if number == 0 else " * ") + line + (" */" if number == len(lines) - 1 else "")
            for number, line in enumerate(lines)]


def fill(text, continuation=""):
    return textwrap.wrap(text, COLUMNS - 3, subsequent_indent=continuation,
                         break_long_words=False, break_on_hyphens=False)


def license_lines(header):
    return [f"/* SPDX-License-Identifier: {header.license} */"] if header.license else []


def include_words(include):
    return re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"\.\w+$", "", include[1:-1])).strip("_").upper()


def guarded(header, include, suffix, about, includes, body):
    guard = f"{include_words(include)}_{suffix}"
    guard = f"H_{guard}" if guard[0].isdigit() else guard
    lines = license_lines(header)
    lines += plain_comment(" ".join(about))
    lines += ["", f"#ifndef {guard}", f"#define {guard}", ""]
    lines += [f"#include {name}" for name in includes] + ["", "EDDY_BEGIN_DECLS", ""]
    lines += body
    lines += ["EDDY_END_DECLS", "", f"#endif /* {guard} */"]
    return "\n".join(lines) + "\n"


# --- The forms' parameters ------------------------------------------------------------------------

def form_parameters(operation, write):
    """What _async and _future share: no outputs, no error, the priority before the cancellable."""
    written = []
    for parameter in operation.parameters:
        if parameter.role == "cancellable":
            written.append(write(Parameter("io_priority", "int", "", "number", "", operation.line)))
        if parameter.role not in ("out", "error"):
            written.append(write(parameter))
    return written


def declare(parameter):
    return parameter.declare()


def declare_marked(parameter):
    return parameter.declare(with_mark=parameter.role in ("borrowed", "out"))


def name_of(parameter):
    return parameter.name


# With the end ";" these write a declaration, with "" the first lines of the definition.
def declare_async(operation, end):
    parameters = form_parameters(operation, declare_marked if end else declare)
    return lay_out(f"{export(operation, end)}void {operation.name}_async (",
                   parameters + ["EddyAsyncReadyCallback callback", "void *user_data"], ")" + end)


def declare_finish(operation, end):
    parameters = [operation.source.declare()] if operation.source else []
    parameters += ["EddyAsyncResult *result"]
    parameters += [(declare_marked if end else declare)(out) for out in operation.outs]
    return lay_out(f"{export(operation, end)}{operation.returns}{operation.name}_finish (",
                   parameters + ["EddyError **error"], ")" + end)


def declare_future(operation, end):
    must_use = "EDDY_MUST_USE " if end else ""
    return lay_out(f"{export(operation, end)}{must_use}EddyFuture *{operation.name}_future (",
                   form_parameters(operation, declare), ")" + end)


def export(operation, end):
    return "EDDY_API " if end and not operation.local else ""


# --- Documentation of the forms -------------------------------------------------------------------

RUNS = {
    "PRIMITIVE": "It is one request to the engine: no thread and no stack waits for it.",
    "STREAM": "Where the answer is there already, or one request to the engine gets it, that is all; "
              "else a fiber of this thread's context does the work.",
    "DIRECT": "The work is done by a fiber of this thread's context.",
    "FIBER": "The work is done by a fiber of this thread's context.",
    "JOB": "The work is done on a worker thread, in one piece.",
    "BRIEF": "The work is done on a worker thread, in one piece; or by this thread's loop, when that has nothing "
             "else to wait for.",
}
DEFAULT_CANCELLABLE = "ends the operation early when it is cancelled, or NULL"
CONTINUATION = "    "
PRIORITY = "how urgent the operation is among others that wait; 0 is usual, less is sooner"


def parameter_docs(operation, names, own):
    """@name lines in the order of names: of the form's own, else of the operation's comment."""
    lines = []
    for name in names:
        text = operation.documentation.parameters.get(name)
        if name in own:
            text = fill(f"@{name}: {own[name]}", CONTINUATION)
        elif text:
            text = [f"@{name}: {text[0]}"] + text[1:]
        elif name == "cancellable":
            text = [f"@{name}: {DEFAULT_CANCELLABLE}"]
        for number, line in enumerate(text or []):
            lines.append(line if number == 0 else CONTINUATION + line.strip())
    return lines


def tag_docs(operation, tag, default=None):
    text = operation.documentation.tags.get(tag)
    if text:
        return [f"{tag}: {text[0]}"] + [CONTINUATION + line for line in text[1:]]
    return fill(f"{tag}: {default}", CONTINUATION) if default else []


def listed(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def own_text(operation):
    return operation.documentation.text + [""] if operation.documentation.text else []


def ownership(operation, until):
    """Who keeps what while the operation is under way."""
    def at(parameters):
        return [f"@{parameter.name}" for parameter in parameters]

    sentences = []
    strings, objects = at(operation.having("string", "strings")), at(operation.having("object"))
    borrowed = at(operation.having("borrowed"))
    if strings:
        verb = "is" if len(strings) == 1 else "are"
        sentences.append(f"{listed(strings)} {verb} copied.")
    kept = objects + ["@cancellable"]
    verb = "is" if len(kept) == 1 else "are"
    sentences.append(f"{listed(kept)} {verb} referenced until the operation has completed.")
    if borrowed:
        verb = "stays" if len(borrowed) == 1 else "stay"
        sentences.append(f"{listed(borrowed)} {verb} the caller's and must live, untouched, "
                         f"until {until}; cancelling does not shorten that.")
    if operation.callback:
        name = operation.callback.name
        sentences.append(f"@{name} runs in the same context, and never after {until}.")
    for function in operation.having("function"):
        sentences.append(f"@{function.name} is called on the operation's fiber, in the same context, "
                         f"and never after {until}.")
    return fill(" ".join(sentences)) + [""]


def document(text, parameters, tags):
    return comment_lines(text + parameters + [""] + tags)


def document_async(operation):
    own = {
        "io_priority": PRIORITY,
        "callback": "runs once when the operation has completed, from the loop of the context that "
                    "is this thread's default now, never inside this call; NULL when nobody asks "
                    "for the answer",
        "user_data": "passed to @callback",
    }
    text = fill(f"Starts {operation.name}() and returns at once. @callback takes the answer with "
                f"{operation.name}_finish(). {RUNS[operation.kind]}") + [""]
    text += own_text(operation) + ownership(operation, "@callback has begun to run")
    names = form_parameters(operation, name_of) + ["callback", "user_data"]
    tags = fill(f"Errors: none here; each comes out of {operation.name}_finish(), also that of an "
                "operation cancelled before it began.", CONTINUATION)
    tags += tag_docs(operation, "Thread") + tag_docs(operation, "Since")
    return document(text, parameter_docs(operation, names, own), tags)


FINISH_RETURNS = {
    "boolean": "true, or false on failure",
    "integer": "the number, or -1 on failure",
    "object": "(owned) the object, or NULL on failure",
    "string": "(owned) the string, or NULL on failure",
    "pointer": "the pointer, which may be NULL; NULL on failure",
}


def document_finish(operation):
    own = {"result": "what the callback was given", "error": "where to put the error, or NULL"}
    for out in operation.outs:
        if out.name not in operation.documentation.parameters:
            what = "answer, on success" if out.is_owned_out else "number"
            own[out.name] = f"where to put this {what}, or NULL"
    text = f"Takes the answer of {operation.name}_async(), once, in its callback or later."
    if operation.answer in ("object", "string"):
        release = "eddy_unref()" if operation.answer == "object" else "eddy_free()"
        text += f" What it returns is the caller's, to be given up with {release}."
    if operation.number_outs:
        verb = "is" if len(operation.number_outs) == 1 else "are"
        outs = listed([f"@{out.name}" for out in operation.number_outs])
        text += f" {outs} {verb} written also on failure."
    for out in operation.owned_outs:
        text += f" What is put into @{out.name} is the caller's, to be given up with {out.release}()."
    names = [operation.source.name] if operation.source else []
    names += ["result"] + [out.name for out in operation.outs] + ["error"]
    tags = tag_docs(operation, "Returns", FINISH_RETURNS[operation.answer])
    tags += tag_docs(operation, "Errors", f"those of {operation.name}()")
    tags += ["Thread: that of the context in which the callback runs"]
    tags += tag_docs(operation, "Since")
    return document(fill(text) + [""], parameter_docs(operation, names, own), tags)


FUTURE_VALUES = {
    "boolean": "Its value is the boolean true.",
    "integer": "Its value is the number.",
    "object": "Its value is the object; each who takes it gets a reference.",
    "string": "Its value is the string; the first who takes it frees it with eddy_free().",
    "pointer": "Its value is the pointer, for the first who takes it.",
}


def document_future(operation):
    text = fill(f"Starts {operation.name}() and returns at once, with a future of the answer. "
                f"{FUTURE_VALUES[operation.answer]} {RUNS[operation.kind]} A future that is given "
                "up while it is pending asks the operation to cancel, and the answer goes unseen.")
    text += [""] + own_text(operation) + ownership(operation, "the future has completed")
    if operation.outs:
        outs = listed([out.name for out in operation.outs])
        text += fill(f"A future has one value: for {outs}, use another form.") + [""]
    parameters = parameter_docs(operation, form_parameters(operation, name_of),
                                {"io_priority": PRIORITY})
    tags = ["Returns: (owned) the future"]
    tags += tag_docs(operation, "Errors", f"those of {operation.name}(), as the future's error")
    tags += tag_docs(operation, "Thread") + tag_docs(operation, "Since")
    return document(text, parameters, tags)


def write_forms(header, include):
    body = []
    for operation in header.operations:
        body += document_async(operation) + declare_async(operation, ";") + [""]
        body += document_finish(operation) + declare_finish(operation, ";") + [""]
        if operation.has_future:
            body += document_future(operation) + declare_future(operation, ";") + [""]
    about = [f"The callback and future forms of the operations of {include}.",
             "Written by eddy-forms from that header, which includes this one: change it there."]
    return guarded(header, include, "FORMS_H", about, [include], body)


# --- What the author writes -----------------------------------------------------------------------

BODIES = {
    "STREAM": "Runs in a fiber, or in a plain thread that called it, and may wait.",
    "DIRECT": "Runs in a fiber, or in a plain thread that called it, and may wait.",
    "FIBER": "Always runs on a fiber, and may wait.",
    "JOB": "Runs where it may block: on a worker thread, or in a plain thread that called it.",
    "BRIEF": "Runs where it may block for a moment: on a worker thread, in a plain thread that called it, or in a "
             "loop that has nothing else to wait for.",
}


def prepare_parameters(operation):
    return ["EddyOp *op"] + [parameter.declare() for parameter in operation.inputs]


def result_parameters(operation):
    passed = operation.result_inputs + operation.outs
    return ["const EddyOp *op"] + [declare(p) for p in passed] + ["EddyError **error"]


def for_body(operation, spell_parameter, destroy):
    """The parameters of a body: those of the operation, and behind its inputs, right before the
    cancellable, where a body that returns a pointer says how to give it up."""
    spelled = []
    for parameter in operation.parameters:
        if parameter.role == "cancellable" and operation.answer == "pointer":
            spelled.append(destroy)
        spelled.append(spell_parameter(parameter))
    return spelled


def write_bodies(header, include):
    body = []
    for operation in header.operations:
        name, returns = operation.name, operation.returns
        if operation.kind == "PRIMITIVE":
            body += plain_comment(f"Makes the one request of {name}(). Cannot fail.")
            body += lay_out(f"void {name}_prepare (", prepare_parameters(operation), ");") + [""]
            body += plain_comment(f"Turns the completed request into the answer of {name}().")
            body += lay_out(f"{returns}{name}_result (", result_parameters(operation), ");") + [""]
        else:
            destroy = "void (**{}) (void *pointer)".format(operation.fresh("destroy"))
            about = ""
            if operation.answer in ("object", "string"):
                about = " NULL without an error is an answer."
            elif operation.answer == "pointer":
                about = f" NULL without an error is an answer. *{operation.fresh('destroy')} is NULL, " \
                    "or how to give the pointer up when nobody takes it."
            body += plain_comment(f"The one body of {name}(). {BODIES[operation.kind]}{about}")
            body += lay_out(f"{returns}{name}_body (", for_body(operation, declare, destroy),
                            ");") + [""]
        if operation.kind == "STREAM":
            body += plain_comment(f"Begins the one request of {name}(); false with an error: it cannot be now; "
                                  "false without: there is none, the body does it.")
            body += lay_out(f"bool {name}_request (",
                            prepare_parameters(operation) + ["EddyError **error"], ");") + [""]
            body += plain_comment(f"Turns the ended request into the answer of {name}(), also one that was "
                                  "cancelled or could not begin.")
            body += lay_out(f"{returns}{name}_result (", result_parameters(operation), ");") + [""]
    about = [f"What is written by hand for the operations of {include}; their forms call it.",
             "Written by eddy-forms from that header: change it there."]
    return guarded(header, include, "BODIES_H", about, [include, "<eddy/forms.h>"], body)


# --- The forms themselves -------------------------------------------------------------------------

def write_struct(operation):
    if not operation.has_arguments:
        return []
    lines = ["typedef struct {"]
    for parameter in operation.parameters:
        if parameter.role in INPUT_ROLES:
            lines.append(f"    {parameter.declare()};")
        elif parameter.is_owned_out:
            lines.append(f"    {parameter.base} *{parameter.name};")
        elif parameter.role == "out":
            lines.append(f"    {parameter.base} {parameter.name};")
        elif parameter.role == "callback":
            lines.append(f"    EddyFormProgress {operation.progress_field};")
    return lines + [f"}} {operation.arguments_type};", ""]


def write_number_checks(header):
    """Whether a typedef is a number, only the compiler knows: a double converts to nothing else."""
    bases = []
    for operation in header.operations:
        for parameter in operation.having("number") + operation.number_outs:
            words = parameter.base.split()
            known = set(words) <= NUMBER_WORDS or parameter.base in NUMBER_TYPES
            if not known and parameter.base not in bases:
                bases.append(parameter.base)
    if not bases:
        return []
    lines = plain_comment("Arguments are kept by copying them, which is right for numbers only: "
                          "these lines do not compile for a structure or a pointer behind a "
                          "typedef.")
    return lines + [f"_Static_assert (sizeof (({base}) 0.0) > 0, \"{base} is a number\");"
                    for base in bases] + [""]


def take_arguments(operation):
    if operation.has_arguments:
        return [f"    {operation.arguments_type} *arguments = data;"]
    return ["    (void) data;"]


def stored(operation, parameter):
    """How the arguments hand one parameter to the body."""
    progress = f"arguments->{operation.progress_field}"
    return {
        "out": f"&arguments->{parameter.name}",
        "callback": f"{progress}.callback != NULL ? eddy_form_progress : NULL",
        "callback_data": f"{progress}.callback != NULL ? &{progress} : NULL",
        "cancellable": "cancellable",
        "error": "error",
    }.get(parameter.role, f"arguments->{parameter.name}")


def set_value(operation):
    return {
        "boolean": ["    if (answer)", "        eddy_value_set_boolean (value, answer);"],
        "integer": ["    if (answer != -1 || *error == NULL)",
                    "        eddy_value_set_int (value, answer);"],
        "object": ["    if (answer != NULL || *error == NULL)",
                   "        eddy_value_take_object (value, answer);"],
        "string": ["    if (answer != NULL || *error == NULL)",
                   "        eddy_value_take_pointer (value, answer, eddy_free);"],
        "pointer": ["    if (*error == NULL)",
                    "        eddy_value_take_pointer (value, answer, destroy);"],
    }[operation.answer]


def write_run(operation):
    name = operation.name
    lines = lay_out(f"static void {name}_form_run (",
                    ["void *data", "EddyCancellable *cancellable", "EddyValue *value",
                     "EddyError **error"], ")")
    lines += ["{"] + take_arguments(operation)
    if operation.answer == "pointer":
        lines.append("    void (*destroy) (void *pointer) = NULL;")
    passed = for_body(operation, lambda parameter: stored(operation, parameter), "&destroy")
    lines += lay_out(f"{operation.returns}answer = {name}_body (", passed, ");", 4)
    return lines + set_value(operation) + ["}", ""]


def write_prepare(operation):
    lines = [f"static void {operation.name}_form_prepare (void *data, EddyOp *op)", "{"]
    lines += take_arguments(operation) if operation.inputs else ["    (void) data;"]
    passed = ["op"] + [stored(operation, parameter) for parameter in operation.inputs]
    return lines + lay_out(f"{operation.name}_prepare (", passed, ");", 4) + ["}", ""]


def write_request(operation):
    lines = [f"static bool {operation.name}_form_request (void *data, EddyOp *op, EddyError **error)",
             "{"]
    lines += take_arguments(operation)
    passed = ["op"] + [stored(operation, parameter) for parameter in operation.inputs] + ["error"]
    return lines + lay_out(f"return {operation.name}_request (", passed, ");", 4) + ["}", ""]


def write_result(operation):
    name = operation.name
    lines = lay_out(f"static void {name}_form_result (",
                    ["void *data", "const EddyOp *op", "EddyValue *value", "EddyError **error"],
                    ")")
    lines += ["{"] + (take_arguments(operation) if operation.keeps_arguments else ["    (void) data;"])
    passed = ["op"] + [stored(operation, p) for p in operation.result_inputs + operation.outs] + ["error"]
    lines += lay_out(f"{operation.returns}answer = {name}_result (", passed, ");", 4)
    return lines + set_value(operation) + ["}", ""]


def write_clear(operation):
    if not operation.clears_arguments:
        return []
    lines = [f"static void {operation.name}_form_clear (void *data)", "{"]
    lines += take_arguments(operation)
    for parameter in operation.parameters:
        if parameter.role in ("string", "strings", "object") or parameter.is_owned_out:
            cast = "(void *) " if parameter.role in ("string", "strings") else ""
            lines.append(f"    {parameter.release} ({cast}arguments->{parameter.name});")
    return lines + ["}", ""]


def write_keep(operation):
    copies = operation.having("string", "strings")
    owned = operation.having("string", "strings", "object")
    if not owned:
        return []
    lines = [f"static bool {operation.name}_form_keep (void *data)", "{"]
    lines += take_arguments(operation)
    lines += ["    bool kept = true;"] if copies else []
    for parameter in owned:
        place = f"arguments->{parameter.name}"
        if parameter.role in ("string", "strings"):
            keep = f"{place} = eddy_form_keep_{parameter.role} ("
            lines += lay_out(keep, [place, "&kept"], ");", 4)
        else:
            lines.append(f"    eddy_ref ({place});")
    if copies:
        lines += ["    if (!kept)", f"        {operation.name}_form_clear (data);", "    return kept;"]
    else:
        lines.append("    return true;")
    return lines + ["}", ""]


def write_get_context(operation):
    home = operation.home
    if home is None:
        return []
    get_context = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", home.base).lower() + "_get_context"
    lines = [f"static EddyContext *{operation.name}_form_get_context (const void *data)", "{",
             f"    const {operation.arguments_type} *arguments = data;",
             f"    return {get_context} (arguments->{home.name});", "}", ""]
    return lines


def write_form(operation):
    name, arguments = operation.name, operation.arguments_type
    size = f"sizeof ({arguments})" if operation.has_arguments else "0"
    lines = [f"static const EddyForm {name}_form = {{",
             f"    .name = \"{name}\",",
             f"    .kind = EDDY_FORM_{operation.kind},",
             f"    .value_kind = {VALUE_KINDS[operation.answer]},",
             f"    .arguments_size = {size},",
             f"    .keeps_arguments = {'true' if operation.keeps_arguments else 'false'},"]
    if operation.callback:
        lines.append(f"    .progress_offset = offsetof ({arguments}, {operation.progress_field}),")
    else:
        lines.append("    .progress_offset = SIZE_MAX,")
    if operation.kind == "PRIMITIVE":
        lines += [f"    .prepare = {name}_form_prepare,", f"    .result = {name}_form_result,"]
    else:
        lines.append(f"    .run = {name}_form_run,")
    if operation.kind == "STREAM":
        lines += [f"    .request = {name}_form_request,", f"    .result = {name}_form_result,"]
    if operation.home:
        lines.append(f"    .get_context = {name}_form_get_context,")
    if operation.having("string", "strings", "object"):
        lines.append(f"    .keep = {name}_form_keep,")
    if operation.clears_arguments:
        lines.append(f"    .clear = {name}_form_clear,")
    return lines + ["};", ""]


def return_value(operation, value):
    member = {"boolean": "boolean", "integer": "integer"}.get(operation.answer, "pointer")
    cast = f"({operation.returns.strip()}) " if operation.returns in ("int ", "ssize_t ") else ""
    return f"    return {cast}{value}.as.{member};"


def write_call(operation):
    """The operation itself: in place where its body may run, else the caller waits for it."""
    name = operation.name
    arguments, value, done = (operation.fresh(word) for word in ("arguments", "value", "done"))
    parameters = [declare(parameter) for parameter in operation.parameters]
    lines = lay_out(f"{operation.returns}{name} (", parameters, ")") + ["{"]
    if operation.kind != "PRIMITIVE":
        # With a cancellable the library calls the body: it is current meanwhile.
        destroy = operation.fresh("destroy")
        if operation.answer == "pointer":
            lines.append(f"    void (*{destroy}) (void *pointer) = NULL;")
        condition = "cancellable == NULL"
        if operation.kind not in ("STREAM", "DIRECT"):  # whose bodies run anywhere
            condition += f" && eddy_form_in_place (EDDY_FORM_{operation.kind})"
        lines.append(f"    if ({condition})")
        names = for_body(operation, name_of, f"&{destroy}")
        lines += lay_out(f"return {name}_body (", names, ");", 8) + [""]
    if operation.has_arguments:
        lines += initialize_arguments(operation, arguments)
    lines.append(f"    EddyValue {value} = EDDY_VALUE_INIT;")
    passed = [f"&{name}_form", f"&{arguments}" if operation.has_arguments else "NULL",
              "cancellable", f"&{value}", "error"]
    if operation.outs:
        lines += lay_out(f"bool {done} = eddy_form_call (", passed, ");", 4)
        for out in operation.outs:
            wanted = f"{done} && {out.name}" if out.is_owned_out else out.name
            lines += [f"    if ({wanted} != NULL)",
                      f"        *{out.name} = {arguments}.{out.name};"]
            if out.is_owned_out:
                lines += ["    else", f"        {out.release} ({arguments}.{out.name});"]
        lines.append(f"    if (!{done})")
    else:
        lines += lay_out("if (!eddy_form_call (", passed, "))", 4)
    lines.append(f"        return {FAILURES[operation.answer]};")
    return lines + [return_value(operation, value), "}", ""]


def initialize_arguments(operation, arguments):
    """Nothing is copied or referenced here: a caller who waits keeps alive what it passed, and the
    other forms make the arguments own it."""
    lines = []
    for parameter in operation.parameters:
        if parameter.role in INPUT_ROLES:
            lines.append(f"        .{parameter.name} = {parameter.name},")
        elif parameter.role == "out":
            nothing = "NULL" if parameter.is_owned_out else "0"
            lines.append(f"        .{parameter.name} = {nothing},")
        elif parameter.role == "callback":
            lines += [f"        .{operation.progress_field} = {{",
                      f"            .callback = {parameter.name},",
                      f"            .callback_data = {operation.callback_data.name},",
                      "        },"]
    return [f"    {operation.arguments_type} {arguments} = {{"] + lines + ["    };"]


def write_begin(operation):
    """What _async and _future share: the future, with arguments that outlive the caller."""
    name, arguments = operation.name, operation.fresh("arguments")
    lines = lay_out(f"static EddyFuture *{name}_form_begin (",
                    form_parameters(operation, declare), ")") + ["{"]
    if operation.has_arguments:
        lines += initialize_arguments(operation, arguments)
    source = operation.source.name if operation.source else "NULL"
    passed = [f"&{name}_form", source, f"&{arguments}" if operation.has_arguments else "NULL",
              "io_priority", "cancellable"]
    return lines + lay_out("return eddy_form_begin (", passed, ");", 4) + ["}", ""]


def write_async(operation):
    name, future = operation.name, operation.fresh("future")
    lines = declare_async(operation, "") + ["{"]
    lines += lay_out(f"EddyFuture *{future} = {name}_form_begin (",
                     form_parameters(operation, name_of), ");", 4)
    return lines + [f"    eddy_form_start_async ({future}, callback, user_data);", "}", ""]


def write_finish(operation):
    name = operation.name
    arguments, value, done = (operation.fresh(word) for word in ("arguments", "value", "done"))
    source = operation.source.name if operation.source else "NULL"
    lines = declare_finish(operation, "") + ["{", f"    EddyValue {value} = EDDY_VALUE_INIT;"]
    passed = [f"&{name}_form", source, "result", f"&{value}", "error"]
    if operation.outs:
        lines += lay_out(f"bool {done} = eddy_form_finish (", passed, ");", 4)
        constant = "" if operation.owned_outs else "const "
        head = f"{constant}{operation.arguments_type} *{arguments} = eddy_form_finish_arguments ("
        lines += lay_out(head, [f"&{name}_form", "result"], ");", 4)
        for out in operation.owned_outs:
            lines += [f"    if ({done} && {arguments} != NULL && {out.name} != NULL) {{",
                      f"        *{out.name} = {arguments}->{out.name};",
                      f"        {arguments}->{out.name} = NULL;", "    }"]
        for out in operation.number_outs:
            lines += [f"    if ({out.name} != NULL)",
                      f"        *{out.name} = {arguments} != NULL ? {arguments}->{out.name} : 0;"]
        lines.append(f"    if (!{done})")
    else:
        lines += lay_out("if (!eddy_form_finish (", passed, "))", 4)
    lines.append(f"        return {FAILURES[operation.answer]};")
    return lines + [return_value(operation, value), "}", ""]


def write_future(operation):
    if not operation.has_future:
        return []
    lines = declare_future(operation, "") + ["{"]
    begin = lay_out(f"return eddy_form_start ({operation.name}_form_begin (",
                    form_parameters(operation, name_of), "));", 4)
    return lines + begin + ["}", ""]


def write_source(header, include, bodies):
    lines = license_lines(header)
    about = f"The forms of the operations of {include}."
    lines += plain_comment(f"{about} Written by eddy-forms from that header: change it there.")
    lines.append("")
    lines += [f"#include {include}", "", "#include <stddef.h>", "#include <stdint.h>", "",
              "#include <eddy/forms.h>", "#include <eddy/object.h>", f"#include \"{bodies}\"", ""]
    lines += write_number_checks(header)
    for operation in header.operations:
        lines += [f"/* {operation.name} */", ""] + write_struct(operation)
        if operation.kind == "PRIMITIVE":
            lines += write_prepare(operation) + write_result(operation)
        else:
            lines += write_run(operation)
        if operation.kind == "STREAM":
            lines += write_request(operation) + write_result(operation)
        lines += write_clear(operation) + write_keep(operation) + write_get_context(operation)
        lines += write_form(operation)
        lines += write_call(operation) + write_begin(operation)
        lines += write_async(operation) + write_finish(operation) + write_future(operation)
    return "\n".join(lines).rstrip("\n") + "\n"
