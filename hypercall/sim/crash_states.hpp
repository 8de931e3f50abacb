// SPDX-License-Identifier: BSD-2-Clause
// What a power cut may leave of a run that a SimStore wrote down. Writes that no flush followed may have reached the
// medium or not, sector by sector and in any order; one sector may have been torn at any byte; variables last at once.
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_set>
#include <vector>

#include "hypercall/sim/sim_medium.hpp"

namespace vif::host::sim {

// The FNV-1a hash of all of it, eight bytes at a time.
VIF_API std::uint64_t hash_of(const SimMedium& medium);

class VIF_API CrashStates {
 public:
  // Of up to this many unflushed sectors every subset is a state.
  static constexpr std::size_t kExhaustiveSectors = 12;

  // `log` is what was done to `before`. Of more sectors than that `samples` subsets are drawn by `seed`.
  CrashStates(SimMedium before, const std::vector<SimWrite>& log, std::size_t samples, std::uint64_t seed = 1)
      : now_(std::move(before)), log_(log), samples_(samples), seed_(seed) {}

  using Visit = std::function<void(const SimMedium&)>;

  // Each state once, the first (nothing was done) and the last (all of it) among them, until `most` have been visited.
  // Returns how many that was.
  std::size_t visit(const Visit& each, std::size_t most = SIZE_MAX);

 private:
  struct Piece {
    std::uint64_t offset = 0;
    Bytes bytes;  // of the log
  };

  void visit_pending(const Visit& each);
  void visit_state(const Visit& each);
  void visit_torn(const Visit& each, std::size_t piece);
  template <class Chosen>
  void visit_subset(const Visit& each, Chosen&& chosen);
  void put(const Piece& piece, std::size_t bytes);
  void add_pieces(const SimWrite& write);

  SimMedium now_;  // what is certain
  const std::vector<SimWrite>& log_;
  std::size_t samples_ = 0, most_ = 0;
  std::uint64_t seed_ = 0;
  std::vector<Piece> pending_;
  std::vector<std::byte> certain_;  // the disk of now_, while a state is put together in it
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace vif::host::sim
