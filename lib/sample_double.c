#include "sample.h"

#include <math.h>

uint64_t stem_sample_doubles_to_int(
    const double *in, int32_t *out, size_t samples, int bits, float *peak)
{
    const double factor = ldexp(1, bits - 1);
    const int64_t most = ((int64_t)1 << (bits - 1)) - 1, least = -most - 1;
    uint64_t clips = 0;
    for (size_t i = 0; i < samples; i++) {
        double scaled = rint(in[i] * factor); /* to nearest, ties to even */
        double held = isnan(scaled) ? 0 : fmin(fmax(scaled, (double)least), (double)most);
        clips += !(scaled == held);
        out[i] = (int32_t)((uint32_t)(int32_t)held << (32 - bits));
        if (fabs(in[i]) > *peak)
            *peak = (float)fabs(in[i]);
    }
    return clips;
}
