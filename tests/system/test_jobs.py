"""What happens to a take when it is over: finished by a child, then handed to the hook; and what a
killed recorder left is completed at the next start."""

import json
import pathlib
import signal
import socket

from studio import PATIENCE, Osc, wait_for

STEMS = '{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }'


def start(studio, **settings):
    studio.server()
    studio.ruler(1)
    studio.configure(STEMS, **settings)
    studio.stemd()
    return studio


def test_jobs_finish_each_take(studio):
    start(studio, finish=True)
    folder = studio.record(0.5, "One")
    second = studio.record(0.5, "Two")  # the next one starts at once
    for take in (folder, second):
        wait_for(lambda: (take / "SHA256SUMS").exists(), "checksums")
        assert studio.run("sha256sum", "-c", "--quiet", "SHA256SUMS", cwd=take).returncode == 0
        assert {"report.html", "README.txt"} <= {path.name for path in take.iterdir()}
    wait_for(lambda: studio.status()["finishing"] == 0, "an empty queue")


def test_jobs_tell_their_progress(studio):
    start(studio, finish=True)
    osc = studio.osc()
    osc.ask("/subscribe", 60, "finish")
    folder = studio.record(0.3)
    steps = []
    while "done" not in steps:
        path, values = osc.receive()
        assert path == "/finish" and values[0] == str(folder)
        steps.append(values[2])
    assert steps[0] == "start" and len(steps) > 2


def test_jobs_hand_the_folder_to_the_hook(studio):
    got = studio.folder / "got"
    start(studio, finish=True, hook=f"printf '%s\\n' > {got}")
    folder = studio.record(0.3, "It's \"quoted\" $HOME")
    wait_for(got.exists, "the hook")
    wait_for(lambda: got.read_text() == f"{folder}\n", "its argument")
    assert (folder / "SHA256SUMS").exists()  # it comes after the finisher


def test_jobs_hand_over_a_take_in_the_place_of_one_that_the_hook_took_away(studio):
    """Takes are all called the same, and the hook is still at work on what it moved."""
    away, go = studio.folder / "away", studio.folder / "go"
    away.mkdir()
    start(studio, folder_name="Show",
          hook=f"h() {{ mv \"$1\" {away}/$$; while [ ! -e {go} ]; do sleep 0.1; done; }}; h")
    folder = studio.record(0.3)
    wait_for(lambda: not folder.exists(), "the hook")
    assert studio.record(0.3) == folder
    go.touch()
    wait_for(lambda: studio.status()["finishing"] == 0, "an empty queue")
    assert len(list(away.iterdir())) == 2


def test_jobs_report_a_hook_that_fails(studio):
    start(studio, hook="echo no paper left >&2; false")
    folder = studio.record(0.3)
    studio.wait_for_log("no paper left")
    assert "the hook command" in studio.read("stemd.log")
    studio.check(folder, [("01_A.wav", 1, [1])], end_ruler=False)
    studio.check(studio.record(0.3), [("01_A.wav", 1, [1])])  # and it harms nothing


def test_jobs_hold_none_of_our_descriptors(studio):
    """Above all not JACK's sockets: the server would not see our end."""
    listing = studio.folder / "listing"
    start(studio, hook=f"ls -l /proc/self/fd > {listing}; : ")
    studio.record(0.3)
    wait_for(listing.exists, "the hook")
    wait_for(lambda: "total" in listing.read_text(), "its output")
    assert "socket" not in listing.read_text() and "jack" not in listing.read_text()


def test_jobs_recover_takes_at_the_next_start(studio):
    start(studio, recover=True)
    folder = pathlib.Path(studio.ok("start", "Lost"))
    studio.run_for(2.5)
    studio.end(studio.daemon, signal.SIGKILL)
    assert studio.manifest(folder)["progress"] == "recording"
    studio.stemd()
    wait_for(lambda: studio.manifest(folder)["progress"] == "recovered", "recovery")
    assert json.loads(studio.ok("takes", "--json"))["takes"][0]["state"] == "recovered"
    studio.check(folder, [("01_A.wav", 1, [1])])


def is_finished(take):
    return (take / "SHA256SUMS").exists() and not (take / ".finish").exists()


def test_jobs_tell_and_finish_what_was_recovered_at_the_start(studio):
    start(studio, recover=True, finish=True, hook="echo hook ran >&2; false")
    folder = pathlib.Path(studio.ok("start", "Lost"))
    studio.run_for(2.5)
    studio.end(studio.daemon, signal.SIGKILL)
    (folder / "take.json").write_text("")  # something to remark upon
    studio.stemd()
    wait_for(lambda: is_finished(folder), "the finished take")
    manifest = studio.manifest(folder)
    assert manifest["progress"] == "recovered" and manifest["finished"]
    log = studio.read("stemd.log")
    seconds = manifest["frames"] / studio.rate
    assert f'stemd: recovered "{folder}": {seconds:.3f} s' in log
    assert f"stemd: warning: {folder.name}: the manifest could not be read" in log
    wait_for(lambda: studio.status()["finishing"] == 0, "an empty queue")
    assert "hook ran" not in log
    assert studio.run("sha256sum", "-c", "--quiet", "SHA256SUMS", cwd=folder).returncode == 0
    studio.check(folder, [("01_A.wav", 1, [1])])


def test_jobs_tell_receivers_of_recovered_takes(studio):
    start(studio, recover=True)
    folder = pathlib.Path(studio.ok("start", "Lost"))
    studio.run_for(1.5)
    studio.end(studio.daemon, signal.SIGKILL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        port = receiver.getsockname()[1]
        studio.configure(STEMS, recover=True, osc=f'notify = [ "udp://127.0.0.1:{port}" ];')
        studio.stemd()
        got = [None]
        while got[-1] != ("/finish", [str(folder), 0.0, "recovered"]):
            got.append(Osc.decode(receiver.recv(65536)))


def test_jobs_finish_at_the_next_start_what_a_signal_ended(studio):
    """Once: a take that is finished is left alone, and so is one that nobody wants finished."""
    start(studio)
    plain = studio.record(0.3, "Plain")
    studio.end(studio.daemon)
    studio.configure(STEMS, recover=True, finish=True)
    studio.stemd()
    folder = pathlib.Path(studio.ok("start", "Ended"))
    studio.run_for(0.5)
    assert studio.end(studio.daemon) == 0
    assert studio.manifest(folder)["progress"] == "complete"
    studio.stemd()
    wait_for(lambda: is_finished(folder), "the finished take")
    wait_for(lambda: studio.status()["finishing"] == 0, "an empty queue")
    before = (folder / "SHA256SUMS").stat().st_mtime_ns
    studio.end(studio.daemon)
    studio.stemd()
    wait_for(lambda: studio.status()["finishing"] == 0, "an empty queue")
    assert (folder / "SHA256SUMS").stat().st_mtime_ns == before
    assert not (plain / "SHA256SUMS").exists() and not (plain / ".finish").exists()
    studio.check(folder, [("01_A.wav", 1, [1])])


def test_jobs_finish_again_what_was_interrupted(studio):
    """The daemon and its child are killed while the child finishes."""
    start(studio, recover=True, finish=True)
    folder = studio.record(20)
    wait_for(lambda: studio.status()["finishing"] == 1 or is_finished(folder), "the finisher")
    studio.run("pkill", "-KILL", "-f", f"stemctl finish.*{folder}")
    studio.end(studio.daemon, signal.SIGKILL)
    studio.stemd()
    wait_for(lambda: is_finished(folder), "the finished take")


def test_jobs_end_with_the_daemon(studio):
    start(studio, hook="sleep 1000; :")
    studio.record(0.3)
    wait_for(lambda: studio.status()["finishing"] == 1, "the hook")
    assert studio.end(studio.daemon) == 0
    assert studio.run("pgrep", "-f", f"stemd-hook {studio.takes}").stdout == ""
