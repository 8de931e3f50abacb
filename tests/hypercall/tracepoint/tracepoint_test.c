/* SPDX-License-Identifier: BSD-2-Clause */
/* libtracepoint's functions, asked for what their documents promise. */
#include "hypercall/tracepoint/tracepoint.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "hypercall/trace/virtif_trace.h"
#include "hypercall/tracepoint/virtif_tracepoint.h"
#include "tests/hypercall/host/tap.h"

static tracepoint_provider_state provider = TRACEPOINT_PROVIDER_STATE_INIT;
static tracepoint_state tick = TRACEPOINT_STATE_INIT, tock = TRACEPOINT_STATE_INIT;

static bool is_new(const tracepoint_state* point) {
  return point->status_word == 0 && point->write_index == -1 && point->provider_state == NULL &&
         point->tracepoint_list_link.next == NULL && point->tracepoint_list_link.prev == NULL;
}

static struct virtif_trace_recording* record(const char* pattern) {
  struct virtif_trace_config config = {.size = sizeof config, .pattern = pattern};
  struct virtif_trace_recording* recording = NULL;
  return virtif_trace_record(virtif_tracepoint_table(), &config, &recording) == 0 ? recording : NULL;
}

static uint64_t events_of(struct virtif_trace_recording* recording) {
  struct virtif_trace_saved saved = {.size = sizeof saved};
  return virtif_trace_stop(recording, "/dev/null", &saved) == 0 ? saved.events : 999;
}

static int write_number(const tracepoint_state* point, unsigned number) {
  struct iovec data[] = {{NULL, 0}, {&number, sizeof number}};
  return tracepoint_write(point, 2, data);
}

/* What programs compiled against Microsoft's header have in their memory. */
static void test_layout(void) {
  CHECK(sizeof(tracepoint_provider_state) == 24 && offsetof(tracepoint_provider_state, tracepoint_list_head) == 8,
        "a provider is laid out as theirs");
  CHECK(sizeof(tracepoint_state) == 32 && offsetof(tracepoint_state, write_index) == 4 &&
            offsetof(tracepoint_state, provider_state) == 8 && offsetof(tracepoint_state, tracepoint_list_link) == 16,
        "so is a tracepoint");
}

static void test_closed_provider(void) {
  CHECK(write_number(&tick, 1) == EBADF, "what is not connected is EBADF");
  CHECK(tracepoint_connect(&tick, &provider, "tick u32 n") == 0 && tick.provider_state == &provider,
        "a closed provider can be connected to");
  CHECK(tick.write_index == -1 && write_number(&tick, 1) == EBADF, "and nothing comes of it");
  CHECK(tracepoint_open_provider(&provider) == 0 && is_new(&tick), "opening it resets what was connected");
  CHECK(tracepoint_open_provider(&provider) == EBUSY, "it opens once");
}

static void test_connecting(void) {
  tracepoint_provider_state other = TRACEPOINT_PROVIDER_STATE_INIT;
  CHECK(tracepoint_connect(&tick, &provider, "tick u32 n") == 0 && tick.write_index >= 0, "a tracepoint is registered");
  CHECK(!TRACEPOINT_ENABLED(&tick) && write_number(&tick, 1) == EBADF, "unrecorded it is EBADF");
  struct virtif_trace_recording* recording = record("tick");
  CHECK(TRACEPOINT_ENABLED(&tick), "recording enables it");
  CHECK(write_number(&tick, 1) == 0 && write_number(&tick, 2) == 0, "and it is written");
  struct iovec nothing = {NULL, 0};
  CHECK(tracepoint_write(&tick, 1, &nothing) == EINVAL, "with its fields");
  CHECK(tracepoint_connect(&tock, &provider, "tick u64 n") == EADDRINUSE && tock.provider_state == &provider &&
            tock.write_index == -1,
        "a tracepoint whose registering fails is connected and says why");
  CHECK(tracepoint_connect(&tock, &provider, "tick u32 n") == 0 && tock.write_index == tick.write_index,
        "two may be one event");
  CHECK(TRACEPOINT_ENABLED(&tock) && write_number(&tock, 3) == 0, "at once");
  CHECK(tracepoint_open_provider(&other) == 0 && tracepoint_connect(&tock, &other, "tick u32 n") == 0 &&
            tock.provider_state == &other && provider.ref_count == 1 && other.ref_count == 1,
        "one changes providers");
  CHECK(tracepoint_connect(&tock, NULL, NULL) == 0 && is_new(&tock), "or has none");
  CHECK(tracepoint_connect(&tock, &other, NULL) == EFAULT, "a name there has to be");
  tracepoint_close_provider(&other);
  CHECK(is_new(&tock) && other.data_file == -1, "closing resets what is connected");
  tracepoint_close_provider(&other);
  tracepoint_close_provider(&provider);
  CHECK(is_new(&tick) && write_number(&tick, 4) == EBADF, "closed twice or once, nothing is written");
  CHECK(events_of(recording) == 3, "three records were");
}

static void test_empty_event(void) {
  struct iovec nothing = {NULL, 0};
  tracepoint_open_provider(&provider);
  tracepoint_connect(&tick, &provider, "empty");
  struct virtif_trace_recording* recording = record("empty");
  CHECK(tracepoint_write(&tick, 1, &nothing) == 0 && events_of(recording) == 1, "an event without fields is one");
  tracepoint_close_provider(&provider);
}

static void test_flags(void) {
  tracepoint_open_provider(&provider);
  CHECK(tracepoint_connect2(&tick, &provider, "formats u32 n", 2) == 0 &&
            tracepoint_connect2(&tock, &provider, "formats u64 n", 2) == 0,
        "multi-format: two of one name");
  CHECK(tracepoint_connect2(&tick, &provider, "kept u32 n", 1) == 0, "persistent");
  CHECK(tracepoint_connect2(&tock, &provider, "other u32 n", 4) == EINVAL, "no other flag");
  tracepoint_close_provider(&provider);
}

/* Not as with the kernel, and said so. */
static void test_an_events_fields_stay(void) {
  tracepoint_open_provider(&provider);
  CHECK(tracepoint_connect(&tick, &provider, "stays u32 n") == 0, "an event is made");
  tracepoint_close_provider(&provider);
  tracepoint_open_provider(&provider);
  CHECK(tracepoint_connect(&tick, &provider, "stays u64 n") == EADDRINUSE &&
            tracepoint_connect(&tick, &provider, "stays u32 n") == 0,
        "and has its fields as long as the process");
  tracepoint_close_provider(&provider);
}

static void test_with_tracepoints(void) {
  tracepoint_definition one = {&tick, "one u32 n"}, two = {&tock, "two u32 n"};
  tracepoint_definition const* all[] = {&one, NULL, &two, &one, NULL, &two};
  CHECK(tracepoint_open_provider_with_tracepoints(&provider, all, all + 6) == 0,
        "a provider opens with its tracepoints");
  CHECK(tick.write_index >= 0 && tock.write_index >= 0 && provider.ref_count == 2,
        "each once, whatever is between them");
  CHECK(all[0] != NULL && all[1] != NULL && all[2] == NULL && all[5] == NULL, "NULLs are last now");
  CHECK(tracepoint_open_provider_with_tracepoints(&provider, all, all) == EBUSY, "once");
  tracepoint_close_provider(&provider);
  CHECK(tracepoint_open_provider_with_tracepoints(&provider, all, all) == 0 && is_new(&tick), "or without any");
  tracepoint_close_provider(&provider);
}

static bool is_over;

static void* keep_writing(void* cookie) {
  (void)cookie;
  int wrong = 0;
  while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
    int error = write_number(&tick, 7);
    wrong += error != 0 && error != EBADF;
  }
  return wrong == 0 ? NULL : &is_over;
}

static void test_threads(void) {
  pthread_t threads[2];
  void *one, *two;
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, keep_writing, NULL);
  for (int i = 0; i < 200; ++i) {
    tracepoint_open_provider(&provider);
    tracepoint_connect(&tick, &provider, "tick u32 n");
    struct virtif_trace_recording* recording = record("tick");
    tracepoint_close_provider(&provider);
    events_of(recording);
  }
  __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
  pthread_join(threads[0], &one);
  pthread_join(threads[1], &two);
  CHECK(one == NULL && two == NULL, "writes go on while providers come and go");
}

int main(void) {
  CHECK(virtif_tracepoint_table() != NULL, "there is a table");
  test_layout();
  test_closed_provider();
  test_connecting();
  test_empty_event();
  test_flags();
  test_an_events_fields_stay();
  test_with_tracepoints();
  test_threads();
  return tap_end();
}
