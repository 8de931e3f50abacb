/* SPDX-License-Identifier: BSD-2-Clause */
/* libvirtif-trace as a C program uses it: groups, registering, writing, and a recording that trace-cmd reads back. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hypercall/trace/virtif_trace.h"
#include "tests/hypercall/host/tap.h"

#define COMMAND "net_drop u32 reason; __rel_loc char[] ifname"

static struct virtif_trace* trace;

static int reg_event(struct virtif_trace_file* file, const char* command, uint32_t* word, uint32_t flags) {
  struct virtif_trace_reg reg = {.size = sizeof reg, .command = command, .word = word, .flags = flags};
  int error = virtif_trace_register(file, &reg);
  return error == 0 ? reg.index : error;
}

static ssize_t write_drop(struct virtif_trace_file* file, int32_t index, uint32_t reason, const char* ifname) {
  uint32_t bytes = (uint32_t)strlen(ifname) + 1, location = bytes << 16;
  struct iovec iov[] = {{&reason, sizeof reason}, {&location, sizeof location}, {(void*)ifname, bytes}};
  return virtif_trace_write(file, index, iov, 3);
}

static void test_groups(void) {
  char names[16];
  CHECK(virtif_trace_group_list(trace, names, sizeof names) == 0, "at first there is the root group alone");
  CHECK(virtif_trace_group_create(trace, "one") == 0 && virtif_trace_group_create(trace, "two") == 0,
        "groups are made");
  CHECK(virtif_trace_group_create(trace, "one") == -EEXIST, "a name is taken once");
  CHECK(virtif_trace_group_create(trace, "a/b") == -EINVAL, "a name with '/' is EINVAL");
  CHECK(virtif_trace_group_create(trace, NULL) == -EFAULT, "no name is EFAULT");
  CHECK(virtif_trace_group_list(trace, NULL, 0) == 8, "the list's length can be asked for");
  CHECK(virtif_trace_group_list(trace, names, 7) == -ERANGE, "what is too small for it is ERANGE");
  CHECK(virtif_trace_group_list(trace, names, 8) == 8 && memcmp(names, "one\0two", 8) == 0, "and it has both names");
  struct virtif_trace_file* file = NULL;
  CHECK(virtif_trace_file_open(trace, "three", &file) == -ENOENT, "an unknown group cannot be opened");
  CHECK(virtif_trace_file_open(trace, "two", &file) == 0, "a known one can");
  CHECK(virtif_trace_group_remove(trace, "two") == -EBUSY, "and is not removed meanwhile");
  CHECK(virtif_trace_close(trace) == -EBUSY, "nor is all of it closed");
  virtif_trace_file_close(file);
  CHECK(virtif_trace_group_remove(trace, "two") == 0 && virtif_trace_group_remove(trace, "two") == -ENOENT,
        "without files it goes, once");
}

static void test_registering(void) {
  uint32_t word = 0, other = 0;
  struct virtif_trace_file *file = NULL, *second = NULL;
  virtif_trace_file_open(trace, NULL, &file);
  virtif_trace_file_open(trace, NULL, &second);
  CHECK(reg_event(file, COMMAND, &word, 0) == 0, "an event is registered");
  CHECK(reg_event(file, COMMAND, &word, 0) == -EADDRINUSE, "a bit of a word once");
  CHECK(reg_event(file, COMMAND, &other, 0) == 0, "again, by another word: the same index");
  CHECK(reg_event(file, "net_drop u64 reason", &other + 0, 0) == -EADDRINUSE, "other fields are EADDRINUSE");
  CHECK(reg_event(file, "tick u32", &other, 0) == -EADDRINUSE, "the word is looked at first");
  CHECK(virtif_trace_unregister(file, &other, 0) == 0 && virtif_trace_unregister(file, &other, 0) == -ENOENT,
        "a bit is unregistered once");
  CHECK(virtif_trace_unregister(second, &word, 0) == -ENOENT, "and by who registered it");
  CHECK(reg_event(file, "tick u32", &other, 0) == -EINVAL, "the grammar is the kernel's");
  CHECK(reg_event(file, COMMAND, NULL, 0) == -EFAULT && reg_event(file, NULL, &other, 0) == -EFAULT,
        "no word, no command: EFAULT");
  CHECK(reg_event(file, "tick", &other, 8) == -EINVAL, "an unknown flag is EINVAL");
  struct virtif_trace_reg reg = {.size = sizeof reg, .command = "tick", .word = &other, .bit = 32};
  CHECK(virtif_trace_register(file, &reg) == -EINVAL, "bit 32 of 32 is EINVAL");
  CHECK(virtif_trace_delete(second, "net_drop") == -EBUSY, "an event in use is not deleted");
  virtif_trace_file_close(file);
  CHECK(virtif_trace_delete(second, "net_drop") == -ENOENT, "it goes with its last file");

  virtif_trace_file_open(trace, NULL, &file);
  reg_event(file, "kept u32 n", &word, VIRTIF_TRACE_PERSIST);
  virtif_trace_file_close(file);
  CHECK(virtif_trace_delete(second, "kept") == 0, "one that persists waits to be deleted");
  CHECK(reg_event(second, "many u32 n", &word, VIRTIF_TRACE_MULTI_FORMAT) == 0 &&
            reg_event(second, "many u64 n", &other, VIRTIF_TRACE_MULTI_FORMAT) == 1,
        "with multi-format two may have one name");
  virtif_trace_file_close(second);
}

static void test_writing(void) {
  uint32_t word = 0;
  struct virtif_trace_file* file = NULL;
  struct virtif_trace_recording* recording = NULL;
  virtif_trace_file_open(trace, "one", &file);
  int32_t index = reg_event(file, COMMAND, &word, 0);
  CHECK(!VIRTIF_TRACE_ENABLED(&word) && write_drop(file, index, 1, "virt0") == -EBADF, "unrecorded it is disabled");
  struct virtif_trace_config config = {.size = sizeof config, .pattern = "one:*", .filter = "reason > 4"};
  CHECK(virtif_trace_record(trace, &config, &recording) == 0 && word == 1, "recording sets the bit");
  CHECK(write_drop(file, index, 5, "virt0") == 14 && write_drop(file, index, 3, "virt0") == 14, "records are written");
  CHECK(write_drop(file, index + 1, 5, "virt0") == -ENOENT && write_drop(file, -1, 5, "virt0") == -EINVAL,
        "by an index there is");
  struct iovec half = {&word, 2}, endless[] = {{&word, (size_t)-1}, {&word, 2}};
  CHECK(virtif_trace_write(file, index, &half, 1) == -EINVAL, "a record shorter than its fields is EINVAL");
  CHECK(virtif_trace_write(file, index, endless, 2) == -EINVAL, "and one longer than memory");
  struct {
    uint32_t reason, location;
  } outside = {9, 5 << 16 | 100};
  struct iovec far = {&outside, sizeof outside};
  CHECK(virtif_trace_write(file, index, &far, 1) == -EFAULT, "a location outside is EFAULT");
  struct virtif_trace_saved saved = {.size = sizeof saved};
  CHECK(virtif_trace_stop(recording, "/no/such/folder/trace.dat", &saved) == -ENOENT, "where it cannot be saved");
  CHECK(word == 0, "it records no more all the same");
  CHECK(virtif_trace_stop(recording, NULL, &saved) == 0 && saved.events == 0, "and can be thrown away");
  virtif_trace_file_close(file);
}

static void test_losses_without_a_file(void) {
  uint32_t word = 0, offered = 5000;
  struct virtif_trace_file* file = NULL;
  virtif_trace_file_open(trace, "one", &file);
  int32_t index = reg_event(file, COMMAND, &word, 0);
  uint64_t lost[2] = {0, 0};
  for (uint32_t flags = 0; flags <= VIRTIF_TRACE_OVERWRITE; ++flags) {
    struct virtif_trace_recording* recording = NULL;
    struct virtif_trace_config config = {.size = sizeof config, .pattern = "one:*", .ring_kib = 8, .flags = flags};
    virtif_trace_record(trace, &config, &recording);
    for (uint32_t i = 0; i < offered; ++i) write_drop(file, index, i, "virt0");
    struct virtif_trace_saved saved = {.size = sizeof saved};
    if (virtif_trace_stop(recording, NULL, &saved) == 0) lost[flags] = saved.lost;
  }
  CHECK(lost[0] > offered / 2 && lost[0] < offered, "without a file a full ring's losses are told");
  CHECK(lost[1] > offered / 2 && lost[1] < offered, "and what was overwritten");
  virtif_trace_file_close(file);
}

static void test_settings(void) {
  struct virtif_trace_recording* recordings[9] = {NULL};
  struct virtif_trace_config config = {.size = sizeof config, .ring_kib = 3};
  CHECK(virtif_trace_record(trace, &config, recordings) == -EINVAL, "a ring is of whole pages");
  config = (struct virtif_trace_config){.size = sizeof config, .flags = 2};
  CHECK(virtif_trace_record(trace, &config, recordings) == -EINVAL, "an unknown flag is EINVAL");
  int begun = 0;
  while (begun < 9 && virtif_trace_record(trace, NULL, &recordings[begun]) == 0) ++begun;
  CHECK(begun == 8 && virtif_trace_record(trace, NULL, &recordings[8]) == -EBUSY, "eight may record at once");
  while (begun > 0) virtif_trace_stop(recordings[--begun], NULL, NULL);
}

/* --- a recording of several threads, as trace-cmd shows it -------------------------------------------------------- */

enum { kThreads = 4, kRecords = 1000 };

struct worker {
  pthread_t thread;
  struct virtif_trace_file* file;
  int32_t index;
  uint32_t number, failed;
};

static void* work(void* cookie) {
  struct worker* worker = cookie;
  for (uint32_t i = 0; i < kRecords; ++i) {
    worker->failed += write_drop(worker->file, worker->index, worker->number * kRecords + i, "virt0") != 14;
  }
  return NULL;
}

/* How many lines `command` prints that contain `text`. */
static unsigned lines_with(const char* command, const char* text) {
  FILE* out = popen(command, "r");
  unsigned lines = 0;
  char line[512];
  while (out != NULL && fgets(line, sizeof line, out) != NULL) lines += strstr(line, text) != NULL;
  if (out != NULL) pclose(out);
  return lines;
}

static void test_recording(void) {
  char folder[] = "/tmp/vif-c-trace-XXXXXX", path[64], command[128];
  if (mkdtemp(folder) == NULL) folder[0] = '\0';
  snprintf(path, sizeof path, "%s/trace.dat", folder);
  snprintf(command, sizeof command, "trace-cmd report -i %s 2>&1", path);
  uint32_t word = 0, failed = 0;
  struct virtif_trace_file* file = NULL;
  struct virtif_trace_recording* recording = NULL;
  virtif_trace_file_open(trace, "one", &file);
  int32_t index = reg_event(file, COMMAND, &word, 0);
  struct virtif_trace_config config = {.size = sizeof config, .ring_kib = 64, .flags = VIRTIF_TRACE_OVERWRITE};
  virtif_trace_record(trace, &config, &recording);
  struct worker workers[kThreads];
  for (uint32_t i = 0; i < kThreads; ++i) {
    workers[i] = (struct worker){.file = file, .index = index, .number = i};
    pthread_create(&workers[i].thread, NULL, work, &workers[i]);
  }
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(workers[i].thread, NULL);
    failed += workers[i].failed;
  }
  CHECK(failed == 0, "every thread writes");
  struct virtif_trace_saved saved = {.size = sizeof saved};
  CHECK(virtif_trace_stop(recording, path, &saved) == 0, "what ended threads wrote is saved");
  CHECK(saved.events == kThreads * kRecords && saved.lost == 0, "all of it");
  virtif_trace_file_close(file);
  if (system("command -v trace-cmd >/dev/null") != 0) {
    printf("ok %d - trace-cmd reads it # SKIP trace-cmd is not installed\n", ++tap_checks);
  } else {
    CHECK(lines_with(command, "net_drop:") == kThreads * kRecords, "trace-cmd reads every record");
    CHECK(lines_with(command, "reason=3999 ifname=virt0") == 1, "with its values");
    CHECK(lines_with(command, "c_trace_test-") == kThreads * kRecords, "and the names of its threads");
  }
  unlink(path);
  rmdir(folder);
}

/* Threads come, write and go while recordings begin and end. */

static bool is_over;

static void* come_and_go(void* cookie) {
  while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
    struct worker worker = *(struct worker*)cookie;
    if (pthread_create(&worker.thread, NULL, work, &worker) == 0) pthread_join(worker.thread, NULL);
  }
  return NULL;
}

static void test_turmoil(void) {
  uint32_t word = 0;
  struct worker workers[2];
  struct virtif_trace_file* file = NULL;
  virtif_trace_file_open(trace, NULL, &file);
  int32_t index = reg_event(file, COMMAND, &word, 0);
  for (int i = 0; i < 2; ++i) {
    workers[i] = (struct worker){.file = file, .index = index};
    pthread_create(&workers[i].thread, NULL, come_and_go, &workers[i]);
  }
  int good = 0;
  for (int i = 0; i < 50; ++i) {
    struct virtif_trace_recording* recording = NULL;
    struct virtif_trace_saved saved = {.size = sizeof saved};
    if (virtif_trace_record(trace, NULL, &recording) != 0) continue;
    good += virtif_trace_stop(recording, "/dev/null", &saved) == 0;
  }
  __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
  for (int i = 0; i < 2; ++i) pthread_join(workers[i].thread, NULL);
  CHECK(good == 50 && word == 0, "recordings come and go as threads do");
  virtif_trace_file_close(file);
}

/* Threads make groups, open and register in them, and remove them, all under the same two names. */

static void* race(void* cookie) {
  unsigned* wrong = cookie;
  uint32_t word = 0;
  for (int i = 0; i < 500; ++i) {
    const char* name = i % 2 == 0 ? "race0" : "race1";
    struct virtif_trace_file* file = NULL;
    int made = virtif_trace_group_create(trace, name), opened = virtif_trace_file_open(trace, name, &file);
    int indexed = opened == 0 ? reg_event(file, COMMAND, &word, 0) : 0;
    int deleted = opened == 0 ? virtif_trace_delete(file, "net_drop") : -EBUSY;
    virtif_trace_file_close(file);
    int removed = virtif_trace_group_remove(trace, name);
    *wrong += (made != 0 && made != -EEXIST) || (opened != 0 && opened != -ENOENT) || indexed != 0 ||
              deleted != -EBUSY || (removed != 0 && removed != -ENOENT && removed != -EBUSY);
  }
  return NULL;
}

static void test_races(void) {
  pthread_t threads[3];
  unsigned wrong[3] = {0};
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, race, &wrong[i]);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  CHECK(wrong[0] + wrong[1] + wrong[2] == 0, "whoever comes first, the others are told");
  int rest = virtif_trace_group_remove(trace, "race0"), other = virtif_trace_group_remove(trace, "race1");
  CHECK((rest == 0 || rest == -ENOENT) && (other == 0 || other == -ENOENT), "and nobody leaves anything open");
}

int main(void) {
  CHECK(virtif_trace_open(&trace) == 0, "it opens");
  CHECK(virtif_trace_open(NULL) == -EFAULT && virtif_trace_close(NULL) == 0, "and knows NULL");
  test_groups();
  test_registering();
  test_writing();
  test_losses_without_a_file();
  test_settings();
  test_recording();
  test_turmoil();
  test_races();
  CHECK(virtif_trace_close(trace) == 0, "and closes");
  return tap_end();
}
