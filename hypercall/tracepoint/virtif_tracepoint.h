/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the events of libtracepoint's interface (tracepoint.h) are: one table in the process, as the interface knows no
 * other. Without a word in the program, VIRTIF_TRACEPOINT_RECORD=FILE in its environment records all of them, from the
 * first provider that opens to exit(3), into a trace.dat; a FILE that cannot be written is told of on standard error.
 */
#ifndef VIRTIF_TRACEPOINT_H
#define VIRTIF_TRACEPOINT_H

struct virtif_trace;

#ifdef __cplusplus
extern "C" {
#endif

/* To record with virtif_trace.h. Made the first time, and never closed. Any thread. NULL: no memory, or no key for
 * threads. */
__attribute__((visibility("default"))) struct virtif_trace* virtif_tracepoint_table(void);

#ifdef __cplusplus
}
#endif

#endif
