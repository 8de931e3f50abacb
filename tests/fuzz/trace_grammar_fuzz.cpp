// SPDX-License-Identifier: BSD-2-Clause
// Registrations of any text, and writes of any bytes to what they make: what is accepted is read the same when it is
// written again, and no record that a probe takes points outside itself.
#include <string_view>

#include "services/trace/dynamic_events.hpp"
#include "services/trace/payload.hpp"
#include "tests/services/trace/rig.hpp"

using namespace vif;
using namespace vif::trace;

namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void look_at(const EventFormat& format) {
  const std::string fields = fields_text(format);
  // Written anew it may be longer than a registration may be.
  const Result<EventFormat> again = EventFormat::parse("e " + fields);
  require(again ? again->fields == format.fields : fields.size() + 2 > kCommandCharsMax);
  require(fields_match(format, fields, Era::address));
  require(format_file(format, format.name, 2000).find(print_format(format)) != std::string::npos);
}

}  // namespace

// The input: a registration, a newline, a payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view command = input.substr(0, input.find('\n'));
  const Era era = size % 3 == 0 ? Era::address : Era::bits;
  if (const Result<EventFormat> format = EventFormat::parse(command, era)) look_at(*format);

  HeapPages pages;
  KeepingProbe probe;
  SetClock clock;
  Writer writer(1, clock);
  const auto tracing = std::move(Tracing::open(pages, size % 2 == 0 ? Mode::strict : Mode::compat)).value();
  (void)DynamicEvents(*tracing, era).write(input);
  const auto file = std::move(tracing->open_data(0)).value();
  const auto done = file->add(command, {.era = era});
  if (!done) return 0;
  tracing->enable(done->event, *tracing->add_probe(probe));
  const Bytes payload = as_bytes(input.substr(std::min(size, command.size() + 1)));
  const int error = file->write(writer, static_cast<std::int32_t>(done->write_index), Slices(std::span(&payload, 1)));
  require(probe.records.size() == (error == 0 ? 1U : 0U));
  require(error != 0 || probe.records[0].size() >= done->event.format.payload_bytes());
  return 0;
}
