"""The manual pages say what the programs do: nothing that exists is missing, nothing is malformed."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from studio import STEMCTL, STEMD

SOURCE = pathlib.Path(__file__).resolve().parents[2]
STEMD_PAGE = SOURCE / "daemon/stemd.1"
STEMCTL_PAGE = SOURCE / "client/stemctl.1"
CONF_PAGE = SOURCE / "conf/stemd.conf.5"
PAGES = [STEMD_PAGE, STEMCTL_PAGE, CONF_PAGE]

# How the configuration's readers ask for a setting.
ASKED = re.compile(r'\b(?:read_folder|read_text|group_(?:find|number|whole|flag|string|name|inner|list|strings))'
                   r'\(\s*&?\w+,\s*"(\w+)"')
# An entry of the manual page: .B name \fR(type, default)
ENTRY = re.compile(r"^\.B (\w+) \\fR\((.*)\)$", re.MULTILINE)


def run(*words, **environment):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          env=dict(os.environ, **environment))


def plain(page):
    """A page's text without the hyphens' escapes."""
    return page.read_text().replace(r"\-", "-").replace(r"\(dq", '"')


def least_configuration(folder):
    path = folder / "least.conf"
    path.write_text('stems = ( { name = "A"; inputs = ( { name = "In"; } ); } );\n')
    return path


def test_manual_has_the_settings_that_are_read_and_no_others():
    sources = sorted((SOURCE / "daemon").glob("config*.c"))
    read = {name for path in sources for name in ASKED.findall(path.read_text())}
    assert {"takes", "osc", "notify", "stems", "use", "share", "polarity"} <= read
    assert sorted(read) == sorted({name for name, _ in ENTRY.findall(CONF_PAGE.read_text())})


def test_manual_tells_the_defaults(tmp_path):
    told = {name: text.partition(", ")[2] for name, text in ENTRY.findall(plain(CONF_PAGE))}
    printed = run(STEMD, "-c", least_configuration(tmp_path), "--print-config").stdout
    found = re.findall(r'^ *(\w+) = ("[^"]*"|[-0-9.]+|\[.*\]);$', printed, re.MULTILINE)
    assert len(found) >= 13
    for name, value in found:
        if re.fullmatch(r"[-0-9.]+", value):
            assert float(told[name]) == float(value), name
        else:
            assert told[name].replace("[ ]", "[]").replace(" ", "") == value.replace(" ", ""), name


@pytest.mark.parametrize("program, page", [(STEMD, STEMD_PAGE), (STEMCTL, STEMCTL_PAGE)])
def test_manual_has_every_option(program, page):
    options = set(re.findall(r"--[a-z][-a-z]+", run(program, "--help").stdout))
    assert len(options) > 4
    assert sorted(option for option in options if option not in plain(page)) == []


def test_manual_has_every_osc_address():
    commands = (SOURCE / "daemon/osc_commands.c").read_text()
    addresses = re.findall(r'^\s*\{"(/[a-z/]+)", (?:osc_)?run_', commands, re.MULTILINE)
    assert len(addresses) > 10
    assert sorted(path for path in addresses if path not in plain(STEMD_PAGE)) == []


def test_manual_has_every_command_of_stemctl():
    commands = re.findall(r"^  ([a-z]+)\b", run(STEMCTL, "--help").stdout, re.MULTILINE)
    assert "verify" in commands
    text = plain(STEMCTL_PAGE)
    assert [name for name in commands if not re.search(rf"^\.(BR?|BI) {name}\b", text, re.M)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_manual_page_is_set_without_warnings(page):
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    result = run("man", "--warnings", "-E", "UTF-8", "-l", page, LC_ALL="C.UTF-8", MANWIDTH="80")
    if result.returncode == 0 and not result.stdout.strip():
        pytest.skip("man is only a stand-in here")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_manual_page_is_well_formed(page):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed")
    result = run("mandoc", "-T", "lint", "-W", "warning", page)
    assert (result.returncode, result.stdout) == (0, "")
