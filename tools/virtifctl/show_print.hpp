// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl show` prints: a paragraph a link for people, JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "hypercall/host/show.hpp"

namespace vif::tools {

struct OpenedLink {
  std::string linkstr;
  Result<host::ShownLink> link;
};

// Those that could not be opened go to standard error, with the reason.
void print_text(const std::vector<OpenedLink>& links);

// One array, an object a link: {"linkstr","error","link":{"frame_bytes_max","frame_bytes_min","slices_max","offload",
// "reflects","lladdr","mtu","link_state","baudrate","chosen"}}. One of error and link is null; so is, in link, what
// nobody has an opinion on.
void print_json(const std::vector<OpenedLink>& links);

}  // namespace vif::tools
