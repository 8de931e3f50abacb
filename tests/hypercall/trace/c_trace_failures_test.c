/* SPDX-License-Identifier: BSD-2-Clause */
/* libvirtif-trace where something goes wrong: the disk, the thread's own end, a handle that is none. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hypercall/trace/virtif_trace.h"
#include "tests/hypercall/host/tap.h"

enum { kRecords = 1000 };

static struct virtif_trace* trace;

static int reg_event(struct virtif_trace_file* file, const char* command, uint32_t* word) {
  struct virtif_trace_reg reg = {.size = sizeof reg, .command = command, .word = word};
  int error = virtif_trace_register(file, &reg);
  return error == 0 ? reg.index : error;
}

/* A disk that is full from the beginning, and one that is later: what the second had taken is lost, and told of. */
static void test_full_disk(void) {
  char path[] = "/tmp/vif-c-trace-XXXXXX";
  close(mkstemp(path));
  uint32_t word = 0;
  struct virtif_trace_file* file = NULL;
  struct virtif_trace_recording* recording = NULL;
  virtif_trace_file_open(trace, NULL, &file);
  int32_t index = reg_event(file, "tick u64 n; u64 more", &word);
  virtif_trace_record(trace, NULL, &recording);
  struct virtif_trace_saved wrong = {.size = 1};
  CHECK(virtif_trace_stop(recording, path, &wrong) == -EINVAL && word == 1, "a wrong size stops nothing");
  uint64_t numbers[2] = {0, 0};
  struct iovec iov = {numbers, sizeof numbers};
  for (; numbers[0] < kRecords; ++numbers[0]) virtif_trace_write(file, index, &iov, 1);
  struct virtif_trace_saved saved = {.size = sizeof saved};
  CHECK(virtif_trace_stop(recording, "/dev/full", &saved) == -ENOSPC, "a full disk is ENOSPC");
  struct rlimit before, small;
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 20000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  int limited = virtif_trace_stop(recording, path, &saved);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(limited == -EFBIG, "a limit that is met later has its errno, too");
  CHECK(virtif_trace_stop(recording, path, &saved) == 0, "stopped again it is saved");
  CHECK(saved.events > 0 && saved.lost > 0 && saved.events + saved.lost == kRecords, "and nothing is unaccounted for");
  virtif_trace_file_close(file);
  unlink(path);
}

static void* stop_cancelled(void* recording) {
  pthread_cancel(pthread_self());
  return virtif_trace_stop(recording, "/dev/null", NULL) == 0 ? &trace : NULL;
}

static void test_cancelling(void) {
  struct virtif_trace_recording* recording = NULL;
  virtif_trace_record(trace, NULL, &recording);
  pthread_t thread;
  void* stopped = NULL;
  pthread_create(&thread, NULL, stop_cancelled, recording);
  pthread_join(thread, &stopped);
  CHECK(stopped == &trace, "a thread is not cancelled within a call");
}

static void test_nothing(void) {
  struct virtif_trace_file* file = NULL;
  struct virtif_trace_recording* recording = NULL;
  uint32_t word = 0;
  CHECK(virtif_trace_group_create(NULL, "a") == -EFAULT && virtif_trace_group_remove(NULL, "a") == -EFAULT &&
            virtif_trace_group_list(NULL, NULL, 0) == -EFAULT && virtif_trace_file_open(NULL, NULL, &file) == -EFAULT &&
            virtif_trace_record(NULL, NULL, &recording) == -EFAULT,
        "no handle is EFAULT: no trace");
  CHECK(reg_event(NULL, "tick u64 n", &word) == -EFAULT && virtif_trace_unregister(NULL, &word, 0) == -EFAULT &&
            virtif_trace_delete(NULL, "a") == -EFAULT && virtif_trace_write(NULL, 0, NULL, 0) == -EFAULT &&
            virtif_trace_stop(NULL, NULL, NULL) == -EFAULT,
        "no file, no recording");
}

int main(void) {
  CHECK(virtif_trace_open(&trace) == 0, "it opens");
  test_full_disk();
  test_cancelling();
  test_nothing();
  CHECK(virtif_trace_close(trace) == 0, "and closes");
  return tap_end();
}
