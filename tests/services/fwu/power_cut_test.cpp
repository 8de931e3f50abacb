// SPDX-License-Identifier: BSD-2-Clause
// The power goes, at every write of every kind of run, and comes back. What must hold: the metadata can be read, the
// bank that boots is whole (old or new), a bank that is not whole is not trusted, and doing the same again ends where
// it would have ended. tests/services/fwu/meson.build says how many states: a sample everywhere, all of them in suite
// soak.
#include <gtest/gtest.h>

#include <cstdio>
#include <unordered_set>

#include "hypercall/sim/crash_states.hpp"
#include "tests/services/fwu/fwu_rig.hpp"

namespace vif::test {
namespace {

using namespace fwu;
using Capsules = std::map<std::string, Buffer>;

constexpr std::size_t kStatesWanted = VIF_CRASH_STATES;
constexpr std::size_t kSamples = 300;

struct Scenario {
  std::string name;
  FwuRig before;
  Capsules capsules;  // none: a boot
  bool boots = true;  // before each run
};

Capsules firmware(std::size_t images, std::uint32_t flags, char first) {
  Capsules capsules;
  for (std::size_t i = 0; i < images; ++i) {
    const auto with = static_cast<char>(first + static_cast<char>(i));
    capsules[std::string(1, static_cast<char>('A' + i))] =
        FwuRig::capsule({.image = i, .with = with, .flags = flags, .payload = PayloadVersion{2, 1}});
  }
  return capsules;
}

void do_it(FwuRig& rig, SimStore& store, const Scenario& scenario) {
  const Device device = rig.device(store);
  const auto metadata = MetadataCopies::find(device)->load();
  if (!metadata) return;
  if (scenario.boots) {
    const auto booted = check_boot(device, metadata->active_index);
    if (!booted || booted->next_bank || scenario.capsules.empty()) return;
  }
  rig.run(store, scenario.capsules, metadata->active_index);
}

// What may be in a bank of `banks`: as it was before, or as it is at the end.
class Oracle {
 public:
  Oracle(const Scenario& scenario, const FwuRig& after) : scenario_(scenario), after_(after) {}

  void check(FwuRig& rig) const {
    const Metadata metadata = rig.metadata();
    for (std::uint32_t bank = 0; bank < metadata.banks; ++bank) {
      const std::string is = rig.bank(bank);
      const bool whole = is == scenario_.before.bank(bank) || is == after_.bank(bank);
      const bool trusted = bank == metadata.active_index || bank_state(metadata, bank) != BankState::invalid;
      EXPECT_TRUE(whole || !trusted) << "bank " << bank << " holds " << is << " and is trusted";
    }
  }

  // The same again, booting in between as one would: the end is that of a run without a cut.
  void converge(FwuRig& rig) const {
    for (int again = 0; again < 2; ++again) {
      SimStore store(rig.medium);
      do_it(rig, store, scenario_);
    }
    const Metadata metadata = rig.metadata();
    FwuRig expected = after_;
    EXPECT_EQ(metadata, expected.metadata());
    EXPECT_EQ(rig.bank(metadata.active_index), after_.bank(metadata.active_index));
    SimStore store(rig.medium);
    const MetadataCopies copies = *MetadataCopies::find(rig.device(store));
    EXPECT_EQ(*copies.read(MetadataCopies::Place::primary), *copies.read(MetadataCopies::Place::secondary));
    for (const auto& [name, variable] : after_.medium.variables) {
      if (!name.second.starts_with("FwuFloor")) continue;
      EXPECT_EQ(rig.medium.variables[name].bytes, variable.bytes) << name.second;
    }
  }

 private:
  const Scenario& scenario_;
  const FwuRig& after_;
};

FwuRig on_trial(std::uint32_t version, std::uint32_t banks, std::uint32_t images) {
  FwuRig rig(version, banks, images);
  rig.run(firmware(images, kAcceptLater, 'A'));
  return rig;
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  for (const std::uint32_t version : {1u, 2u}) {
    for (const std::uint32_t banks : {2u, 3u}) {
      for (const std::uint32_t images : {1u, 2u, 3u}) {
        const std::string device = "v" + std::to_string(version) + " " + std::to_string(banks) + " banks " +
                                   std::to_string(images) + " images: ";
        const FwuRig fresh(version, banks, images);
        all.push_back({device + "update", fresh, firmware(images, 0, 'A')});
        all.push_back({device + "update on trial", fresh, firmware(images, kAcceptLater, 'A')});
        all.push_back({device + "update without a boot", fresh, firmware(images, 0, 'A'), false});
        all.push_back({device + "update on trial without a boot", fresh, firmware(images, kAcceptLater, 'A'), false});
        FwuRig damaged = fresh;
        damaged.damage(0, 20);
        all.push_back({device + "repair", damaged, {}});
        all.push_back({device + "update of a damaged one", damaged, firmware(images, 0, 'A')});
        if (images > 1) all.push_back({device + "one image of several", fresh, firmware(1, 0, 'A')});
        const FwuRig trial = on_trial(version, banks, images);
        Capsules accepts;
        for (std::uint32_t i = 0; i < images; ++i) {
          accepts[std::string(1, static_cast<char>('a' + i))] = write_accept_capsule(image_type(i));
        }
        all.push_back({device + "accept", trial, accepts});
        all.push_back({device + "revert", trial, {{"r", write_revert_capsule()}}});
        FwuRig exhausted = trial;
        for (int boot = 0; boot < 3; ++boot) EXPECT_TRUE(exhausted.boot());
        all.push_back({device + "trial that ends", exhausted, {}});
      }
    }
  }
  return all;
}

// The cuts of one run, and for some of them the cuts of the run after. Each state once.
class Cutting {
 public:
  Cutting(const Scenario& scenario, std::size_t most) : scenario_(scenario), after_(scenario.before), most_(most) {
    SimStore store(after_.medium);
    do_it(after_, store, scenario_);
    log_ = store.log();
  }

  std::size_t cut(bool again) {
    host::sim::CrashStates(scenario_.before.medium, log_, kSamples)
        .visit(
            [&](const SimMedium& left) {
              reopen(left);
              if (again && seen_.size() % 16 == 0) cut_again(left);
            },
            most_);
    return seen_.size();
  }

 private:
  void reopen(const SimMedium& left) {
    if (seen_.size() >= most_ || testing::Test::HasFailure() || !seen_.insert(hash_of(left)).second) return;
    FwuRig rig = scenario_.before;
    rig.medium = left;
    oracle_.check(rig);
    oracle_.converge(rig);
  }

  void cut_again(const SimMedium& left) {
    FwuRig rig = scenario_.before;
    rig.medium = left;
    SimStore store(rig.medium);
    do_it(rig, store, scenario_);
    host::sim::CrashStates(left, store.log(), kSamples).visit([&](const SimMedium& later) { reopen(later); });
  }

  const Scenario& scenario_;
  FwuRig after_;
  Oracle oracle_{scenario_, after_};
  std::size_t most_;
  std::vector<host::sim::SimWrite> log_;
  std::unordered_set<std::uint64_t> seen_;
};

TEST(FwuPowerCut, leaves_the_old_or_the_new_firmware_at_every_write) {
  const std::vector<Scenario> all = scenarios();
  std::size_t states = 0;
  for (const Scenario& scenario : all) {
    SCOPED_TRACE(scenario.name);
    states += Cutting(scenario, kStatesWanted / all.size() * 4).cut(kStatesWanted >= 100'000);
    ASSERT_FALSE(HasFailure()) << "at state " << states;
  }
  std::printf("%zu crash states of %zu runs, each reopened and brought to its end\n", states, all.size());
  EXPECT_GE(states, kStatesWanted);
}

// The host refuses a call, or does half of it: the run says so, and the next one ends as if nothing had been.
TEST(FwuPowerCut, a_call_that_fails_is_no_worse) {
  std::size_t failures = 0;
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name.find("2 banks 2 images") == std::string::npos) continue;
    SCOPED_TRACE(scenario.name);
    FwuRig after = scenario.before;
    SimStore whole(after.medium);
    do_it(after, whole, scenario);
    const Oracle oracle(scenario, after);
    for (int call = 0; call < whole.calls(); ++call) {
      for (const auto& [number, bytes] : {std::pair(EIO, 0u), {ENOSPC, 0u}, {EIO, 1u}, {ENOSPC, 511u}, {EIO, 512u}}) {
        FwuRig rig = scenario.before;
        SimStore store(rig.medium);
        store.fail_call(call, number, bytes);
        do_it(rig, store, scenario);
        oracle.check(rig);
        oracle.converge(rig);
        ASSERT_FALSE(HasFailure()) << "call " << call << " fails after " << bytes << " bytes";
        ++failures;
      }
    }
  }
  std::printf("%zu failed calls, each survived\n", failures);
}

}  // namespace
}  // namespace vif::test
