// SPDX-License-Identifier: BSD-2-Clause
// Events that are off, as code: off_code_test.py looks at what the compiler made of these functions.
#include "netstack/if_trace.hpp"
#include "services/trace/event.hpp"

using namespace vif;

extern "C" {

void vif_event_off(const trace::Event<"two a b", std::uint32_t, std::uint32_t>& event, trace::Writer& writer,
                   std::uint32_t a, std::uint32_t b) {
  event(
      writer, [&writer] { return writer.now_ns(); }, a, b);
}

void vif_event_with_text_off(const trace::Event<"named a name", std::uint32_t, std::string_view>& event,
                             trace::Writer& writer, std::uint32_t a, const std::string_view& name) {
  event(
      writer, [&writer] { return writer.now_ns(); }, a, name);
}

void vif_tracepoint_off(const Tracepoint<"two a b", std::uint32_t, std::uint32_t>& point, std::uint32_t a,
                        std::uint32_t b) {
  point(a, b);
}

void vif_tracepoint_with_text_off(const decltype(net::IfTrace::rx_burst)& point, const std::string_view& ifname,
                                  std::uint32_t frames) {
  point(ifname, frames);
}
}
