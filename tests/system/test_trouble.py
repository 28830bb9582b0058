"""What goes wrong is told in one clear sentence, with an exit code that scripts can use."""

import json
import os
import signal

import pytest

from studio import STEMCTL, STEMD, free_port

NOBODY = 65534


def one_sentence(result, code=1):
    """The sentence of a program that failed as it should."""
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_trouble_stop_while_idle(two_stems):
    assert one_sentence(two_stems.stemctl("stop")) == "stemctl: nothing is being recorded"
    assert one_sentence(two_stems.stemctl("split")) == "stemctl: nothing is being recorded"
    assert one_sentence(two_stems.stemctl("mark", "x")) == "stemctl: nothing is being recorded"


def test_trouble_start_twice(two_stems):
    two_stems.ok("start", "One")
    assert one_sentence(two_stems.stemctl("start", "Two")) == (
        "stemctl: a take is being recorded already")
    two_stems.run_for(0.1)
    assert two_stems.status()["title"] == "One"  # the refused title is none
    two_stems.ok("stop")
    (folder,) = two_stems.folders()
    assert two_stems.manifest(folder)["title"] == "One"


def test_trouble_unknown_stem(two_stems):
    sentence = one_sentence(two_stems.stemctl("mute", "Drms"))
    assert sentence == 'stemctl: there is no stem "Drms"; did you mean "Drums"?'
    assert "there is no stem" in one_sentence(two_stems.stemctl("mute", "Xylophone"))


@pytest.mark.parametrize("command", ["start", "stop", "split", "status", "stems", "takes", "ping"])
def test_trouble_no_daemon(studio, command):
    sentence = one_sentence(studio.stemctl("--timeout", "0.5", command), 3)
    assert f"no answer from stemd at udp://127.0.0.1:{studio.port}" in sentence
    assert "is it running?" in sentence


def test_trouble_no_daemon_on_the_unix_socket(studio):
    sentence = one_sentence(studio.stemctl("--url", f"unix://{studio.socket}", "ping"), 3)
    assert str(studio.socket) in sentence


def test_trouble_in_json(two_stems):
    result = two_stems.stemctl("--json", "stop")
    assert result.returncode == 1
    assert json.loads(result.stdout) == {"error": "nothing is being recorded", "code": 1}


def test_trouble_no_server(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }')
    studio.stemd(on_server=False)
    sentence = one_sentence(studio.stemctl("start"))
    assert f'cannot connect to JACK server "{studio.server_name}"' in sentence


@pytest.mark.parametrize("words", [
    ["strat"], ["start", "One", "Two"], ["mark"], ["mute"], ["mute", "Drums", "maybe"],
    ["--timeout", "soon", "ping"], ["--url", "http://x", "ping"], ["start", "--tempo", "fast"], []])
def test_trouble_with_stemctls_words(daemon_alone, words):
    result = daemon_alone.stemctl(*words)
    assert result.returncode == 2
    assert result.stderr.startswith("stemctl: ")


def test_trouble_with_a_misspelt_command_gets_a_suggestion(studio):
    assert 'did you mean "start"?' in studio.stemctl("strat").stderr


# Configuration


def test_trouble_in_the_configuration_is_reported_all_at_once(studio):
    path = studio.folder / "wrong.conf"
    path.write_text('takes = "/tmp";\n'
                    'encodng = "pcm24";\n'
                    'tape = "long";\n'
                    'stems = (\n'
                    '  { name = "A"; channels = 99; inputs = ( { name = "In"; pan = 3.0; } ); },\n'
                    '  { name = "B"; inputs = ( { name = "In"; from = "no-port"; } ); } );\n')
    for words in (["--check", path], ["-c", path]):
        result = studio.run(STEMD, *words)
        assert result.returncode == 1
        lines = result.stderr.splitlines()
        for line, text in [(2, 'did you mean "encoding"?'), (3, "tape"), (5, "channels"),
                           (5, "pan"), (6, "no-port")]:
            assert any(f"{path}:{line}: " in row and text in row for row in lines), (text, lines)


def test_trouble_free_configuration_passes_the_check(two_stems):
    result = two_stems.run(STEMD, "--check", two_stems.config)
    assert (result.returncode, result.stderr) == (0, "")
    assert "2 stems, no errors" in result.stdout


def test_trouble_free_configuration_prints_to_the_same(two_stems):
    printed = two_stems.run(STEMD, "-c", two_stems.config, "--print-config")
    assert printed.returncode == 0
    again = two_stems.folder / "again.conf"
    again.write_text(printed.stdout)
    second = two_stems.run(STEMD, "-c", again, "--print-config")

    def settings(text):
        return [line for line in text.splitlines() if not line.startswith("#")]

    assert settings(second.stdout) == settings(printed.stdout)


def test_trouble_configuration_that_is_not_there(studio):
    missing = studio.folder / "missing.conf"
    assert str(missing) in one_sentence(studio.run(STEMD, "-c", missing))
    assert str(missing) in one_sentence(studio.run(STEMD, "--check", missing))


def test_trouble_configuration_comes_from_the_usual_place(studio):
    folder = studio.folder / "none" / "stemd"
    folder.mkdir(parents=True)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }').rename(folder / "stemd.conf")
    result = studio.run(STEMD, "--print-config")
    assert result.returncode == 0 and str(studio.takes) in result.stdout


def test_trouble_with_stemds_words(studio):
    for words in (["--nonsense"], ["word"]):
        assert studio.run(STEMD, *words).returncode == 2


# What the daemon needs


def as_nobody():
    """Words before a command that is to run without root's rights."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def run_daemon(studio, before=()):
    return studio.run(*before, STEMD, "-c", studio.config)


@pytest.fixture
def closed_folder(studio):
    """A takes folder in which nobody may write."""
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }')
    studio.takes.chmod(0o555)
    for folder in [studio.folder, *studio.folder.parents][:4]:
        if os.geteuid() == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    yield studio
    studio.takes.chmod(0o755)


def test_trouble_unwritable_folder(closed_folder):
    sentence = one_sentence(run_daemon(closed_folder, as_nobody()))
    assert sentence == (f'stemd: error: cannot write to the takes folder "{closed_folder.takes}": '
                        "Permission denied")


def test_trouble_folder_that_cannot_be_made(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }', takes="/dev/null/takes")
    assert '"/dev/null/takes"' in one_sentence(run_daemon(studio))


def test_trouble_folder_that_vanished_is_told_at_the_start(two_stems):
    two_stems.takes.rmdir()
    two_stems.takes.write_text("a file in its place")
    sentence = one_sentence(two_stems.stemctl("start"))
    assert str(two_stems.takes) in sentence
    assert two_stems.status()["state"] == "idle"
    two_stems.takes.unlink()
    folder = two_stems.record(0.1)  # it makes the folder itself
    two_stems.check(folder, two_stems.channels)


def test_trouble_address_in_use(daemon_alone):
    sentence = one_sentence(daemon_alone.run(
        STEMD, "-c", daemon_alone.config, "--takes", daemon_alone.folder))
    assert str(daemon_alone.port) in sentence and "in use" in sentence
    assert daemon_alone.answers()


def test_trouble_unix_socket_in_use(daemon_alone):
    address = f"unix://{daemon_alone.socket}"
    result = daemon_alone.run(STEMD, "-c", daemon_alone.config, "--takes", daemon_alone.folder, "--osc", address)
    assert str(daemon_alone.socket) in one_sentence(result)
    assert daemon_alone.osc(daemon_alone.socket).ask("/ping")[0] == "/reply"


def test_trouble_address_of_another_machine(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }')
    result = studio.run(STEMD, "-c", studio.config, "--osc", f"udp://192.0.2.1:{free_port()}")
    assert "192.0.2.1" in one_sentence(result)


def test_trouble_stemctl_answers_help_and_version(studio):
    for program in (STEMCTL, STEMD):
        assert studio.run(program, "--help").returncode == 0
        assert studio.run(program, "--version").stdout.startswith(program.name)


def assert_in_use(studio, takes):
    """A second daemon says that this folder is another one's, and ends."""
    second = studio.folder / "second.conf"
    second.write_text(f'takes = "{takes}";\n'
                      f'osc: {{ listen = "udp://127.0.0.1:{free_port()}"; }};\n'
                      'stems = ( { name = "A"; inputs = ( { name = "In"; } ); } );\n')
    result = studio.run(STEMD, "-c", second)
    assert f'the takes folder "{takes}" is in use by another stemd' in one_sentence(result)


def test_trouble_two_daemons_on_one_takes_folder(daemon_alone):
    assert_in_use(daemon_alone, daemon_alone.takes)
    (daemon_alone.folder / "link").symlink_to(daemon_alone.takes)
    assert_in_use(daemon_alone, daemon_alone.folder / "link")
    (daemon_alone.folder / "parent").symlink_to(daemon_alone.folder)
    assert_in_use(daemon_alone, daemon_alone.folder / "parent" / "takes")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_trouble_two_daemons_on_one_takes_folder_mounted_twice(daemon_alone):
    again = daemon_alone.folder / "again"
    again.mkdir()
    if daemon_alone.run("mount", "--bind", daemon_alone.takes, again).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        assert_in_use(daemon_alone, again)
    finally:
        daemon_alone.run("umount", again)


def test_trouble_takes_folder_behind_a_link_is_locked(studio):
    """The first daemon is the one that comes over the link."""
    link = studio.folder / "link"
    link.symlink_to(studio.takes)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }', takes=str(link))
    studio.stemd(on_server=False)
    assert "cannot be locked" not in studio.read("stemd.log")
    assert_in_use(studio, studio.takes)


def test_trouble_mirror_that_is_the_takes_folder_by_another_way(studio):
    link = studio.folder / "link"
    link.symlink_to(studio.takes)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }', mirror=str(link))
    assert f'the mirror folder "{link}" is in use' in one_sentence(run_daemon(studio))


def test_trouble_daemon_that_was_killed_is_in_nobodys_way(daemon_alone):
    """Neither the lock of its folder nor the file of its socket keeps the next one out."""
    assert daemon_alone.end(daemon_alone.daemon, signal.SIGKILL) == -signal.SIGKILL
    assert daemon_alone.socket.exists()
    daemon_alone.stemd(on_server=False)
    assert daemon_alone.osc(daemon_alone.socket).ask("/ping")[0] == "/reply"


def test_trouble_file_in_the_sockets_place_stays(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }')
    studio.socket.write_text("of somebody else")
    assert "a file of that name exists that is no socket" in one_sentence(run_daemon(studio))
    assert studio.socket.read_text() == "of somebody else"


def test_trouble_few_open_files_are_told(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }')
    studio.stemd(on_server=False, before=["prlimit", "--nofile=40:40"])
    assert "only 40 files may be open" in studio.read("stemd.log")
    assert "LimitNOFILE=" in studio.read("stemd.log")
