#include "projects.h"

#include "ardour_session.h"
#include "rpp.h"

const struct stem_project STEM_PROJECTS[STEM_PROJECT_KINDS] = {
    {STEM_RPP_FILE, stem_rpp_write},
    {STEM_ARDOUR_FILE, stem_ardour_session_write},
};

bool stem_projects_are_theirs(const char *folder)
{
    for (int k = 0; k < STEM_PROJECT_KINDS; k++)
        if (stem_project_is_theirs(folder, STEM_PROJECTS[k].file))
            return true;
    return false;
}
