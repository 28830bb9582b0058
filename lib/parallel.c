#include "parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_THREADS = 16 };

struct stem_parallel {
    pthread_t threads[MOST_THREADS];
    size_t thread_count; /* beside the caller */

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t begun;
    pthread_cond_t done;
    stem_parallel_work *work;
    void *data;
    size_t count;
    size_t next;    /* piece that nobody has taken */
    size_t working; /* pieces that are being done */
    bool ending;
};

/* Does pieces until none is left. The mutex is held before and after. */
static void take_pieces(struct stem_parallel *parallel)
{
    while (parallel->next < parallel->count) {
        size_t k = parallel->next++;
        parallel->working++;
        pthread_mutex_unlock(&parallel->mutex);
        parallel->work(k, parallel->data);
        pthread_mutex_lock(&parallel->mutex);
        if (--parallel->working == 0 && parallel->next == parallel->count)
            pthread_cond_signal(&parallel->done);
    }
}

static void *live(void *data)
{
    struct stem_parallel *parallel = data;
    pthread_mutex_lock(&parallel->mutex);
    while (!parallel->ending) {
        take_pieces(parallel);
        if (!parallel->ending)
            pthread_cond_wait(&parallel->begun, &parallel->mutex);
    }
    pthread_mutex_unlock(&parallel->mutex);
    return NULL;
}

/* Processors that we may use. */
static size_t processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (size_t)count : 1;
}

struct stem_parallel *stem_parallel_create(size_t pieces)
{
    struct stem_parallel *parallel = calloc(1, sizeof *parallel);
    size_t wanted = processors();
    if (!parallel)
        return NULL;
    wanted = wanted < pieces ? wanted : pieces;
    wanted = wanted < MOST_THREADS ? wanted : MOST_THREADS;
    pthread_mutex_init(&parallel->mutex, NULL);
    pthread_cond_init(&parallel->begun, NULL);
    pthread_cond_init(&parallel->done, NULL);
    while (parallel->thread_count + 1 < wanted &&
           pthread_create(&parallel->threads[parallel->thread_count], NULL, live, parallel) == 0)
        parallel->thread_count++;
    return parallel;
}

void stem_parallel_destroy(struct stem_parallel *parallel)
{
    if (!parallel)
        return;
    pthread_mutex_lock(&parallel->mutex);
    parallel->ending = true;
    pthread_cond_broadcast(&parallel->begun);
    pthread_mutex_unlock(&parallel->mutex);
    for (size_t t = 0; t < parallel->thread_count; t++)
        pthread_join(parallel->threads[t], NULL);
    pthread_cond_destroy(&parallel->done);
    pthread_cond_destroy(&parallel->begun);
    pthread_mutex_destroy(&parallel->mutex);
    free(parallel);
}

void stem_parallel_run(
    struct stem_parallel *parallel, size_t count, stem_parallel_work *work, void *data)
{
    pthread_mutex_lock(&parallel->mutex);
    parallel->work = work;
    parallel->data = data;
    parallel->next = 0;
    parallel->count = count;
    pthread_cond_broadcast(&parallel->begun);
    take_pieces(parallel);
    while (parallel->working > 0)
        pthread_cond_wait(&parallel->done, &parallel->mutex);
    pthread_mutex_unlock(&parallel->mutex);
}
