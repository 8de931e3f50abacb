// SPDX-License-Identifier: BSD-2-Clause
// virtif_trace.h: what its handles are, and how a C++ failure becomes a negative errno.
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <list>
#include <new>
#include <string>
#include <utility>

#include "hypercall/trace/own_memory.hpp"
#include "hypercall/trace/threaded_tracing.hpp"
#include "hypercall/trace/virtif_trace.h"

using namespace vif;
using vif::host::OwnMemory;
using vif::host::ThreadedTracing;

struct virtif_trace {
  std::unique_ptr<ThreadedTracing> threaded;
  OwnMemory memory;
  unsigned handles = 0;  // files and recordings; under the lock
};

struct virtif_trace_file {
  virtif_trace& of;
  std::unique_ptr<trace::DataFile> data;
  std::list<trace::EnableBit> bits;  // that it registered
};

struct virtif_trace_recording {
  virtif_trace& of;
  std::unique_ptr<ThreadedTracing::Recording> recording;
};

namespace {

constexpr std::uint32_t kRegFlags = VIRTIF_TRACE_PERSIST | VIRTIF_TRACE_MULTI_FORMAT;
constexpr std::uint32_t kPageKib = trace::kPageBytes / 1024;

int minus(const Error& error) { return -error.number(); }

// Keeps every exception in. Of calls that are no cancellation points.
template <class Call>
auto kept_in(Call call) noexcept -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  } catch (...) {
    return -EIO;
  }
}

// As long as it lives pthread_cancel(3) waits: it unwinds by an exception, which nothing here lets out.
class Uncancelled {
 public:
  Uncancelled() { (void)::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~Uncancelled() { (void)::pthread_setcancelstate(before_, nullptr); }
  Uncancelled(const Uncancelled&) = delete;
  Uncancelled& operator=(const Uncancelled&) = delete;

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

template <class Call>
auto guarded(Call call) noexcept -> decltype(call()) {
  const Uncancelled whole;
  return kept_in(std::move(call));
}

class Pieces final : public trace::Payload {
 public:
  Pieces(const iovec* iov, std::size_t count, std::size_t bytes) : iov_(iov), count_(count), bytes_(bytes) {}
  std::size_t bytes() const override { return bytes_; }
  bool copy_to(MutBytes to) const override {
    for (std::size_t i = 0; i < count_; ++i) {
      if (iov_[i].iov_len != 0) std::memcpy(to.data(), iov_[i].iov_base, iov_[i].iov_len);
      to = to.subspan(iov_[i].iov_len);
    }
    return true;
  }

 private:
  const iovec* iov_;
  std::size_t count_, bytes_;
};

trace::EnableBit bit_at(virtif_trace_file& file, const std::uint32_t* word, std::uint32_t bit) {
  return {&file.of.memory, reinterpret_cast<std::uintptr_t>(word), static_cast<std::uint8_t>(bit)};
}

// Under the lock.
int register_in(virtif_trace_file& file, virtif_trace_reg& reg) {
  trace::Enablers& enablers = file.of.threaded->tracing().enablers();
  const trace::EnableBit where = bit_at(file, reg.word, reg.bit);
  if (enablers.has(where)) return -EADDRINUSE;
  std::list<trace::EnableBit> known{where};  // here, as memory may be short
  const trace::Registering how{
      trace::Era::address,
      (reg.flags & VIRTIF_TRACE_PERSIST) != 0 ? trace::Lifetime::until_removed : trace::Lifetime::until_last_use,
      (reg.flags & VIRTIF_TRACE_MULTI_FORMAT) != 0 ? trace::Formats::multi : trace::Formats::single};
  const Result<trace::DataFile::Registration> done = file.data->add(reg.command, how);
  if (!done) return minus(done.error());
  if (const Status added = enablers.add(where, sizeof *reg.word, done->event); !added) return minus(added.error());
  file.bits.splice(file.bits.end(), known);
  reg.index = static_cast<std::int32_t>(done->write_index);
  return 0;
}

// Under the lock.
int unregister_in(virtif_trace_file& file, const trace::EnableBit& where) {
  if (std::erase(file.bits, where) == 0) return -ENOENT;
  const Status removed = file.of.threaded->tracing().enablers().remove(where);
  return removed ? 0 : minus(removed.error());
}

Result<trace::Session::Settings> settings_of(const virtif_trace_config& config) {
  const bool is_known = config.size == sizeof config && (config.flags & ~VIRTIF_TRACE_OVERWRITE) == 0;
  if (!is_known || config.ring_kib % kPageKib != 0) return fail(EINVAL, "a virtif_trace_config");
  trace::Session::Settings settings;
  if (config.ring_kib != 0) settings.ring_pages = config.ring_kib / kPageKib;
  if ((config.flags & VIRTIF_TRACE_OVERWRITE) != 0) settings.when_full = trace::WhenFull::overwrite;
  return settings;
}

}  // namespace

extern "C" {

int virtif_trace_open(virtif_trace** trace) {
  return guarded([&] {
    if (trace == nullptr) return -EFAULT;
    Result<std::unique_ptr<ThreadedTracing>> threaded = ThreadedTracing::open();
    if (!threaded) return minus(threaded.error());
    *trace = new virtif_trace{*std::move(threaded), {}};
    return 0;
  });
}

int virtif_trace_close(virtif_trace* trace) {
  return guarded([&] {
    if (trace == nullptr) return 0;
    if (const auto held = trace->threaded->lock(); trace->handles != 0) return -EBUSY;
    delete trace;
    return 0;
  });
}

int virtif_trace_group_create(virtif_trace* trace, const char* name) {
  return guarded([&] {
    if (trace == nullptr || name == nullptr) return -EFAULT;
    const auto held = trace->threaded->lock();
    const Result<trace::Group*> made = trace->threaded->tracing().create_group(name);
    return made ? 0 : minus(made.error());
  });
}

int virtif_trace_group_remove(virtif_trace* trace, const char* name) {
  return guarded([&] {
    if (trace == nullptr || name == nullptr) return -EFAULT;
    const auto held = trace->threaded->lock();
    const Status removed = trace->threaded->tracing().remove_group(name);
    return removed ? 0 : minus(removed.error());
  });
}

ssize_t virtif_trace_group_list(virtif_trace* trace, char* names, size_t bytes) {
  return guarded([&]() -> ssize_t {
    if (trace == nullptr || (names == nullptr && bytes != 0)) return -EFAULT;
    std::string all;
    const auto held = trace->threaded->lock();
    for (const trace::Group* group : trace->threaded->tracing().groups()) {
      if (!group->name().empty()) all.append(group->name()).push_back('\0');
    }
    if (bytes != 0 && bytes < all.size()) return -ERANGE;
    if (bytes != 0) std::memcpy(names, all.data(), all.size());
    return static_cast<ssize_t>(all.size());
  });
}

int virtif_trace_file_open(virtif_trace* trace, const char* group, virtif_trace_file** file) {
  return guarded([&] {
    if (trace == nullptr || file == nullptr) return -EFAULT;
    const auto held = trace->threaded->lock();
    trace::Tracing& tracing = trace->threaded->tracing();
    const trace::Group* const found = tracing.find_group(group == nullptr ? "" : group);
    if (found == nullptr) return -ENOENT;
    Result<std::unique_ptr<trace::DataFile>> data = tracing.open_data(found->id());
    if (!data) return minus(data.error());
    *file = new virtif_trace_file{*trace, *std::move(data), {}};
    ++trace->handles;
    return 0;
  });
}

void virtif_trace_file_close(virtif_trace_file* file) {
  (void)guarded([&] {
    if (file == nullptr) return 0;
    const auto held = file->of.threaded->lock();
    while (!file->bits.empty()) (void)unregister_in(*file, trace::EnableBit(file->bits.back()));
    --file->of.handles;
    delete file;
    return 0;
  });
}

int virtif_trace_register(virtif_trace_file* file, virtif_trace_reg* reg) {
  return guarded([&] {
    if (file == nullptr) return -EFAULT;
    if (reg == nullptr || reg->size != sizeof *reg) return -EINVAL;
    if (reg->bit >= 32 || (reg->flags & ~kRegFlags) != 0) return -EINVAL;
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(reg->word) % sizeof *reg->word == 0;
    if (reg->command == nullptr || reg->word == nullptr || !is_aligned) return -EFAULT;
    const auto held = file->of.threaded->lock();
    return register_in(*file, *reg);
  });
}

int virtif_trace_unregister(virtif_trace_file* file, uint32_t* word, uint32_t bit) {
  return guarded([&] {
    if (file == nullptr) return -EFAULT;
    if (bit >= 32) return -ENOENT;
    const auto held = file->of.threaded->lock();
    return unregister_in(*file, bit_at(*file, word, bit));
  });
}

int virtif_trace_delete(virtif_trace_file* file, const char* name) {
  return guarded([&] {
    if (file == nullptr || name == nullptr) return -EFAULT;
    const auto held = file->of.threaded->lock();
    const Status removed = file->data->remove(name);
    return removed ? 0 : minus(removed.error());
  });
}

ssize_t virtif_trace_write(virtif_trace_file* file, int32_t index, const iovec* iov, size_t iovcnt) {
  return kept_in([&]() -> ssize_t {
    if (file == nullptr || (iov == nullptr && iovcnt != 0)) return -EFAULT;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < iovcnt; ++i) {
      if (iov[i].iov_len > SSIZE_MAX - bytes) return -EINVAL;
      bytes += iov[i].iov_len;
    }
    const int error = file->data->write(file->of.threaded->writer(), index, Pieces(iov, iovcnt, bytes));
    return error == 0 ? static_cast<ssize_t>(bytes) : -error;
  });
}

int virtif_trace_record(virtif_trace* trace, const virtif_trace_config* config, virtif_trace_recording** recording) {
  return guarded([&] {
    if (trace == nullptr || recording == nullptr) return -EFAULT;
    const virtif_trace_config defaults{sizeof defaults, nullptr, nullptr, 0, 0};
    if (config == nullptr) config = &defaults;
    const Result<trace::Session::Settings> settings = settings_of(*config);
    if (!settings) return minus(settings.error());
    auto made = std::make_unique<virtif_trace_recording>(virtif_trace_recording{*trace, nullptr});
    Result<std::unique_ptr<ThreadedTracing::Recording>> begun = trace->threaded->record(
        *settings, config->pattern == nullptr ? "*" : config->pattern, config->filter == nullptr ? "" : config->filter);
    if (!begun) return minus(begun.error());
    made->recording = *std::move(begun);
    const auto held = trace->threaded->lock();
    ++trace->handles;
    *recording = made.release();
    return 0;
  });
}

int virtif_trace_stop(virtif_trace_recording* recording, const char* path, virtif_trace_saved* saved) {
  return guarded([&] {
    if (recording == nullptr) return -EFAULT;
    if (saved != nullptr && saved->size != sizeof *saved) return -EINVAL;
    ThreadedTracing& threaded = *recording->of.threaded;
    threaded.stop(*recording->recording);
    trace::Session& session = *recording->recording->session;
    std::uint64_t given_up = 0;  // with a file that could not be written to its end
    for (const auto& ring : session.readers()) given_up += ring->taken();
    const Result<host::ExportedTrace> exported =
        path == nullptr ? host::throw_away(session)
                        : host::write_trace_dat(session, recording->recording->threads, path);
    if (!exported) return minus(exported.error());
    if (saved != nullptr) *saved = {sizeof *saved, exported->events, exported->lost + given_up};
    threaded.destroy(std::move(recording->recording));
    const auto held = threaded.lock();
    --recording->of.handles;
    delete recording;
    return 0;
  });
}

}  // extern "C"
