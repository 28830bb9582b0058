#!/usr/bin/env python3
"""Makes the C file that holds the page of a take: embed.py page.html page.css SCRIPT... OUTPUT

Style and scripts go into the page at their marks, the scripts in the order given. What is left are
two marks that the program fills in, so the page becomes three pieces.
"""

import pathlib
import sys

TITLE, DATA = "@TITLE@", "@DATA@"


def assemble(page, style, scripts):
    for mark, text in (("@STYLE@", style), ("@SCRIPT@", scripts)):
        before, after = page.split(mark)
        page = before + text + after
    head, rest = page.split(TITLE)
    middle, tail = rest.split(DATA)
    return [head, middle, tail]


def array(number, text):
    raw = text.encode()
    lines = (",".join(map(str, raw[at:at + 32])) for at in range(0, len(raw), 32))
    return f"static const unsigned char piece{number}[] = {{\n" + ",\n".join(lines) + "};\n"


def main(*names):
    *sources, output = names
    page, style, *scripts = (pathlib.Path(name).read_text(encoding="utf-8") for name in sources)
    pieces = assemble(page, style, "".join(scripts))
    code = '#include "report_parts.h"\n'
    code += "".join(array(number, text) for number, text in enumerate(pieces))
    code += "const struct stem_report_piece stem_report_page[3] = {\n"
    code += "".join(f"    {{piece{n}, sizeof piece{n}}},\n" for n in range(3)) + "};\n"
    pathlib.Path(output).write_text(code, encoding="utf-8")


main(*sys.argv[1:])
