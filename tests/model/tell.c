/* Tells a step of an interleaving that failed. */
#include "explore_parts.h"

#include <stdio.h>

static void tell_end(const char *who, uint32_t result)
{
    static const char *const HOW[] = {
        [MODEL_WORKED] = "", [MODEL_IDLE] = ", idle", [MODEL_DONE] = ", and is done"};
    printf("#   %-9s ends its turn%s\n", who, HOW[result]);
}

void tell_step(const struct step *step)
{
    const char *who = explored->threads[step->thread].name;
    const char *place = step->place >= 0 ? explored->places[step->place].name : "";
    switch (step->kind) {
    case LOAD:
    case TAKE:
        printf("#   %-9s reads  %s: %u%s\n", who, place, step->value,
            step->is_old ? ", not the last value" : "");
        break;
    case STORE:
    case PUT:
        printf("#   %-9s writes %s: %u\n", who, place, step->value);
        break;
    case CHOOSE:
        printf("#   %-9s chooses %u\n", who, step->value);
        break;
    case END:
        tell_end(who, step->value);
        break;
    default: /* fences and what checks remember */
        break;
    }
}
