// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/offload.hpp"

#include <gtest/gtest.h>

#include <array>

namespace {

using vif::net::Offload;
using vif::net::OffloadSet;

Offload gso(std::uint8_t type) { return {.flags = Offload::kNeedsChecksum, .gso_type = type, .gso_size = 1448}; }

TEST(OffloadSet, takes_what_is_finished_without_knowing_anything) {
  EXPECT_TRUE(OffloadSet{}.takes({}));
  EXPECT_TRUE(OffloadSet{}.takes({.flags = Offload::kDataValid, .hdr_len = 54}));
  EXPECT_FALSE(OffloadSet{}.takes({.flags = Offload::kNeedsChecksum}));
}

TEST(OffloadSet, takes_each_kind_when_it_says_so_and_only_then) {
  struct Kind {
    std::uint8_t gso_type;
    OffloadSet needs;
  };
  constexpr OffloadSet kTso4{.csum = true, .tso4 = true}, kTso6{.csum = true, .tso6 = true};
  const std::array<Kind, 6> kinds = {{{Offload::kGsoNone, {.csum = true}},
                                      {Offload::kGsoTcp4, kTso4},
                                      {Offload::kGsoTcp4 | Offload::kGsoEcn, kTso4},
                                      {Offload::kGsoTcp6, kTso6},
                                      {Offload::kGsoTcp6 | Offload::kGsoEcn, kTso6},
                                      {Offload::kGsoUdpL4, {.csum = true, .uso = true}}}};
  for (const Kind& kind : kinds) {
    EXPECT_TRUE(OffloadSet::all().takes(gso(kind.gso_type))) << int{kind.gso_type};
    for (const Kind& other : kinds) {
      const bool same = kind.needs == other.needs || kind.gso_type == Offload::kGsoNone;
      EXPECT_EQ(other.needs.takes(gso(kind.gso_type)), same) << int{kind.gso_type} << " by " << int{other.gso_type};
    }
    OffloadSet no_checksums = OffloadSet::all();
    no_checksums.csum = false;
    EXPECT_FALSE(no_checksums.takes(gso(kind.gso_type))) << int{kind.gso_type};
  }
}

TEST(OffloadSet, takes_no_kind_it_has_never_heard_of) {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{2, 3, 6, 0x7f, 0x80, 0x83, 0x85, 0xff}) {
    EXPECT_FALSE(OffloadSet::all().takes(gso(type))) << int{type};
  }
}

}  // namespace
