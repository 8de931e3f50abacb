// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl dump` prints: a list for people, JSON for programs.
#pragma once

#include <string>

#include "hypercall/shm/shm_dump.hpp"

namespace vif::tools {

// What an attacher is called where one name has to do: "virt0@4711", and "earlier@PLACE" for its predecessors.
std::string title(const host::ShmAttacher& attacher);

void print_attachers(const host::ShmDump& dump);
void print_all(const host::ShmDump& dump);  // and the frames

// {"segment","attachers":[{"place","interface","process","attached","sent","kept"}],
//  "frames":[{"time_ns","attacher","bytes","dst","src","type"}]}; "attacher" counts in "attachers". A frame without a
//  whole
// header has no "dst", "src" and "type", the predecessors at a place no "interface" and "process" (null).
void print_json(const host::ShmDump& dump);

}  // namespace vif::tools
