#include "osc_commands_parts.h"

#include <math.h>
#include <string.h>

void osc_call_refuse(const struct osc_call *call, enum stem_code code, const char *text)
{
    stem_osc_error(&call->request->from, call->path, code, text);
}

void osc_call_reply(const struct osc_call *call, const char *text)
{
    stem_osc_reply(&call->request->from, call->path, text);
}

int osc_call_count(const struct osc_call *call)
{
    return lo_message_get_argc(call->request->message);
}

const char *osc_call_text(const struct osc_call *call, int index)
{
    const char *types = lo_message_get_types(call->request->message);
    if (index >= osc_call_count(call) || (types[index] != 's' && types[index] != 'S'))
        return NULL;
    return (const char *)lo_message_get_argv(call->request->message)[index];
}

bool osc_call_number(const struct osc_call *call, int index, double *number)
{
    if (index >= osc_call_count(call))
        return false;
    lo_type type = (lo_type)lo_message_get_types(call->request->message)[index];
    lo_arg *argument = lo_message_get_argv(call->request->message)[index];
    if (type == LO_TRUE || type == LO_FALSE)
        *number = type == LO_TRUE;
    else if (lo_is_numerical_type(type))
        *number = (double)lo_hires_val(type, argument);
    else
        return false;
    return isfinite(*number);
}

bool osc_call_copy_text(const struct osc_call *call, int index, char text[STEM_TEXT_BYTES])
{
    const char *argument = osc_call_text(call, index);
    if (!argument) {
        osc_call_refuse(call, STEM_CODE_ARGUMENTS, "expected a string");
        return false;
    }
    if (strlen(argument) >= STEM_TEXT_BYTES) {
        osc_call_refuse(call, STEM_CODE_ARGUMENTS, "the text is longer than 255 bytes");
        return false;
    }
    strcpy(text, argument);
    return true;
}

bool osc_call_copy_only_text(const struct osc_call *call, char text[STEM_TEXT_BYTES])
{
    if (osc_call_count(call) == 1)
        return osc_call_copy_text(call, 0, text);
    osc_call_refuse(call, STEM_CODE_ARGUMENTS, "expected one string");
    return false;
}
