// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/dump_print.hpp"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "netstack/ether_demux.hpp"

namespace vif::tools {
namespace {

std::string time_text(std::int64_t timestamp_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t part_ns = ((timestamp_ns % kSecond) + kSecond) % kSecond;
  const time_t seconds = (timestamp_ns - part_ns) / kSecond;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, part_ns);
}

std::string interface_of(const host::ShmAttacher& attacher) {
  return attacher.ifname.empty() ? "(earlier)" : attacher.ifname;
}

const char* state_of(const host::ShmAttacher& attacher) {
  if (attacher.ifname.empty()) return "gone";
  return attacher.attached ? "attached" : "gone";
}

}  // namespace

std::string title(const host::ShmAttacher& attacher) {
  if (attacher.ifname.empty()) return fmt::format("earlier@{}", attacher.place);
  return fmt::format("{}@{}", attacher.ifname, attacher.process);
}

void print_attachers(const host::ShmDump& dump) {
  fmt::print("place  interface        process  state           sent    kept\n");
  for (const host::ShmAttacher& attacher : dump.attachers) {
    fmt::print("{:>5}  {:<15} {:>8}  {:<8} {:>11} {:>7}\n", attacher.place, interface_of(attacher), attacher.process,
               state_of(attacher), attacher.sent_frames, attacher.kept_frames);
  }
}

void print_all(const host::ShmDump& dump) {
  print_attachers(dump);
  fmt::print(
      "\ntime                            place  interface        bytes  from               to                 type\n");
  for (const host::ShmFrame& frame : dump.frames) {
    const host::ShmAttacher& attacher = dump.attachers[frame.attacher];
    fmt::print("{:<30}  {:>5}  {:<15} {:>6}", time_text(frame.timestamp_ns), attacher.place, interface_of(attacher),
               frame.bytes.size());
    if (frame.bytes.size() >= net::kEtherHeaderBytes) {
      const net::EtherHeader header = net::EtherHeader::load(frame.bytes.data());
      fmt::print("  {}  {}  0x{:04x}", header.src.to_string(), header.dst.to_string(), header.type);
    }
    fmt::print("\n");
  }
}

void print_json(const host::ShmDump& dump) {
  nlohmann::ordered_json attachers = nlohmann::ordered_json::array();
  for (const host::ShmAttacher& attacher : dump.attachers) {
    nlohmann::ordered_json object = {{"place", attacher.place},      {"interface", nullptr},
                                     {"process", nullptr},           {"attached", attacher.attached},
                                     {"sent", attacher.sent_frames}, {"kept", attacher.kept_frames}};
    if (!attacher.ifname.empty()) {
      object["interface"] = attacher.ifname;
      object["process"] = attacher.process;
    }
    attachers.push_back(std::move(object));
  }
  nlohmann::ordered_json frames = nlohmann::ordered_json::array();
  for (const host::ShmFrame& frame : dump.frames) {
    nlohmann::ordered_json object = {
        {"time_ns", frame.timestamp_ns}, {"attacher", frame.attacher}, {"bytes", frame.bytes.size()}};
    if (frame.bytes.size() >= net::kEtherHeaderBytes) {
      const net::EtherHeader header = net::EtherHeader::load(frame.bytes.data());
      object["dst"] = header.dst.to_string();
      object["src"] = header.src.to_string();
      object["type"] = header.type;
    }
    frames.push_back(std::move(object));
  }
  const nlohmann::ordered_json whole = {
      {"segment", dump.name}, {"attachers", std::move(attachers)}, {"frames", std::move(frames)}};
  fmt::print("{}\n", whole.dump(2));
}

}  // namespace vif::tools
