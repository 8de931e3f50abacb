/* SPDX-License-Identifier: BSD-2-Clause */
/* Records three events of its own into trace.dat, for `trace-cmd report` or `virtifctl trace report`. */
#include <stdio.h>
#include <string.h>
#include <virtif_trace.h>

static uint32_t dropping; /* not 0: somebody records net_drop */

static void drop(struct virtif_trace_file* file, int32_t index, uint32_t reason, const char* ifname) {
  if (!VIRTIF_TRACE_ENABLED(&dropping)) return;
  uint32_t bytes = (uint32_t)strlen(ifname) + 1;
  uint32_t location = bytes << 16; /* the text comes right behind its field */
  struct iovec iov[] = {{&reason, sizeof reason}, {&location, sizeof location}, {(void*)ifname, bytes}};
  virtif_trace_write(file, index, iov, 3);
}

static int run(struct virtif_trace* trace, const char* path) {
  struct virtif_trace_file* file = NULL;
  struct virtif_trace_recording* recording = NULL;
  struct virtif_trace_reg reg = {
      .size = sizeof reg, .command = "net_drop u32 reason; __rel_loc char[] ifname", .word = &dropping};
  struct virtif_trace_config config = {.size = sizeof config, .pattern = "mine:*", .filter = "reason < 4"};
  struct virtif_trace_saved saved = {.size = sizeof saved};
  int error = virtif_trace_group_create(trace, "mine");
  if (error == 0) error = virtif_trace_file_open(trace, "mine", &file);
  if (error == 0) error = virtif_trace_register(file, &reg);
  if (error == 0) error = virtif_trace_record(trace, &config, &recording);
  for (uint32_t reason = 1; error == 0 && reason < 6; ++reason) drop(file, reg.index, reason, "virt0");
  if (error == 0) error = virtif_trace_stop(recording, path, &saved);
  virtif_trace_file_close(file);
  if (error == 0) printf("%llu events in %s\n", (unsigned long long)saved.events, path);
  return error;
}

int main(int argc, char** argv) {
  struct virtif_trace* trace = NULL;
  int error = virtif_trace_open(&trace);
  if (error == 0) error = run(trace, argc > 1 ? argv[1] : "trace.dat");
  virtif_trace_close(trace);
  if (error != 0) fprintf(stderr, "trace: %s\n", strerror(-error));
  return error != 0;
}
