/* SPDX-License-Identifier: BSD-2-Clause */
/* LTTng's event of two u32, for trace_bench.cpp; a tracepoint provider is included several times over. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER vif_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tests/bench/lttng_events.h"

#ifdef LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ
#undef VIF_LTTNG_EVENTS_H
#endif

#ifndef VIF_LTTNG_EVENTS_H
#define VIF_LTTNG_EVENTS_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(vif_bench, two, LTTNG_UST_TP_ARGS(unsigned, a, unsigned, b),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(unsigned, a, a)
                                                   lttng_ust_field_integer(unsigned, b, b)))
LTTNG_UST_TRACEPOINT_EVENT(vif_bench, off, LTTNG_UST_TP_ARGS(unsigned, a, unsigned, b),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(unsigned, a, a)
                                                   lttng_ust_field_integer(unsigned, b, b)))

#endif

#include <lttng/tracepoint-event.h>
