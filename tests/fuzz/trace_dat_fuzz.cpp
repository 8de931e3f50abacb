// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a trace.dat, and a good one with bytes of it changed: reading ends, and every value it gives lies in the
// file.
#include <algorithm>
#include <vector>

#include "services/trace/field_value.hpp"
#include "services/trace/ring_writer.hpp"
#include "services/trace/trace_dat_head.hpp"
#include "services/trace/trace_dat_reader.hpp"
#include "tests/services/trace/rig.hpp"

using namespace vif;
using namespace vif::trace;

namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

// One ring of two pages, with every kind of field.
std::vector<std::byte> good_file() {
  const RecordedEvent event{
      "user_events.a", "e", 2000,
      *EventFormat::parse("e s32 a; u8 b; char[8] t; __rel_loc char[] r; __data_loc u8[] d; struct s x 3")};
  const ThreadName thread{7, "loop"};
  const std::uint64_t ring_pages = 2;
  const std::string head = trace_dat_head(std::span(&event, 1), std::span(&thread, 1), std::span(&ring_pages, 1));
  std::vector<std::byte> file(as_bytes(head).begin(), as_bytes(head).end());
  HeapPages heap;
  const Pages pages(heap, ring_bytes(2));
  RingWriter writer(pages.bytes(), 2, WhenFull::discard, 7);
  for (std::uint64_t now_ns = 0;; now_ns += 1'000'000'000) {
    std::byte* const at = writer.begin(kRecordHeaderBytes + event.format.payload_bytes() + 100, now_ns);
    if (at == nullptr) break;
    std::fill_n(at, kRecordHeaderBytes + event.format.payload_bytes() + 100, std::byte{1});
    store<std::uint16_t, std::endian::native>(at, event.type_id);
    writer.commit();
  }
  RingReader reader = *RingReader::open(pages.bytes());
  for (RingReader::Page page; reader.next(page, Take::everything);) file.insert(file.end(), page.begin(), page.end());
  return file;
}

bool lies_in(Bytes file, const void* at, std::size_t bytes) {
  const auto* const begin = static_cast<const std::byte*>(at);
  return bytes == 0 || (begin >= file.data() && begin + bytes <= file.data() + file.size());
}

void read(Bytes file) {
  Result<TraceDatReader> reader = TraceDatReader::open(file);
  if (!reader) return;
  TraceDatReader::Record record{};
  for (std::size_t records = 0; reader->next(record); ++records) {
    require(records <= file.size() * reader->cpus());  // CPUs may lie one over the other
    require(record.cpu < reader->cpus() && lies_in(file, record.record.data(), record.record.size()));
    (void)reader->thread_name(record.thread_id);
    for (const Field& field : record.event->format.fields) {
      const FieldValue value = field_value(field, record.record);
      if (const auto* text = std::get_if<std::string_view>(&value)) require(lies_in(file, text->data(), text->size()));
      if (const auto* bytes = std::get_if<Bytes>(&value)) require(lies_in(file, bytes->data(), bytes->size()));
    }
  }
}

}  // namespace

// The input: how it is meant; then a file, or changes to the good one, a place and a byte each.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::span<const std::uint8_t> rest(data + 1, size - 1);
  if (data[0] % 4 == 0) {
    const Bytes bytes = std::as_bytes(rest);
    read(std::vector<std::byte>(bytes.begin(), bytes.end()));
    return 0;
  }
  static const std::vector<std::byte> good = good_file();
  std::vector<std::byte> file = good;
  for (std::size_t at = 0; at + 3 <= rest.size(); at += 3) {
    const std::size_t place = std::size_t{rest[at]} << 8 | rest[at + 1];
    file[place % file.size()] = std::byte{rest[at + 2]};
  }
  read(file);
  return 0;
}
