/* Whether bytes are a whole OSC 1.0 message. liblo 0.31 trusts the last blob's size without looking
 * whether there is one, so packets from outside are checked first. */
#ifndef STEM_OSC_MESSAGE_H
#define STEM_OSC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Path, type tags and arguments of the types that liblo knows, each padded to four bytes, and
 * nothing behind them. Any thread. */
bool stem_osc_message_valid(const void *bytes, size_t size);

#endif
