"""OSC as other programs speak it: bare sockets, liblo's oscsend and oscdump."""

import random
import socket

import pytest

from studio import Osc, free_port, wait_for

START = "/record/start"

pytestmark = pytest.mark.sanitize


def test_osc_every_request_gets_one_final_answer(daemon_alone):
    osc = daemon_alone.osc()
    assert osc.ask("/ping") == ["/reply", "/ping", "pong"]
    assert osc.ask("/version")[:2] == ["/reply", "/version"]
    assert osc.ask("/status") == ["/reply", "/status", f"{len(osc.data)} values"]
    assert osc.ask("/stems") == ["/reply", "/stems", f"{len(osc.data)} stems"]
    assert osc.ask("/takes") == ["/reply", "/takes", "0 takes"]
    osc.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        osc.receive()  # nothing but the answers


def test_osc_status_keys_keep_their_order_and_types(daemon_alone):
    osc = daemon_alone.osc()
    osc.ask("/status")
    keys = [path.removeprefix("/status/") for path, _ in osc.data]
    expected = ("version state message server jack rate period folder title tempo key format stems "
                "frames seconds gaps gap_frames xruns clips tape_seconds tape_used disk_free_bytes "
                "disk_seconds health health_message health_tape health_writer health_disk "
                "health_server tape_most_used tape_left_seconds stalled_seconds "
                "slowest_write_seconds slowest_sync_seconds finishing finishing_folder "
                "finishing_step finishing_percent")
    assert keys == expected.split()
    assert all(len(values) == 1 for _, values in osc.data)


def test_osc_stems_tell_number_width_ports_and_mute(daemon_alone):
    osc = daemon_alone.osc()
    osc.ask("/stem/Drums/mute", 1)
    osc.ask("/stems")
    rows = [values[:6] for _, values in osc.data]
    assert rows == [[1, "Drums", 2, 1, 0, 1], [2, "Lead Vocals", 2, 1, 0, 0], [0, "Mix", 2, 2, 0, 0]]
    assert all(values[6] == -200 for _, values in osc.data)


def test_osc_errors_have_codes(daemon_alone):
    osc = daemon_alone.osc()

    def code(*message):
        answer = osc.ask(*message)
        assert answer[:2] == ["/error", message[0]], answer
        assert answer[3].strip() and "\n" not in answer[3]
        return answer[2]

    assert code("/no/such/address") == -2
    assert code("/stem/Drums/volume", 1) == -2
    assert code("/take/title") == -3
    assert code("/take/title", 7) == -3
    assert code("/take/title", "x" * 300) == -3
    assert code("/take/tempo", "fast") == -3
    assert code("/take/tempo", -5.0) == -3
    assert code("/take/tempo", 1000.0) == -3
    assert code("/stem/Drums/mute") == -3
    assert code("/stem/Drums/mute", "yes") == -3
    assert code("/stem/Drms/mute", 1) == -5
    assert code(START) == -6


def test_osc_unknown_stem_gets_a_suggestion(daemon_alone):
    answer = daemon_alone.osc().ask("/stem/Drms/mute", 1)
    assert 'did you mean "Drums"?' in answer[3]


def test_osc_wildcards_reach_several_stems(daemon_alone):
    osc = daemon_alone.osc()
    osc.send(Osc.message("/stem/*/mute", 1))
    replies = sorted(osc.receive()[1] for _ in range(2))
    assert replies == [["/stem/Drums/mute", "muted"], ["/stem/Lead-Vocals/mute", "muted"]]


def test_osc_bundles_are_opened(daemon_alone):
    osc = daemon_alone.osc()
    inner = Osc.bundle(0, Osc.message("/stem/Drums/mute", 1))
    osc.send(Osc.bundle(0, Osc.message("/ping"), inner))
    assert osc.receive()[1] == ["/ping", "pong"]
    assert osc.receive()[1] == ["/stem/Drums/mute", "muted"]


def test_osc_rubbish_is_survived(daemon_alone):
    osc = daemon_alone.osc()
    generator = random.Random(7)
    good = Osc.message("/take/title", "x")
    for _ in range(2000):
        rubbish = bytearray(good if generator.random() < 0.7 else generator.randbytes(64))
        for _ in range(generator.randrange(1, 6)):
            rubbish[generator.randrange(len(rubbish))] = generator.randrange(256)
        osc.send(bytes(rubbish[:generator.randrange(1, len(rubbish) + 1)]))
    for size in (1, 4, 8, 16, 20, 60000):
        osc.send(b"#bundle\0"[:size] + b"\xff" * max(0, size - 8))
    assert daemon_alone.osc().ask("/ping") == ["/reply", "/ping", "pong"]
    assert daemon_alone.daemon.poll() is None


def test_osc_unix_socket_does_the_same(daemon_alone):
    osc = daemon_alone.osc(daemon_alone.socket)
    assert osc.ask("/ping") == ["/reply", "/ping", "pong"]
    osc.ask("/status")
    assert dict((path, values[0]) for path, values in osc.data)["/status/state"] == "idle"
    url = f"unix://{daemon_alone.socket}"
    assert daemon_alone.ok("--url", url, "ping") == "pong"


def test_osc_unix_socket_goes_with_the_daemon(daemon_alone):
    assert daemon_alone.socket.exists()
    assert daemon_alone.end(daemon_alone.daemon) == 0
    assert not daemon_alone.socket.exists()


def test_osc_unix_socket_of_a_killed_daemon_is_replaced(daemon_alone):
    daemon_alone.end_surely(daemon_alone.daemon)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stale:
        daemon_alone.socket.unlink(missing_ok=True)
        stale.bind(str(daemon_alone.socket))
    daemon_alone.stemd(on_server=False)
    assert daemon_alone.osc(daemon_alone.socket).ask("/ping")[0] == "/reply"


def test_osc_senders_outside_the_allowed_networks_get_nothing(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }',
                     osc='allow = [ "127.0.0.2/32" ];')
    studio.stemd(on_server=False, wait=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as allowed, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        allowed.bind(("127.0.0.2", 0))
        allowed.settimeout(0.2)
        stranger.settimeout(0.2)

        def answer(client):
            try:
                client.sendto(Osc.message("/ping"), ("127.0.0.1", studio.port))
                return Osc.decode(client.recv(65536))
            except OSError:
                return None

        wait_for(lambda: answer(allowed) == ("/reply", ["/ping", "pong"]), "an answer")
        assert answer(stranger) is None


def test_osc_buttons_act_when_pressed_only(two_stems):
    osc = two_stems.osc()
    for released in (0, 0.0, False):
        assert osc.ask("/record/toggle", released) == ["/reply", "/record/toggle", "ignored"]
        assert osc.ask(START, released) == ["/reply", START, "ignored"]
    assert two_stems.status()["state"] == "idle"
    assert osc.ask("/record/toggle", 1)[0] == "/reply"
    assert osc.ask("/record/toggle", 0)[2] == "ignored"
    assert two_stems.status()["state"] == "recording"
    assert osc.ask("/record/split", 1.0)[0] == "/reply"
    assert osc.ask("/record/toggle", True)[0] == "/reply"
    assert two_stems.status()["state"] == "idle"
    assert len(two_stems.folders()) == 2


def test_osc_start_and_stop_answer_when_it_is_done(two_stems):
    osc = two_stems.osc()
    started = osc.ask(START, "Song")
    assert started[:2] == ["/reply", START]
    assert two_stems.manifest(started[2])["progress"] == "recording"
    two_stems.run_for(0.2)
    stopped = osc.ask("/record/stop")
    assert stopped == ["/reply", "/record/stop", started[2]]
    assert two_stems.manifest(stopped[2])["progress"] == "complete"


def test_osc_replies_go_to_whoever_asked(two_stems):
    asker, other = two_stems.osc(), two_stems.osc()
    other.send(Osc.message("/ping"))
    assert other.receive()[1] == ["/ping", "pong"]
    asker.send(Osc.message(START, "x"))
    other.send(Osc.message("/record/stop"))
    assert asker.receive()[1][0] == START
    assert other.receive()[1][0] == "/record/stop"


def test_osc_state_is_told_to_subscribers_until_they_leave(two_stems):
    osc, boss = two_stems.osc(), two_stems.osc()
    assert osc.ask("/subscribe", 60, "state") == ["/reply", "/subscribe", "subscribed"]
    folder = boss.ask(START)[2]
    assert [osc.receive() for _ in range(4)] == [
        ("/state", ["recording", folder]), (START, [1]), ("/record/stop", [0]),
        ("/record/toggle", [1])]
    boss.ask("/record/stop")
    assert [osc.receive() for _ in range(4)] == [
        ("/state", ["idle", folder]), (START, [0]), ("/record/stop", [1]), ("/record/toggle", [0])]
    boss.ask("/stem/Drums/mute", 1)
    assert osc.receive() == ("/stem/Drums/mute", [1])
    assert osc.ask("/subscribe", 0) == ["/reply", "/subscribe", "unsubscribed"]
    boss.ask(START)
    boss.ask("/record/stop")
    osc.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        osc.receive()


def test_osc_subscribers_say_what_they_want(daemon_alone):
    osc = daemon_alone.osc()
    assert osc.ask("/subscribe", 60, "gaps, meters")[0] == "/reply"
    for words in ("", "levels", "state levels"):
        assert osc.ask("/subscribe", 60, words)[:3] == ["/error", "/subscribe", -3]


def test_osc_meters_come_with_levels_and_residual(studio):
    studio.server()
    studio.ruler(2)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = ["ruler:out_1", "ruler:out_2"]; '
                     '} ); }', mix='{ from = ["ruler:out_1", "ruler:out_2"]; }')
    studio.stemd()
    osc = studio.osc()
    osc.ask("/subscribe", 60, "meters")
    told = {}
    while told.get("A", -200) < -1 or told.get("/residual") != -200:  # nothing is left of the mix
        path, values = osc.receive()
        told[values[0] if path == "/meter" else path] = values[-1]
    assert studio.status()["residual_dbfs"] == -200


def test_osc_works_with_oscsend_and_oscdump(studio):
    port = free_port()
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }',
                     osc=f'notify = [ "udp://127.0.0.1:{port}" ];')
    studio.start("stdbuf", "-oL", "oscdump", "-L", port, log="oscdump.log")
    wait_for(lambda: is_bound(port), "oscdump")
    studio.stemd()
    send = ["oscsend", "localhost", studio.port]
    assert studio.run(*send, "/take/tempo", "f", "98.5").returncode == 0
    assert studio.run(*send, START, "s", "From a script").returncode == 0
    wait_for(lambda: '/state ss "recording"' in studio.read("oscdump.log"), "/state in oscdump")
    assert studio.run(*send, "/marker", "s", "verse").returncode == 0
    studio.run_for(0.2)
    assert studio.run(*send, "/record/stop", "i", "1").returncode == 0
    wait_for(lambda: '/state ss "idle"' in studio.read("oscdump.log"), "/state in oscdump")
    (folder,) = studio.folders()
    manifest = studio.manifest(folder)
    assert (manifest["title"], manifest["tempo_bpm"]) == ("From a script", 98.5)
    assert [marker["text"] for marker in manifest["markers"]] == ["verse"]
    studio.check(folder, [("01_A.wav", 1, [1])])


def is_bound(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("::", port))
        except OSError:
            return True
    return False
