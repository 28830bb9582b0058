#include "when.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_SECONDS 86400

/* Two digits at `text` within a range; false when they are something else. */
static bool two_digits(const char *text, int least, int most, int *number)
{
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
        return false;
    *number = 10 * (text[0] - '0') + text[1] - '0';
    return *number >= least && *number <= most;
}

/* ".250": nanoseconds; moves on behind them. More digits than nine are passed over. */
static bool read_fraction(const char **text, long *nanoseconds)
{
    long place = 100000000;
    if (**text != '.')
        return true;
    if (!isdigit((unsigned char)*++*text))
        return false;
    for (; isdigit((unsigned char)**text); ++*text, place /= 10)
        *nanoseconds += (**text - '0') * place;
    return true;
}

/* "21:30", "21:30:05", "21:30:05.250"; moves on behind it. */
static bool read_clock(const char **text, struct tm *tm, long *nanoseconds)
{
    *nanoseconds = tm->tm_sec = 0;
    if (!two_digits(*text, 0, 23, &tm->tm_hour) || (*text)[2] != ':' ||
        !two_digits(*text + 3, 0, 59, &tm->tm_min))
        return false;
    *text += 5;
    if (**text != ':')
        return true;
    if (!two_digits(*text + 1, 0, 60, &tm->tm_sec))
        return false;
    *text += 3;
    return read_fraction(text, nanoseconds);
}

/* "2026-11-20T"; moves on behind it. */
static bool read_date(const char **text, struct tm *tm)
{
    int century, year;
    const char *at = *text;
    if (!two_digits(at, 0, 99, &century) || !two_digits(at + 2, 0, 99, &year) || at[4] != '-' ||
        !two_digits(at + 5, 1, 12, &tm->tm_mon) || at[7] != '-' ||
        !two_digits(at + 8, 1, 31, &tm->tm_mday) || (at[10] != 'T' && at[10] != ' '))
        return false;
    tm->tm_year = 100 * century + year - 1900;
    tm->tm_mon--;
    *text += 11;
    return true;
}

/* "Z", "+01:00", "-0530" or "+01": seconds east of Greenwich. */
static bool read_zone(const char *text, long *seconds)
{
    int hours, minutes = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((*text != '+' && *text != '-') || !two_digits(text + 1, 0, 14, &hours))
        return false;
    const char *rest = text[3] == ':' ? text + 4 : text + 3;
    if (text[3] && (!two_digits(rest, 0, 59, &minutes) || rest[2]))
        return false;
    *seconds = (*text == '-' ? -1 : 1) * (3600L * hours + 60L * minutes);
    return true;
}

static bool read_iso(const char *text, struct timespec *when)
{
    struct tm tm = {.tm_isdst = -1};
    long zone = 0;
    if (!read_date(&text, &tm) || !read_clock(&text, &tm, &when->tv_nsec))
        return false;
    struct tm as_read = tm;
    if (*text && !read_zone(text, &zone))
        return false;
    when->tv_sec = *text ? timegm(&tm) - zone : mktime(&tm);
    return as_read.tm_mday == tm.tm_mday || as_read.tm_sec == 60; /* no 31st of November */
}

/* Today, or tomorrow when that is over. */
static bool read_time_of_day(const char *text, struct timespec now, struct timespec *when)
{
    struct tm tm;
    localtime_r(&now.tv_sec, &tm);
    if (!read_clock(&text, &tm, &when->tv_nsec) || *text)
        return false;
    tm.tm_isdst = -1;
    struct tm tomorrow = tm;
    when->tv_sec = mktime(&tm);
    if (when->tv_sec > now.tv_sec || (when->tv_sec == now.tv_sec && when->tv_nsec > now.tv_nsec))
        return true;
    tomorrow.tm_mday++;
    when->tv_sec = mktime(&tomorrow);
    return true;
}

static bool read_seconds(const char *text, struct timespec now, struct timespec *when)
{
    char *rest;
    double seconds = strtod(text + 1, &rest), whole;
    if (!isdigit((unsigned char)text[1]) || *rest || !(seconds <= 366.0 * DAY_SECONDS))
        return false;
    long nanoseconds = now.tv_nsec + lround(modf(seconds, &whole) * 1e9);
    when->tv_sec = now.tv_sec + (time_t)whole + nanoseconds / 1000000000;
    when->tv_nsec = nanoseconds % 1000000000;
    return true;
}

int stemctl_when_parse(
    const char *text, struct timespec now, struct timespec *when, struct stem_error *error)
{
    bool is_read = text[0] == '+'                       ? read_seconds(text, now, when)
                   : strlen(text) > 4 && text[4] == '-' ? read_iso(text, when)
                                                        : read_time_of_day(text, now, when);
    if (is_read)
        return 0;
    return stem_error_set(error,
        "expected now, bar, transport, threshold, or a time such as 21:30, 21:30:05.250, "
        "2026-11-20T21:30:00+01:00 or +90 (seconds from now), found \"%s\"",
        text);
}
