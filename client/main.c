/* stemctl: controls stemd over OSC, and verifies takes. This file holds the table of commands. */
#include "options.h"
#include "osc_address.h"

#include <locale.h>
#include <stdlib.h>

#define TITLE_HELP                                                                                 \
    "TITLE stands in the folder's name and in the files; quote it when it has several words. "

static const struct stemctl_command COMMANDS[] = {
    {"start", run_start, 0, 1, STEMCTL_START_OPTIONS, "[TITLE]", "start a take",
        "All stems start on the same frame. " TITLE_HELP
        "Prints the take's folder once it runs; a start that may take long to come is only "
        "announced. With the transport or by level, takes start again and again until \"stemctl "
        "stop\". stemd refuses while a take is being recorded."},
    {"capture", run_capture, 1, 2, STEMCTL_SHARED, "SECONDS [TITLE]",
        "keep the last seconds, decided afterwards",
        "The tape holds what was played before anybody pressed a button, as long as it is "
        "configured. " TITLE_HELP "Prints the take's folder."},
    {"stop", run_stop, 0, 0, STEMCTL_SHARED, NULL, "end the take and print its folder",
        "All stems end on the same frame. Waits until the files are complete, and prints the "
        "take's folder."},
    {"toggle", run_toggle, 0, 1, STEMCTL_SHARED, "[TITLE]", "start or stop, whichever is possible",
        "For one button or foot switch. " TITLE_HELP "Prints the take's folder."},
    {"split", run_split, 0, 1, STEMCTL_SHARED, "[TITLE]",
        "end the take, start the next without a gap",
        "The next take starts on the frame where this one ends: none is lost, none is there "
        "twice. " TITLE_HELP "Prints the new take's folder."},
    {"mark", run_mark, 1, 1, STEMCTL_SHARED, "TEXT", "set a marker here",
        "The marker is kept in the take's files. Prints its frame, counted from the take's "
        "start."},
    {"mute", run_mute, 1, 2, STEMCTL_SHARED, "STEM [on|off]", "mute a stem, without a click",
        "STEM is a stem's name as configured, or its form in file names: \"Lead Vocals\" or "
        "Lead-Vocals. What is recorded is silent while a stem is muted."},
    {"unmute", run_unmute, 1, 1, STEMCTL_SHARED, "STEM", "open a stem again",
        "The same as \"stemctl mute STEM off\"."},
    {"status", run_status, 0, 0, STEMCTL_SHARED, NULL, "tell how the recorder is doing",
        "Prints what is recorded, for how long, whether anything was lost, how much of the tape "
        "waits for the disk, and how long the disk lasts."},
    {"stems", run_stems, 0, 0, STEMCTL_SHARED, NULL,
        "list the stems: what is connected, their levels",
        "A stem's level is its peak in the last second."},
    {"takes", run_takes, 0, 0, STEMCTL_SHARED, NULL, "list the takes in the takes folder",
        "The newest take comes last."},
    {"ping", run_ping, 0, 0, STEMCTL_SHARED, NULL, "ask whether stemd answers",
        "Prints \"pong\" when it does."},
    {"version", run_version, 0, 0, STEMCTL_SHARED, NULL, "ask for stemd's version",
        "Asks the daemon; \"stemctl --version\" tells that of stemctl itself."},
    {"list", run_list, 0, 1, STEMCTL_SHARED, "[FOLDER]", "list the takes in a folder",
        "FOLDER holds takes, or is one; without it, the current folder is looked at. Needs no "
        "daemon."},
    {"show", run_show, 1, 1, STEMCTL_SHARED, "FOLDER", "tell everything that is known of a take",
        "With --json, the take's manifest. Needs no daemon."},
    {"verify", run_verify, 1, 1, STEMCTL_SHARED, "FOLDER",
        "check a take: files, gaps, levels, null test",
        "Compares every file with the take's manifest: format, rate, length, silence in the gaps. "
        "When the take has a mix reference, the stems must add up to it: the residual is measured "
        "against a bound computed from what the files' encoding can represent. Needs no daemon."},
    {"finish", run_finish, 1, 1, STEMCTL_FINISH_OPTIONS, "FOLDER",
        "measure a take, complete and describe it",
        "Measures loudness, true peaks and the null test of a finished take; puts markers and "
        "loudness into its files; writes README.txt, report.html, markers, MIDI file, Reaper "
        "and Ardour projects and SHA256SUMS. Audio is never changed, and a project that somebody "
        "changed is kept. Can be done again, and interrupted safely. Needs no daemon."},
    {"report", run_report, 1, 1, STEMCTL_REPORT_OPTIONS, "FOLDER",
        "print where a take's page is, or open it",
        "report.html shows waveforms and levels, and plays the stems. A take that has none is "
        "finished first. Needs no daemon."},
    {"export", run_export, 1, 1, STEMCTL_EXPORT_OPTIONS, "FOLDER",
        "make the take in another format",
        "The new folder, NAME_FORMAT-DEPTH, is a complete take. Nothing is resampled or "
        "normalised, samples stay what they are unless --depth asks for less, and every file is "
        "compared with its source after writing. Nothing is overwritten; what is interrupted "
        "leaves nothing. Needs no daemon."},
    {"sum", run_sum, 1, 1, STEMCTL_SUM_OPTIONS, "FOLDER", "add the stems up to one file",
        "Adds in double precision, and rounds to the take's encoding or --depth at last. Needs no "
        "daemon."},
    {"diff", run_diff, 2, 2, STEMCTL_SHARED, "A B", "compare two takes, or two audio files",
        "Tells for every file whether the samples are the same, the first frame that differs, and "
        "peak and RMS of the difference. Formats may differ. Exit status 0: the same; 1: not. "
        "Needs no daemon."},
    {"rename", run_rename, 2, 2, STEMCTL_SHARED, "FOLDER TITLE", "give a take another title",
        "The title in the folder's name, the files' names and the manifest; a take that was "
        "finished is finished again. Nothing is overwritten. Needs no daemon."},
    {"recover", run_recover, 0, STEMCTL_WORDS, STEMCTL_RECOVER_OPTIONS, "[FOLDER...]",
        "complete takes whose recorder died",
        "FOLDER is a take, or a folder of takes; without one, the running daemon is asked where "
        "its takes are. Every file is completed to the last frame that is there, and all are made "
        "equally long with silence; the manifest lists where a file is not complete. Finished "
        "takes and those being recorded are left alone."},
};

int main(int argc, char **argv)
{
    const char *url = getenv("STEMCTL_URL");
    struct stemctl ctl = {
        .url = url && *url ? url : STEM_OSC_DEFAULT_URL, .timeout_seconds = 5, .progress_fd = -1};
    enum stemctl_exit code;
    setlocale(LC_CTYPE, "");
    const struct stemctl_command *command = stemctl_options_parse(
        argc, argv, COMMANDS, sizeof COMMANDS / sizeof *COMMANDS, &ctl, &code);
    if (command) {
        stemctl_output_look(&ctl.output);
        code = command->run(&ctl);
        osc_client_close(ctl.client);
    }
    return (int)stemctl_output_finish(code);
}
