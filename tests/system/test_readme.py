"""README.md and doc/ say what is: what they name exists, and what exists is named."""

import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree

import pytest

from studio import STEMCTL, STEMD

SOURCE = pathlib.Path(__file__).resolve().parents[2]
README = SOURCE / "README.md"
PAGES = [README] + sorted((SOURCE / "doc").glob("*.md"))

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# An address of ours: the first word tells it from paths of files.
ADDRESS = re.compile(r"(?<![\w.~/])/(?:record|marker|take/|stem/|status|stems|takes|version|ping|"
                     r"subscribe|state|gap|warning|health|finish|meter|residual|reply|error)"
                     r"[a-zA-Z/]*(?![\w./-])")
# What anybody may call a stem.
NAMES = re.compile(r"^/stem/[A-Za-z]+/mute$")


def page_id(page):
    return str(page.relative_to(SOURCE))


def run(*words, **environment):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **environment))


def code(text):
    """What stands in back quotes or in blocks."""
    blocks = "\n".join(body for _, body in BLOCK.findall(text))
    rest = BLOCK.sub("", text)
    return blocks + "\n" + "\n".join(span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", rest))


def all_code():
    return "\n".join(code(page.read_text()) for page in PAGES)


def helps(program, *words):
    return run(program, *words, "--help").stdout


def commands():
    return re.findall(r"^  ([a-z]+)\b", helps(STEMCTL).partition("Commands:")[2], re.MULTILINE)


def options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][-a-z]+", text))


def headings(page):
    """The anchors of a page, as the usual sites make them."""
    text = BLOCK.sub("", page.read_text())
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_readme_links_lead_somewhere(page):
    broken = []
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if re.match(r"https?:", link):
            continue
        if not target.exists() or anchor and anchor not in headings(target):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_readme_names_files_that_exist(page):
    """Paths from the top of the source, whose first part is one of its folders."""
    folders = "|".join(("client", "conf", "daemon", "demo", "doc", "lib", "systemd", "tests"))
    paths = re.findall(rf"(?<![\w./~-])((?:{folders})/[\w./*-]*)", code(page.read_text()))
    assert [path for path in paths if not list(SOURCE.glob(path))
            and not path.startswith("doc/stemd")] == []


def test_readme_names_tests_that_exist():
    """The fault table says by what it is tested."""
    named = set(re.findall(r"`(test_\w+\.py)`", (SOURCE / "doc/faults.md").read_text()))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (SOURCE / "tests/system" / name).exists()] == []


def test_readme_names_all_commands_of_stemctl():
    text = all_code()
    assert len(commands()) > 10
    assert [name for name in commands() if not re.search(rf"stemctl {name}\b", text)] == []


def test_readme_names_no_other_commands_of_stemctl():
    used = set(re.findall(r"(?<![\w/.-])stemctl ([a-z]+)", all_code()))
    assert sorted(used - set(commands())) == []


def test_readme_names_all_options_of_stemctl():
    text = all_code()
    known = set().union(*(options(helps(STEMCTL, name)) for name in commands()))
    assert {"--at", "--json", "--progress-fd"} <= known
    assert sorted(known - options(text)) == []


def test_readme_gives_commands_their_own_options():
    """Options that stand behind a command on the same line or in the same quotes."""
    wrong = []
    for name, rest in re.findall(r"(?<![\w/.-])stemctl ([a-z]+)([^|\n#&$()]*)", all_code()):
        known = options(helps(STEMCTL, name))
        wrong += [f"{name} {option}" for option in options(rest) - known]
    assert wrong == []


def test_readme_gives_stemd_its_own_options():
    used = {option for rest in re.findall(r"(?<![\w/.-])stemd( -[^|\n#]*)", all_code())
            for option in options(rest)}
    assert "--check" in used
    assert sorted(used - options(helps(STEMD))) == []


def test_readme_names_all_osc_addresses_and_no_others():
    commands_c = (SOURCE / "daemon/osc_commands.c").read_text()
    ours = set(re.findall(r'^\s*\{"(/[a-z/]+)", (?:osc_)?run_', commands_c, re.MULTILINE))
    sent = set(re.findall(r'NOTIFY_\w+, "(/[a-z/]+)"', (SOURCE / "daemon/notify.c").read_text()))
    told = {address for address in ADDRESS.findall(all_code()) if not NAMES.match(address)}
    assert len(ours) > 10 and {"/state", "/gap", "/meter"} <= sent
    assert "/stem/NAME/mute" in README.read_text()
    assert sorted((ours | sent) - told) == []
    assert sorted(told - ours - sent - {"/reply", "/error", "/record"}) == []


def dev_commands_without_program():
    """Commands whose program this tree does not have."""
    programs = re.findall(r'^    ([a-z]+)\) run ".*" [a-z]+ ([\w/]+)', (SOURCE / "dev").read_text(),
                          re.MULTILINE)
    assert "demo" in dict(programs)
    return {name for name, program in programs if not (SOURCE / program).exists()}


def test_readme_names_all_commands_of_dev_and_no_others():
    known = set(re.findall(r"^  ([a-z]+) ", run(SOURCE / "dev", "help").stdout, re.MULTILINE))
    used = set(re.findall(r"\./dev ([a-z]+)", all_code()))
    assert {"demo", "test"} <= known
    assert sorted(used - known) == []
    assert sorted(known - used - dev_commands_without_program()) == []


def test_readme_names_the_parts_of_the_tests():
    told = re.search(r"only these parts: (.*(?:\n {16}.*)*)", run(SOURCE / "dev", "help").stdout)
    parts = re.split(r",\s+", told.group(1))
    assert "sanitize-long" in parts
    assert [part for part in parts if f"`{part}`" not in README.read_text()] == []


def test_readme_begins_with_demo_and_test():
    first = BLOCK.search(README.read_text()).group(2)
    assert first.split("\n")[:2] == ["./dev demo", "./dev test"]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_readme_configurations_are_right(page, tmp_path):
    examples = [body for _, body in BLOCK.findall(page.read_text())
                if re.search(r"^(stems = |osc: )", body, re.MULTILINE)]
    for k, body in enumerate(examples):
        if "stems = (" not in body:
            body += 'stems = ( { name = "A"; inputs = ( { name = "In"; } ); } );\n'
        path = tmp_path / f"{k}.conf"
        path.write_text(body)
        result = run(STEMD, "--check", path)
        assert (result.returncode, result.stderr) == (0, ""), body
        assert "no errors" in result.stdout


def test_readme_names_the_files_of_a_take():
    """Those whose names the library's headers give."""
    told = README.read_text()
    names = re.findall(r'"((?:markers|take|tempo|report|README)\.[a-z]+|SHA256SUMS)"',
                       "".join(path.read_text() for path in sorted((SOURCE / "lib").glob("*.h"))))
    assert {"tempo.mid", "take.rpp", "SHA256SUMS"} <= set(names)
    assert [name for name in names if name not in told] == []


def test_readme_settings_exist():
    """Those that are set, such as `tape = 20`, and those that the section on configuration names."""
    manual = set(re.findall(r"^\.B (\w+) \\fR\(", (SOURCE / "conf/stemd.conf.5").read_text(),
                            re.MULTILINE))
    text = "\n".join(BLOCK.sub("", page.read_text()) for page in PAGES)
    section = re.search(r"^## Configuration\n(.*?)^## ", text, re.MULTILINE | re.DOTALL).group(1)
    named = set(re.findall(r"`([a-z_]+) = [^`]*`", text)) | set(re.findall(r"`([a-z_]+)`", section))
    assert {"naming", "stems", "mirror"} <= named
    assert sorted(named - manual) == []


def test_readme_picture_is_well_formed_and_has_words_for_those_who_cannot_see_it():
    root = xml.etree.ElementTree.parse(SOURCE / "doc/signal-flow.svg").getroot()
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    assert "prefers-color-scheme: dark" in (SOURCE / "doc/signal-flow.svg").read_text()
