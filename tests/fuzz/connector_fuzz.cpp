// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as what comes in at a connector, from the kernel or from a client: what is read lies within them, reads
// back the same from what we write of it, and the extension behind an event as well.
#include <cstdint>
#include <vector>

#include "services/connector/extension.hpp"
#include "services/connector/message.hpp"

namespace {

using namespace vif;
using namespace vif::cn;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void look_at(const Message& message) {
  std::vector<std::byte> written(message.bytes());
  require(write_message(message, written.data()) == written.size());
  const std::optional<Message> again = read_message(written);
  require(again && again->id == message.id && again->payload.size() == message.payload.size());
  if (const std::optional<ProcEvent> event = read_proc_event(message.payload)) {
    std::byte bytes[kProcEventBytes];
    write_proc_event(*event, bytes);
    require(read_proc_event(bytes) == event);
    const Extension extension = read_extension(message.payload.subspan(kProcEventBytes));
    std::byte room[kExtensionBytesMax];
    require(read_extension(Bytes(room).first(write_extension(extension, room))) == extension);
  }
  const Wishes wishes = read_wishes(message.payload);
  std::byte room[kWishesBytesMax];
  require(read_wishes(Bytes(room).first(write_wishes(wishes, room))) == wishes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  if (const std::optional<Message> message = read_datagram(bytes)) {
    require(message->payload.data() + message->payload.size() <= bytes.data() + bytes.size());
    look_at(*message);
  }
  for (Bytes rest = bytes; const std::optional<Message> message = read_message(rest);) {
    require(message->bytes() <= rest.size());
    look_at(*message);
    rest = rest.subspan(message->bytes());
  }
  return 0;
}
