/* Connections: keeps our inputs connected from what the configuration names.
 *
 * A source is an exact port name or a regular expression between slashes that must match the whole
 * name. Each output port is tried once when it appears (or is renamed), so that a connection which
 * somebody takes away by hand stays away. Keeper thread.
 */
#ifndef STEMD_CONNECTIONS_H
#define STEMD_CONNECTIONS_H

#include "error.h"
#include "jack_client.h"
#include "layout.h"

struct stem_connections;

/* Compiles the patterns. NULL and `error` when one is not a regular expression. */
struct stem_connections *stem_connections_create(
    const struct stem_layout *layout, struct stem_error *error);
void stem_connections_destroy(struct stem_connections *connections);

/* Connects every output port that was not there at the last call, or was refused then. `*made` is
 * the number of new connections. False when something was refused: call it again in a while. */
bool stem_connections_update(
    struct stem_connections *connections, struct stem_jack *jack, unsigned *made);

/* Forgets one port: it appeared anew. */
void stem_connections_renew(struct stem_connections *connections, const char *port);

/* Forgets all ports, for a new server. */
void stem_connections_forget(struct stem_connections *connections);

#endif
