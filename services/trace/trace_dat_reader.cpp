// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/trace_dat_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "services/trace/trace_dat_head.hpp"

namespace vif::trace {
namespace {

constexpr std::size_t kCpusMax = 65536;

std::string_view until_nul(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

std::uint16_t type_of(Bytes record) { return load<std::uint16_t, std::endian::native>(record.data()); }

}  // namespace

// The file's head, piece by piece. What does not fit makes all that follows empty, and is noticed at the end.
class TraceDatHead {
 public:
  explicit TraceDatHead(Bytes file) : file_(file), rest_(file) {}

  Result<TraceDatReader> read();

 private:
  bool begins_with(std::string_view text) {
    const Bytes bytes = take(text.size());
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == text;
  }
  Bytes take(std::uint64_t bytes) {
    short_ |= bytes > rest_.size();
    if (short_) return {};
    const Bytes taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }
  template <class T>
  T number() {
    const Bytes bytes = take(sizeof(T));
    return short_ ? T{} : load<T, std::endian::little>(bytes.data());
  }
  template <class Size>
  std::string_view sized() {
    const Bytes bytes = take(number<Size>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string_view word() {
    const std::string_view found = until_nul(rest_);
    (void)take(found.size() + 1);
    return found;
  }

  Status read_begin();
  Status read_formats();
  Status add_event(const std::string& system, std::string_view text);
  void read_options();
  void read_threads();
  Status read_rings();

  Bytes file_, rest_;
  bool short_ = false;
  TraceDatReader reader_;
};

Result<TraceDatReader> TraceDatReader::open(Bytes file) { return TraceDatHead(file).read(); }

Result<TraceDatReader> TraceDatHead::read() {
  if (Status done = read_begin(); !done) return std::move(done).error();
  if (Status done = read_formats(); !done) return std::move(done).error();
  (void)sized<std::uint32_t>();  // kallsyms
  (void)sized<std::uint32_t>();  // printk formats
  read_threads();
  if (Status done = read_rings(); !done) return std::move(done).error();
  if (short_) return fail(EINVAL, "a trace.dat that ends too early");
  for (TraceDatReader::Ring& ring : reader_.rings_) reader_.advance(ring);
  return std::move(reader_);
}

Status TraceDatHead::read_begin() {
  using namespace std::string_view_literals;
  if (!begins_with("\x17\x08\x44tracing"sv)) return fail(EINVAL, "expected a trace.dat, which begins with \"tracing\"");
  if (const std::string_view version = word(); version != "6") {
    return fail(EINVAL, "a trace.dat of version " + std::string(version.substr(0, 8)) +
                            ": expected 6; make it so with: trace-cmd convert --file-version 6");
  }
  if (number<std::uint8_t>() != 0 || number<std::uint8_t>() != 8 || number<std::uint32_t>() != kPageBytes) {
    return fail(EINVAL, "a trace.dat of another machine: expected little-endian, longs of 8 and pages of 4096 bytes");
  }
  const bool has_page = begins_with("header_page\0"sv) && !sized<std::uint64_t>().empty();
  if (!has_page || !begins_with("header_event\0"sv)) return fail(EINVAL, "a trace.dat without its header_page");
  (void)sized<std::uint64_t>();
  return {};
}

Status TraceDatHead::read_formats() {
  for (std::uint32_t left = number<std::uint32_t>(); left != 0 && !short_; --left) {
    const std::string_view text = sized<std::uint64_t>();
    if (!text.starts_with("name: print\n")) continue;  // the kernel's own ways of tracing, each laid out in its way
    if (Status added = add_event(kFtraceSystem, text); !added) return added;
  }
  for (std::uint32_t systems = number<std::uint32_t>(); systems != 0 && !short_; --systems) {
    const std::string system(word());
    for (std::uint32_t left = number<std::uint32_t>(); left != 0 && !short_; --left) {
      const std::string_view text = sized<std::uint64_t>();
      if (short_) break;
      if (Status added = add_event(system, text); !added) return added;
    }
  }
  return {};
}

Status TraceDatHead::add_event(const std::string& system, std::string_view text) {
  Result<FormatFile> file = read_format_file(text);
  if (!file) return std::move(file).error();
  std::string name = file->format.name;
  reader_.events_.insert_or_assign(file->type_id,
                                   RecordedEvent{system, std::move(name), file->type_id, std::move(file->format)});
  return {};
}

void TraceDatHead::read_threads() {
  std::string_view names = sized<std::uint64_t>();
  while (!names.empty()) {
    const std::string_view line = names.substr(0, names.find('\n'));
    names.remove_prefix(std::min(line.size() + 1, names.size()));
    std::int32_t thread_id = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), thread_id);
    if (error != std::errc{} || rest == line.data() + line.size() || *rest != ' ') continue;
    reader_.threads_[thread_id] = line.substr(static_cast<std::size_t>(rest - line.data()) + 1);
  }
}

// Up to the one with id 0.
void TraceDatHead::read_options() {
  constexpr std::uint16_t kBuffer = 3;  // TRACECMD_OPTION_BUFFER: where the buffer's pages are told of, and its name
  for (std::uint16_t id = 0; (id = number<std::uint16_t>()) != 0;) {
    const std::string_view data = sized<std::uint32_t>();
    if (id == kBuffer && data.size() > 8) reader_.instances_.emplace_back(until_nul(as_bytes(data.substr(8))));
  }
}

Status TraceDatHead::read_rings() {
  const std::uint32_t cpus = number<std::uint32_t>();
  Bytes kind = take(10);
  if (until_nul(kind) == "options  ") {
    read_options();
    kind = take(10);
  }
  if (cpus > kCpusMax || until_nul(kind) != "flyrecord") {
    return fail(EINVAL, "a trace.dat without CPUs' pages: expected \"flyrecord\" and up to 65536 of them");
  }
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const std::uint64_t at = number<std::uint64_t>(), bytes = number<std::uint64_t>();
    if (at > file_.size() || bytes > file_.size() - at || bytes % kPageBytes != 0) {
      return fail(EINVAL, "a trace.dat whose CPU " + std::to_string(cpu) + " lies outside it, or ends within a page");
    }
    reader_.rings_.push_back({file_.subspan(at, bytes), {}, {}, 0});
  }
  return {};
}

std::string_view TraceDatReader::thread_name(std::int32_t thread_id) const {
  const auto at = threads_.find(thread_id);
  return at == threads_.end() ? std::string_view() : std::string_view(at->second);
}

// To the ring's next record of an event that is known.
void TraceDatReader::advance(Ring& ring) {
  ring.next.reset();
  for (;;) {
    PageEvent event{};
    while (ring.page && ring.page->next(event)) {
      if (!events_.contains(type_of(event.record))) continue;
      ring.next = event;
      return;
    }
    damaged_ |= ring.page && ring.page->damaged();
    if (ring.pages.empty()) return;
    ring.page.emplace(ring.pages.first(kPageBytes));
    ring.pages = ring.pages.subspan(kPageBytes);
    ring.lost_before += ring.page->missed();
  }
}

bool TraceDatReader::next(Record& record) {
  Ring* first = nullptr;
  for (Ring& ring : rings_) {
    if (ring.next && (first == nullptr || ring.next->time_ns < first->next->time_ns)) first = &ring;
  }
  if (first == nullptr) return false;
  const Bytes bytes = first->next->record;
  record = {.time_ns = first->next->time_ns,
            .cpu = static_cast<std::size_t>(first - rings_.data()),
            .thread_id = static_cast<std::int32_t>(load<std::uint32_t, std::endian::native>(&bytes[4])),
            .event = &events_.find(type_of(bytes))->second,
            .record = bytes,
            .lost_before = std::exchange(first->lost_before, 0)};
  advance(*first);
  return true;
}

}  // namespace vif::trace
