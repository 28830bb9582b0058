/* Bars and beats of an Ardour session. A session's clock begins long before the take, with bar 1;
 * where the take begins, and wherever the music jumps, a "music time" says which bar it is. Between
 * those, changes of tempo and meter are points that follow from what is before them. All of them
 * tell their place three times: as clocks, as quarter notes since the clock's zero, and as bar,
 * beat and tick. Ardour holds meters to bar lines, as stem_tempo_events does. */
#include "ardour_parts.h"
#include "tempo.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { TICKS = 1920 }; /* of a quarter note, and of a beat */

/* Parts of a beat that are only rounding, as in stem_tempo_events. */
#define NEAR 0.002

struct point {
    uint64_t clocks;
    double quarters;
    int64_t bar;
    double beats; /* from the bar's start */
    double quarter_bpm;
    uint32_t numerator, denominator;
    bool has_meter;
    bool is_jump; /* not where what is before leads to */
};

struct map {
    struct point *points; /* the first one at the clock's zero */
    size_t count;
};

static void put_place(FILE *out, const struct point *point)
{
    uint64_t quarter_ticks = (uint64_t)(point->quarters * TICKS + 0.5);
    uint64_t beat_ticks = (uint64_t)(point->beats * TICKS + 0.5);
    fprintf(out,
        " sclock=\"%" PRIu64 "\" quarters=\"%" PRIu64 ":%" PRIu64 "\" bbt=\"%" PRId64 "|%" PRIu64
        "|%" PRIu64 "\"",
        point->clocks, quarter_ticks / TICKS, quarter_ticks % TICKS, point->bar,
        1 + beat_ticks / TICKS, beat_ticks % TICKS);
}

static void put_tempo(FILE *out, const struct point *point)
{
    fprintf(out,
        "<Tempo npm=\"%.10g\" enpm=\"%.10g\" note-type=\"4\" type=\"Tempo::Constant\" active=\"1\" "
        "locked-to-meter=\"0\" continuing=\"0\" omega=\"0\"",
        point->quarter_bpm, point->quarter_bpm);
    put_place(out, point);
    fputs("/>\n", out);
}

static void put_meter(FILE *out, const struct point *point)
{
    fprintf(out, "<Meter note-value=\"%" PRIu32 "\" divisions-per-bar=\"%" PRIu32 "\"",
        point->denominator, point->numerator);
    put_place(out, point);
    fputs("/>\n", out);
}

static void put_music_time(FILE *out, const struct point *point)
{
    fputs("<MusicTime name=\"\"", out);
    put_place(out, point);
    fputs(">\n", out);
    put_tempo(out, point);
    put_meter(out, point);
    fputs("</MusicTime>\n", out);
}

static void put_map(FILE *out, const struct map *map)
{
    fprintf(out, "<TempoMap superclocks-per-second=\"%d\">\n<Tempos>\n", ARDOUR_CLOCKS_PER_SECOND);
    for (size_t k = 0; k < map->count; k++)
        if (!map->points[k].is_jump &&
            (k == 0 || map->points[k].quarter_bpm != map->points[k - 1].quarter_bpm))
            put_tempo(out, &map->points[k]);
    fputs("</Tempos>\n<Meters>\n", out);
    for (size_t k = 0; k < map->count; k++)
        if (!map->points[k].is_jump && map->points[k].has_meter)
            put_meter(out, &map->points[k]);
    fputs("</Meters>\n<MusicTimes>\n", out);
    for (size_t k = 0; k < map->count; k++)
        if (map->points[k].is_jump)
            put_music_time(out, &map->points[k]);
    fputs("</MusicTimes>\n</TempoMap>\n", out);
}

/* Where the music before a point leads to there. */
static struct point follow(const struct point *before, uint64_t clocks)
{
    struct point point = *before;
    double length = before->numerator * 4.0 / before->denominator;
    double gone =
        (double)(clocks - before->clocks) / ARDOUR_CLOCKS_PER_SECOND / 60 * before->quarter_bpm;
    double quarters = before->beats * 4 / before->denominator + gone;
    double bars = floor(quarters / length + NEAR / before->numerator);
    point.clocks = clocks;
    point.quarters += gone;
    point.bar += (int64_t)bars;
    point.beats = fmax(quarters - bars * length, 0) * before->denominator / 4;
    point.has_meter = point.is_jump = false;
    return point;
}

/* A meter begins: on the bar line that the music has reached, or else a bar begins anew. Ardour
 * wants music times in ascending order of their bars: where the transport was moved back, it counts
 * on. */
static void begin_meter(struct point *point, const struct stem_tempo_event *event,
    const struct stem_tempo_position *stated, bool is_first)
{
    bool is_line = point->beats < NEAR;
    int64_t reached = is_line ? point->bar : point->bar + 1;
    int64_t bar = !stated || (!is_first && stated->bar < reached) ? reached : stated->bar;
    point->is_jump = !is_line || bar != point->bar;
    point->bar = bar > 0 ? bar : 1;
    point->beats = 0;
    point->numerator = event->numerator;
    point->denominator = event->denominator;
    point->has_meter = true;
    /* bars are whole ticks long, and so are they counted from here */
    point->quarters = round(point->quarters * TICKS) / TICKS;
}

/* Of two points at one place the later one holds. At the clock's zero stands no music time: there a
 * tempo and a meter may be of any bar. */
static void add(struct map *map, struct point point)
{
    const struct point *last = &map->points[map->count - 1];
    if (point.clocks == last->clocks) {
        point.has_meter |= last->has_meter;
        point.is_jump |= last->is_jump;
        map->count--;
    }
    if (map->count == 0)
        point.is_jump = false;
    map->points[map->count++] = point;
}

/* All events; the session's beginning has the tempo and meter of the first. */
static void make_map(struct map *map, const struct stem_take *take,
    const struct stem_tempo_map *tempos, const struct stem_tempo_event *events, size_t count)
{
    map->points[map->count++] = (struct point){
        .bar = 1,
        .quarter_bpm = count ? events[0].quarter_bpm : 120,
        .numerator = count ? events[0].numerator : 4,
        .denominator = count ? events[0].denominator : 4,
        .has_meter = true,
    };
    for (size_t k = 0; k < count; k++) {
        struct stem_tempo_position position;
        struct point point = follow(&map->points[map->count - 1],
            ardour_clocks(take, take->time_reference + events[k].frame));
        bool is_stated = stem_tempo_at(tempos, events[k].frame, &position);
        point.quarter_bpm = events[k].quarter_bpm;
        if (events[k].numerator)
            begin_meter(&point, &events[k], is_stated ? &position : NULL, k == 0);
        add(map, point);
    }
}

void ardour_put_tempo(FILE *out, const struct ardour *ardour)
{
    struct stem_take_tempo only;
    struct stem_tempo_event *events;
    const struct stem_tempo_map tempos = stem_tempo_of_take(ardour->take, &only);
    size_t count = stem_tempo_events(&tempos, ardour->take->frames, &events);
    struct map map = {.points = calloc(count + 1, sizeof *map.points)};
    if (map.points) {
        make_map(&map, ardour->take, &tempos, events, count);
        put_map(out, &map);
    }
    free(map.points);
    free(events);
}
