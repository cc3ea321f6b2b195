"""The loops of a built library or program, read off its machine code (x86-64 and arm64) by objdump."""

import re
import subprocess

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*([^#<]*)")
JUMP = re.compile(r"j|b$|b\.|cbn?z|tbn?z")
STACK = re.compile(r"\(%r[sb]p\b|\[(sp|x29)\b")


def loops(lines):
    """Yield the instructions of every innermost loop: from a backward jump's target to the jump."""
    code = [(int(m[1], 16), m[2], m[3].strip()) for m in map(LINE.match, lines) if m]
    at = {address: i for i, (address, _, _) in enumerate(code)}
    first_free = 0  # a jump back over a loop that was yielded already closes an outer one
    for i, (address, name, operands) in enumerate(code):
        target = operands.split(",")[-1].strip()
        if not (JUMP.match(name) and re.fullmatch(r"[0-9a-f]+", target)):
            continue
        start = at.get(int(target, 16))
        if start is not None and int(target, 16) < address and first_free <= start:
            first_free = i
            yield code[start : i + 1]


def loops_of_products(path, objdump="objdump"):
    """Return, of each loop with a dozen vector products or more: its address, their count, the operands of the first,
    and whether a vector goes to or comes from the stack."""
    lines = subprocess.run(
        [objdump, "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = []
    for body in loops(lines):
        fused = [operands for _, name, operands in body if re.match(r"vfmadd.*ps|fmla", name)]
        spills = any(
            STACK.search(operands) and (name.startswith("v") or re.match(r"[qv]\d", operands))
            for _, name, operands in body
        )
        if len(fused) >= 12:
            found.append((f"{body[0][0]:x}", len(fused), fused[0], spills))
    return found
