/* What real-time code must not do, so that the check is seen to find it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

void *not_rt(pthread_mutex_t *mutex);

void *not_rt(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
    printf("now\n");
    return malloc(8);
}
