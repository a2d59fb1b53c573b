# SPDX-License-Identifier: MIT
"""For gdb: the fibers of a process or a core that do not run, and their stacks.

    (gdb) source /usr/share/eddy/gdb/eddy.py
    (gdb) eddy-fibers                 all of them: number, name, place, state, what each waits for
    (gdb) eddy-backtrace              the stacks of all
    (gdb) eddy-backtrace 3 7          of these; a fiber's address, as a dump prints it, does as well
    (gdb) eddy-backtrace worker       of those of this name

A fiber that has not yet let others run is in no list, and has no stack or runs. The one that runs is
shown by gdb's own backtrace of its thread.

Nothing of the process is changed, so a core serves as well: an unwinder of our own says that the innermost
frame was called from where the fiber goes on. It needs the library's symbols, but no debug information.
"""

import re

import gdb
from gdb.unwinder import Unwinder

LAYOUT_VERSION = 1
LAYOUT_FIELDS = ["version", "has_flows", "table_member", "table_context", "context_fibers", "fiber_member",
                 "fiber_state", "fiber_name", "fiber_place", "fiber_flow", "fiber_waits_for", "kind_what",
                 "place_file", "place_line", "place_function"]
STATES = ["new", "ready", "running", "parked", "done"]
# The three words of a flow that does not run: stack pointer, place in the code, frame pointer.
REGISTERS = {"i386:x86-64": ("rsp", "rip", "rbp"), "aarch64": ("sp", "pc", "x29")}
NAME_MOST = 200


# --- memory -------------------------------------------------------------------------------------------------

def read_number(address, size):
    memory = gdb.selected_inferior().read_memory(address, size)
    return int.from_bytes(bytes(memory), "little")


def read_pointer(address):
    return read_number(address, 8)


def read_string(address):
    """A program's string, cut where it is long; '?' for what cannot be read."""
    if address == 0:
        return None
    text = b""
    try:
        while len(text) < NAME_MOST:
            byte = bytes(gdb.selected_inferior().read_memory(address + len(text), 1))
            if byte == b"\0":
                break
            text += byte
    except gdb.MemoryError:
        return text.decode("utf-8", "replace") + "?"
    return text.decode("utf-8", "replace")


def find_symbol(name):
    try:
        return int(gdb.parse_and_eval(f"(unsigned long) &{name}"))
    except gdb.error as error:
        raise gdb.GdbError(f"libeddy, or its symbols, are not here: {error}") from None


def read_layout():
    address = find_symbol("eddy__debug_layout")
    if read_number(address, 4) != LAYOUT_VERSION:
        raise gdb.GdbError("this script is of another version of Eddy than the library")
    return {name: read_number(address + 4 * i, 4) for i, name in enumerate(LAYOUT_FIELDS)}


def walk_list(head):
    link = read_pointer(head + 8)
    while link != head:
        yield link
        link = read_pointer(link + 8)


# --- fibers -------------------------------------------------------------------------------------------------

class Fiber:
    def __init__(self, layout, number, context, address):
        self.number = number
        self.context = context
        self.address = address
        state = read_number(address + layout["fiber_state"], 1)
        self.state = STATES[state] if state < len(STATES) else "?"
        self.name = read_string(read_pointer(address + layout["fiber_name"]))
        self.place = "an operation"
        place = read_pointer(address + layout["fiber_place"])
        if place != 0:
            file = read_string(read_pointer(place + layout["place_file"]))
            self.place = f"{file}:{read_number(place + layout['place_line'], 4)}"
            self.name = self.name or read_string(read_pointer(place + layout["place_function"]))
        self.name = self.name or "unnamed"
        self.waits_for = ""
        if self.state == "parked":
            kind = read_pointer(address + layout["fiber_waits_for"])
            self.waits_for = f", waits for {read_string(read_pointer(kind + layout['kind_what']))}"
        flow = address + layout["fiber_flow"]
        self.registers = tuple(read_pointer(flow + 8 * i) for i in range(3))

    def __str__(self):
        return f"{self.number}  '{self.name}' ({self.place}) {self.address:#x}: {self.state}{self.waits_for}"

    def is_meant(self, argument):
        """By its number, its address or its name."""
        return argument in (str(self.number), self.name, hex(self.address))


def find_fibers():
    layout = read_layout()
    if not layout["has_flows"]:
        raise gdb.GdbError("this libeddy was built with -Dswitch=ucontext, whose stacks cannot be read")
    fibers = []
    for table in walk_list(find_symbol("eddy__source_tables")):
        context = read_pointer(table - layout["table_member"] + layout["table_context"])
        if context == 0:
            continue
        for link in walk_list(context + layout["context_fibers"]):
            fibers.append(Fiber(layout, len(fibers) + 1, context, link - layout["fiber_member"]))
    return fibers


# --- stacks -------------------------------------------------------------------------------------------------

class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class FiberUnwinder(Unwinder):
    """While a fiber is shown: it is the caller of the innermost frame."""

    def __init__(self):
        super().__init__("eddy")
        self.fiber = None

    def __call__(self, pending_frame):
        names = REGISTERS.get(pending_frame.architecture().name())
        if self.fiber is None or names is None or pending_frame.level() != 0:
            return None
        current = [pending_frame.read_register(name) for name in names]
        info = pending_frame.create_unwind_info(FrameId(current[0], current[1]))
        for name, register, value in zip(names, current, self.fiber.registers):
            info.add_saved_register(name, gdb.Value(value).cast(register.type))
        return info


UNWINDER = FiberUnwinder()


def read_stack(fiber):
    """gdb's own backtrace, without the frame that was innermost and what is inlined there."""
    UNWINDER.fiber = fiber
    gdb.invalidate_cached_frames()
    try:
        frame = gdb.newest_frame()
        while frame.type() == gdb.INLINE_FRAME:
            frame = frame.older()
        first = frame.level() + 1
        lines = gdb.execute("backtrace", to_string=True).splitlines()
    finally:
        UNWINDER.fiber = None
        gdb.invalidate_cached_frames()
    found = next((i for i, line in enumerate(lines) if line.split()[0] == f"#{first}"), len(lines))
    return "\n".join("  " + re.sub(r"^#(\d+) *", lambda number: f"#{int(number[1]) - first:<3}", line)
                     for line in lines[found:])


# --- commands -----------------------------------------------------------------------------------------------

class EddyFibers(gdb.Command):
    """Lists the fibers of all contexts that do not run: eddy-fibers"""

    def __init__(self):
        super().__init__("eddy-fibers", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        context = None
        for fiber in find_fibers():
            if fiber.context != context:
                context = fiber.context
                print(f"context {context:#x}")
            print(f"  {fiber}")


class EddyBacktrace(gdb.Command):
    """Prints the stacks of fibers that do not run: eddy-backtrace [NUMBER | ADDRESS | NAME]…"""

    def __init__(self):
        super().__init__("eddy-backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = gdb.string_to_argv(argument)
        found = [fiber for fiber in find_fibers()
                 if not wanted or any(fiber.is_meant(word) for word in wanted)]
        if not found:
            raise gdb.GdbError("no such fiber: eddy-fibers lists them" if wanted else "there are no fibers")
        for fiber in found:
            print(fiber)
            if fiber.state in ("parked", "ready"):
                print(read_stack(fiber))


gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)
EddyFibers()
EddyBacktrace()
