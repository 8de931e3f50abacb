// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_capsules.hpp"

#include <cerrno>
#include <filesystem>

#include "tools/virtifctl/fwu/fwu_fetch.hpp"

namespace vif::tools {

Result<std::unique_ptr<FwuCapsules>> FwuCapsules::open(const FwuOptions& options) {
  if (options.files.empty() && options.from.empty()) {
    return fail(EINVAL, "a capsule was expected, or --from URL with --via LINKSTR");
  }
  auto capsules = std::make_unique<FwuCapsules>();
  for (const std::string& name : options.files) {
    if (Status added = capsules->add_named(name); !added) return added.error();
  }
  if (options.from.empty()) return capsules;
  auto fetched = fwu_fetch(options);
  if (!fetched) return std::move(fetched).error();
  for (FwuFetched& one : *fetched) {
    capsules->add(one.name, one.spool->path());
    capsules->spools_.push_back(std::move(one.spool));
  }
  return capsules;
}

Status FwuCapsules::add_named(const std::string& name) {
  const auto add_file = [this](const std::filesystem::path& path) {
    add(path.filename().string(), path.string());
    paths_.push_back(path.string());
  };
  std::error_code ignored, failed;
  if (!std::filesystem::is_directory(name, ignored)) return add_file(name), Status();
  const std::size_t before = paths_.size();
  std::filesystem::directory_iterator entry(name, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (!entry->is_directory(ignored)) add_file(entry->path());
  }
  if (failed) return Error{failed, name + ": " + failed.message()};
  if (paths_.size() == before) return fail(ENOENT, name + ": no capsule was found in this folder");
  return {};
}

void FwuCapsules::add(const std::string& name, const std::string& path) {
  Result<std::unique_ptr<host::FileStore>> opened = host::FileStore::open(path, host::Access::read);
  if (opened) files_.push_back({name, stores_.emplace_back(*std::move(opened)).get(), {}});
  else files_.push_back({name, nullptr, opened.error()});
}

}  // namespace vif::tools
