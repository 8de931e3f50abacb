// SPDX-License-Identifier: BSD-2-Clause
// libtracepoint's functions over virtif_trace.h. All tracepoints are registered by one file that is never closed, so a
// write that overtakes its tracepoint's end meets an event that nobody records, and no freed memory.
#include "hypercall/tracepoint/tracepoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>

#include "hypercall/trace/virtif_trace.h"
#include "hypercall/tracepoint/virtif_tracepoint.h"
#include "netstack/base/api.hpp"

namespace {

// The only state of its own: the interface has no argument to hand it in by. Needs no constructor.
struct Table {
  std::mutex mutex;  // held by whoever changes providers, tracepoints or this
  virtif_trace* trace = nullptr;
  virtif_trace_file* file = nullptr;
  virtif_trace_recording* recording = nullptr;  // of the environment's asking
  char* path = nullptr;                         // absolute: the program may go to another folder
  pid_t recorder = 0;
};
constinit Table table;

constexpr std::uint32_t kRingKib = 64 * 1024;

void say(const char* path, int error) {
  std::fprintf(stderr, "VIRTIF_TRACEPOINT_RECORD: %s: %s\n", path, std::strerror(error));
}

void save_recording() {
  if (table.recorder != ::getpid()) return;  // a child's events are not its parent's
  virtif_trace_saved saved{sizeof saved, 0, 0};
  const int error = virtif_trace_stop(table.recording, table.path, &saved);
  if (error != 0) say(table.path, -error);
  else if (saved.lost != 0) {
    std::fprintf(stderr,
                 "VIRTIF_TRACEPOINT_RECORD: %s: %" PRIu64 " events more were lost: %" PRIu32 " KiB a thread are full\n",
                 table.path, saved.lost, kRingKib);
  }
}

// To be freed; null: errno.
char* absolute(const char* path) {
  if (*path == '/') return ::strdup(path);
  char* const folder = ::getcwd(nullptr, 0);
  char* whole = nullptr;
  if (folder != nullptr && ::asprintf(&whole, "%s/%s", folder, path) == -1) whole = nullptr;
  std::free(folder);
  return whole;
}

// Tries the file, and keeps other processes that record, as a child that was executed and has our environment, from it
// as long as this one lives. Of that lock a child that was only forked has no part.
bool take(const char* path) {
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);  // waits for no pipe's reader
  struct stat is {};
  if (fd < 0 || ::fstat(fd, &is) != 0) return false;
  if (!S_ISREG(is.st_mode)) return ::close(fd) == 0;
  struct flock whole {};
  whole.l_type = F_WRLCK;
  if (::fcntl(fd, F_SETLK, &whole) == 0 || (errno != EACCES && errno != EAGAIN)) return true;
  (void)::close(fd);
  errno = EBUSY;
  return false;
}

void record_if_asked() {
  const char* const asked = ::secure_getenv("VIRTIF_TRACEPOINT_RECORD");
  if (asked == nullptr || *asked == '\0') return;
  table.path = absolute(asked);
  if (table.path == nullptr || !take(table.path)) return say(asked, errno);
  const virtif_trace_config config{sizeof config, nullptr, nullptr, kRingKib, 0};
  if (const int error = virtif_trace_record(table.trace, &config, &table.recording); error != 0)
    return say(asked, -error);
  table.recorder = ::getpid();
  if (std::atexit(save_recording) != 0) say(asked, ENOMEM);
}

// 0 or a negative errno. Under the mutex.
int open_table() {
  if (table.file != nullptr) return 0;
  if (table.trace == nullptr) {
    if (const int error = virtif_trace_open(&table.trace); error != 0) return error;
  }
  if (const int error = virtif_trace_file_open(table.trace, nullptr, &table.file); error != 0) return error;
  record_if_asked();
  return 0;
}

template <class T>
void set(T& variable, T value) {
  __atomic_store_n(&variable, value, __ATOMIC_RELEASE);
}

tracepoint_state* tracepoint_of(tracepoint_list_node* link) {
  return reinterpret_cast<tracepoint_state*>(reinterpret_cast<char*>(link) -
                                             offsetof(tracepoint_state, tracepoint_list_link));
}

// Under the mutex, as all below.
void disconnect(tracepoint_state& point) {
  if (point.write_index >= 0) {
    (void)virtif_trace_unregister(table.file, &point.status_word, 0);
    --const_cast<tracepoint_provider_state*>(point.provider_state)->ref_count;
  }
  if (point.provider_state != nullptr) {
    point.tracepoint_list_link.next->prev = point.tracepoint_list_link.prev;
    point.tracepoint_list_link.prev->next = point.tracepoint_list_link.next;
  }
  set(point.status_word, 0U);
  set(point.write_index, -1);
  set<tracepoint_provider_state const*>(point.provider_state, nullptr);
  point.tracepoint_list_link = {nullptr, nullptr};
}

void connect(tracepoint_state& point, tracepoint_provider_state& provider, int write_index) {
  tracepoint_list_node& head = provider.tracepoint_list_head;
  if (head.next == nullptr) head = {&head, &head};
  point.tracepoint_list_link = {head.next, &head};
  head.next->prev = &point.tracepoint_list_link;
  head.next = &point.tracepoint_list_link;
  if (write_index >= 0) ++provider.ref_count;
  set(point.write_index, write_index);
  set<tracepoint_provider_state const*>(point.provider_state, &provider);
}

void disconnect_all(tracepoint_provider_state& provider) {
  tracepoint_list_node& head = provider.tracepoint_list_head;
  if (head.next == nullptr) head = {&head, &head};
  while (head.next != &head) disconnect(*tracepoint_of(head.next));
}

}  // namespace

extern "C" {

VIF_API virtif_trace* virtif_tracepoint_table() {
  const std::scoped_lock held(table.mutex);
  return open_table() == 0 ? table.trace : nullptr;
}

VIF_API int tracepoint_open_provider(tracepoint_provider_state* provider) {
  const std::scoped_lock held(table.mutex);
  if (provider->data_file != -1) return EBUSY;
  if (const int error = open_table(); error != 0) return -error;
  disconnect_all(*provider);
  set(provider->data_file, 0);
  return 0;
}

VIF_API void tracepoint_close_provider(tracepoint_provider_state* provider) {
  const std::scoped_lock held(table.mutex);
  disconnect_all(*provider);
  set(provider->data_file, -1);
}

VIF_API int tracepoint_connect2(tracepoint_state* point, tracepoint_provider_state* provider, char const* name_args,
                                unsigned flags) {
  const std::scoped_lock held(table.mutex);
  disconnect(*point);
  if (provider == nullptr) return 0;
  virtif_trace_reg reg{sizeof reg, name_args, &point->status_word, 0, flags, -1};
  const int error = provider->data_file == -1 ? 0 : virtif_trace_register(table.file, &reg);
  connect(*point, *provider, reg.index);
  return -error;
}

VIF_API int tracepoint_connect(tracepoint_state* point, tracepoint_provider_state* provider, char const* name_args) {
  return tracepoint_connect2(point, provider, name_args, 0);
}

VIF_API int tracepoint_open_provider_with_tracepoints(tracepoint_provider_state* provider,
                                                      tracepoint_definition const** start,
                                                      tracepoint_definition const** stop) {
  if (const int error = tracepoint_open_provider(provider); error != 0) return error;
  std::sort(start, stop, std::greater<>());  // NULLs last
  std::fill(std::unique(start, stop), stop, nullptr);
  for (; start != stop && *start != nullptr; ++start) {
    (void)tracepoint_connect((*start)->state, provider, (*start)->tp_name_args);
  }
  return 0;
}

VIF_API int tracepoint_write(tracepoint_state const* point, unsigned count, iovec* vecs) {
  if (TRACEPOINT_ENABLED(point) == 0) return EBADF;
  const int index = __atomic_load_n(&point->write_index, __ATOMIC_ACQUIRE);
  if (index < 0) return EBADF;  // it was disconnected just now
  if (count == 0) return EINVAL;
  const ssize_t written = virtif_trace_write(table.file, index, vecs + 1, count - 1);
  return written < 0 ? static_cast<int>(-written) : 0;
}

}  // extern "C"
