// SPDX-License-Identifier: BSD-2-Clause
// The capsules of a command: files, folders replaced by the files in them, and what a network brings. One thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "hypercall/fetch/spool.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"

namespace vif::tools {

class FwuCapsules {
 public:
  // Fetches what --from names. What cannot be opened is the outcome of that capsule; errors: EINVAL nothing was named,
  // ENOENT a folder has no file, and whatever keeps a folder from being read or a network from bringing a capsule.
  static Result<std::unique_ptr<FwuCapsules>> open(const FwuOptions& options);

  // By the last part of their names; borrowed as long as this lives.
  const std::vector<fwu::CapsuleFile>& files() const { return files_; }
  // Of those that were files.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  Status add_named(const std::string& name);
  void add(const std::string& name, const std::string& path);

  std::deque<std::unique_ptr<host::FileStore>> stores_;
  std::vector<std::unique_ptr<host::Spool>> spools_;
  std::vector<fwu::CapsuleFile> files_;
  std::vector<std::string> paths_;
};

}  // namespace vif::tools
