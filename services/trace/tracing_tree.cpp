// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/tracing_tree.hpp"

namespace vif::trace {
namespace {

static_assert(kPageBytes == 4096 && kPageHeaderBytes == 16, "what the next text says");
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

}  // namespace

std::vector<TreeFile> tracing_tree(std::span<const RecordedEvent> events, std::span<const ThreadName> threads) {
  std::vector<TreeFile> files = {{"events/header_page", kHeaderPage},
                                 {"events/header_event", kHeaderEvent},
                                 {"events/ftrace/print/format", kPrintFormat},
                                 {"printk_formats", ""}};
  std::string names;
  for (const ThreadName& thread : threads) names += std::to_string(thread.thread_id) + ' ' + thread.name + '\n';
  files.push_back({"saved_cmdlines", names});
  for (const RecordedEvent& event : events) {
    files.push_back({"events/" + event.system + '/' + event.name + "/format",
                     format_file(event.format, event.name, event.type_id)});
  }
  return files;
}

}  // namespace vif::trace
