// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/threaded_tracing.hpp"

#include <unistd.h>

#include <array>
#include <new>

#include "hypercall/trace/writers_at_rest.hpp"

namespace vif::host {
namespace {

std::string name_of_this_thread() {
  std::array<char, 16> name{};  // TASK_COMM_LEN
  (void)::pthread_getname_np(::pthread_self(), name.data(), name.size());
  return name.data();
}

}  // namespace

struct ThreadedTracing::ThreadWriter {
  explicit ThreadWriter(ThreadedTracing& of) : owner(of), name(name_of_this_thread()), writer(::gettid(), of.clock_) {}

  ThreadedTracing& owner;
  std::string name;
  trace::Writer writer;
};

Result<std::unique_ptr<ThreadedTracing>> ThreadedTracing::open() {
  std::unique_ptr<ThreadedTracing> threaded(new ThreadedTracing);
  if (const int error = ::pthread_key_create(&threaded->key_, thread_ends); error != 0) {
    return fail(error, "no key for the threads' own state");
  }
  threaded->has_key_ = true;
  Result<std::unique_ptr<trace::Tracing>> tracing = trace::Tracing::open(threaded->pages_);
  if (!tracing) return std::move(tracing).error();
  threaded->tracing_ = *std::move(tracing);
  return threaded;
}

ThreadedTracing::~ThreadedTracing() {
  if (has_key_) (void)::pthread_key_delete(key_);  // threads that end later have nothing to give back
}

trace::Writer& ThreadedTracing::writer() {
  if (void* const known = ::pthread_getspecific(key_); known != nullptr) [[likely]]
    return static_cast<ThreadWriter*>(known)->writer;
  return make_writer();
}

trace::Writer& ThreadedTracing::make_writer() {
  const auto held = lock();
  ThreadWriter& made = writers_.emplace_back(*this);
  if (::pthread_setspecific(key_, &made) != 0) {
    writers_.pop_back();
    throw std::bad_alloc();
  }
  for (Recording* const recording : recordings_) (void)add(*recording, made);  // without a ring it loses, and counts
  return made.writer;
}

void ThreadedTracing::thread_ends(void* writer) noexcept {
  auto& ended = *static_cast<ThreadWriter*>(writer);
  ThreadedTracing& owner = ended.owner;
  const auto held = owner.lock();
  for (Recording* const recording : owner.recordings_) recording->session->remove_writer(ended.writer);
  owner.writers_.remove_if([&](const ThreadWriter& each) { return &each == &ended; });
}

Status ThreadedTracing::add(Recording& recording, ThreadWriter& writer) {
  recording.threads.push_back({writer.writer.thread_id(), writer.name});
  return recording.session->add_writer(writer.writer);
}

Result<std::unique_ptr<ThreadedTracing::Recording>> ThreadedTracing::record(const trace::Session::Settings& settings,
                                                                            const std::string& pattern,
                                                                            const std::string& filter) {
  const auto held = lock();
  Result<std::unique_ptr<trace::Session>> session = trace::Session::open(*tracing_, pages_, settings);
  if (!session) return std::move(session).error();
  auto recording = std::make_unique<Recording>();
  recording->session = *std::move(session);
  for (ThreadWriter& writer : writers_) {
    if (Status added = add(*recording, writer); !added) return std::move(added).error();
  }
  recordings_.reserve(recordings_.size() + 1);  // nothing fails once it records
  // Last: threads that write have their rings by now.
  const Result<std::size_t> enabled = recording->session->enable(pattern, filter);
  if (!enabled) return enabled.error();
  recordings_.push_back(recording.get());
  return recording;
}

void ThreadedTracing::stop(Recording& recording) {
  const auto held = lock();
  stop_locked(recording);
}

void ThreadedTracing::destroy(std::unique_ptr<Recording> recording) {
  const auto held = lock();
  stop_locked(*recording);
  recording.reset();
}

void ThreadedTracing::stop_locked(Recording& recording) {
  if (std::erase(recordings_, &recording) == 0) return;  // it has been
  recording.session->stop();
  std::vector<trace::Writer*> writers;
  for (ThreadWriter& each : writers_) writers.push_back(&each.writer);
  await_writers(writers);
}

}  // namespace vif::host
