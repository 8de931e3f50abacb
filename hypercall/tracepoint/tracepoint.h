/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface of Microsoft's libtracepoint (LinuxTracepoints, libtracepoint/include/tracepoint/tracepoint.h and
 * tracepoint-state.h, version 1.4), which its documents call replaceable at link time. -lvirtif-tracepoint in place of
 * -ltracepoint brings the events of a program, unchanged, into libvirtif-trace: no kernel with user_events is needed.
 * Types and functions are theirs; compile against their header or this one, whichever is found first.
 *
 * Providers and tracepoints are variables of yours, static as a rule, that begin as *_INIT says and are not touched
 * while in use. Returned are 0 or a positive errno. Any thread; opening and closing one provider is for one at a time.
 */
#pragma once

/* The guards of their headers: whichever of the two comes first is read. */
#ifndef _included_tracepoint_h
#define _included_tracepoint_h 1

#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef _included_tracepoint_state_h
#define _included_tracepoint_state_h 1

typedef struct tracepoint_list_node tracepoint_list_node;
struct tracepoint_list_node {
  tracepoint_list_node *next, *prev;
};

/* A component's connection. */
typedef struct tracepoint_provider_state {
  int data_file; /* -1: closed */
  unsigned ref_count;
  tracepoint_list_node tracepoint_list_head; /* of its tracepoints */
} tracepoint_provider_state;
#define TRACEPOINT_PROVIDER_STATE_INIT \
  {                                    \
    -1, 0, {                           \
      0, 0                             \
    }                                  \
  }

/* An event that the component may write. */
typedef struct tracepoint_state {
  unsigned status_word; /* not 0: somebody records it */
  int write_index;      /* -1: not registered */
  tracepoint_provider_state const* provider_state;
  tracepoint_list_node tracepoint_list_link;
} tracepoint_state;
#define TRACEPOINT_STATE_INIT \
  {                           \
    0, -1, 0, { 0, 0 }        \
  }

/* Whether it is worth while to call tracepoint_write. */
#define TRACEPOINT_ENABLED(tp_state) __atomic_load_n(&(tp_state)->status_word, __ATOMIC_RELAXED)

#endif

typedef struct tracepoint_definition {
  tracepoint_state* state;
  char const* tp_name_args;
} tracepoint_definition;

/* Tracepoints that were connected before are as new again. EBUSY: it is open (theirs aborts); ENOMEM. */
int tracepoint_open_provider(tracepoint_provider_state* provider_state);

/* Opens, then connects what the array points to, without asking whether that works: each once, up to the first NULL of
 * what it has sorted the array into. */
int tracepoint_open_provider_with_tracepoints(tracepoint_provider_state* provider_state,
                                              tracepoint_definition const** tp_definition_start,
                                              tracepoint_definition const** tp_definition_stop);

/* Disconnects its tracepoints; they are as new again. A provider that is closed stays so. */
void tracepoint_close_provider(tracepoint_provider_state* provider_state);

/* From the provider it had, if any, to this one; NULL: to none. To a closed one it is connected until that opens, and
 * does nothing. `tp_name_args`: "MyEvent u16 one; u8 two", registered with the kernel's errors; after one the
 * tracepoint is connected as well, and does nothing. An event keeps its fields until the process ends, other than with
 * the kernel, which forgets those of a provider that closes: other fields for its name are EADDRINUSE then, too. */
int tracepoint_connect(tracepoint_state* tp_state, tracepoint_provider_state* provider_state, char const* tp_name_args);

/* With the kernel's flags: 1 persists, 2 multi-format. */
int tracepoint_connect2(tracepoint_state* tp_state, tracepoint_provider_state* provider_state, char const* tp_name_args,
                        unsigned flags);

/* The payload is in data_vecs[1] and what follows it; data_vecs[0] is {NULL, 0} and the function's. EBADF: nobody
 * records it, or it is not connected; else as virtif_trace_write. */
int tracepoint_write(tracepoint_state const* tp_state, unsigned data_count, struct iovec* data_vecs);

#ifdef __cplusplus
}
#endif

#endif
