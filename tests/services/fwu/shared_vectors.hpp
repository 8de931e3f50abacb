// SPDX-License-Identifier: BSD-2-Clause
// The vectors beside the source tree: files that other people's tools made, and what an independent reader found in
// them. They are not part of the tree; VIRTIF_SHARED leads to them where they are elsewhere. For host tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace vif::test {

inline std::filesystem::path shared_fwu_vectors(const std::filesystem::path& source_root) {
  const char* shared = std::getenv("VIRTIF_SHARED");
  const auto root = shared ? std::filesystem::path(shared) : source_root / ".." / "shared";
  return root / "vectors" / "fwu";
}

inline std::vector<std::byte> file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(chars.size());
  for (std::size_t i = 0; i < chars.size(); ++i) bytes[i] = static_cast<std::byte>(chars[i]);
  return bytes;
}

}  // namespace vif::test
