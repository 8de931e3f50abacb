/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the events of libtracepoint's interface (tracepoint.h) are: one table in the process, as the interface knows no
 * other. Without a word in the program, VIRTIF_TRACEPOINT_RECORD=FILE in its environment records all of them, from the
 * first provider that opens to exit(3), into a trace.dat: up to 64 MiB of each thread, the oldest. FILE is made at once
 * and means the folder the program is in then; standard error is told what cannot be done, and what was lost. Only the
 * process whose provider opened first is recorded: not its children, so that a daemon opens its providers once it is in
 * the background; and nothing of one that ends by a signal or _exit(2). As long as it lives, FILE is its own: another
 * program with that environment, as one it executes, is told "Device or resource busy" and not recorded; one that
 * begins later writes FILE anew.
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
