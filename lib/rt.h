/* STEM_RT marks what the process thread calls: no allocation, lock, system call or log.
 *
 * A compiler that knows the attribute (clang 20 and later) verifies it with -Wfunction-effects and
 * -fsanitize=realtime; for others the `_rt` suffix of the name says the same to the reader.
 */
#ifndef STEM_RT_H
#define STEM_RT_H

#if defined(__clang__) && __clang_major__ >= 20
#define STEM_RT __attribute__((nonblocking))
#else
#define STEM_RT
#endif

#endif
