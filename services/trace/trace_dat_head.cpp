// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/trace_dat_head.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "services/trace/identifiers.hpp"

namespace vif::trace {
namespace {

static_assert(kPageBytes == 4096 && kPageHeaderBytes == 16, "what the next text says");
// The texts of a live kernel.
constexpr const char* kHeaderPage =
    "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
    "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
    "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
    "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

static_assert(kTypePadding == 29 && kTypeTimeExtend == 30 && kTypeTimeStamp == 31 && kTypeWordsMax == 28);
constexpr const char* kHeaderEvent =
    "# compressed entry header\n"
    "\ttype_len    :    5 bits\n"
    "\ttime_delta  :   27 bits\n"
    "\tarray       :   32 bits\n\n"
    "\tpadding     : type == 29\n"
    "\ttime_extend : type == 30\n"
    "\ttime_stamp : type == 31\n"
    "\tdata max type_len  == 28\n";

constexpr const char* kPrintFormat =
    "name: print\nID: 5\nformat:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
    "\tfield:unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;\n"
    "\tfield:char buf[];\toffset:16;\tsize:0;\tsigned:0;\n\n"
    "print fmt: \"%s\", REC->buf\n";

template <class T>
void put(std::string& to, T value) {
  std::array<std::byte, sizeof value> bytes;
  store<T, std::endian::little>(bytes.data(), value);
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

template <class Size>
void put_sized(std::string& to, std::string_view text) {
  put(to, static_cast<Size>(text.size()));
  to += text;
}

// Under names that libtraceevent can read. `name`: the event's.
std::string readable_format(const RecordedEvent& event, const std::string& name) {
  EventFormat format = event.format;
  std::vector<std::string> names;
  for (const Field& field : format.fields) names.push_back(field.name);
  names = identifiers(names);
  for (std::size_t i = 0; i < names.size(); ++i) format.fields[i].name = names[i];
  return format_file(format, name, event.type_id);
}

// In one line of a list.
std::string in_line(std::string name) {
  std::replace(name.begin(), name.end(), '\n', '_');
  return name;
}

}  // namespace

std::string trace_dat_head(std::span<const RecordedEvent> events, std::span<const ThreadName> threads,
                           std::span<const std::uint64_t> ring_pages) {
  using namespace std::string_literals;
  std::string head = "\x17\x08\x44tracing6\0\0\x08"s;
  put(head, std::uint32_t{kPageBytes});
  head += "header_page\0"s;
  put_sized<std::uint64_t>(head, kHeaderPage);
  head += "header_event\0"s;
  put_sized<std::uint64_t>(head, kHeaderEvent);
  put(head, std::uint32_t{1});
  put_sized<std::uint64_t>(head, kPrintFormat);

  std::map<std::string_view, std::vector<const RecordedEvent*>> systems;
  for (const RecordedEvent& event : events) {
    if (event.system != kFtraceSystem) systems[event.system].push_back(&event);
  }
  put(head, static_cast<std::uint32_t>(systems.size()));
  for (const auto& [system, its] : systems) {
    head.append(system).push_back('\0');
    put(head, static_cast<std::uint32_t>(its.size()));
    std::vector<std::string> names;
    for (const RecordedEvent* event : its) names.push_back(event->name);
    names = identifiers(names);
    for (std::size_t i = 0; i < its.size(); ++i) put_sized<std::uint64_t>(head, readable_format(*its[i], names[i]));
  }
  put_sized<std::uint32_t>(head, "");  // kallsyms
  put_sized<std::uint32_t>(head, "");  // printk formats
  std::string names;
  for (const ThreadName& thread : threads)
    names += std::to_string(thread.thread_id) + ' ' + in_line(thread.name) + '\n';
  put_sized<std::uint64_t>(head, names);

  put(head, static_cast<std::uint32_t>(ring_pages.size()));
  head += "flyrecord\0"s;
  const std::size_t bytes = head.size() + 16 * ring_pages.size();
  std::uint64_t at = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  const std::size_t head_bytes = at;
  for (const std::uint64_t pages : ring_pages) {
    put(head, at);
    put(head, pages * kPageBytes);
    at += pages * kPageBytes;
  }
  head.resize(head_bytes, '\0');
  return head;
}

}  // namespace vif::trace
