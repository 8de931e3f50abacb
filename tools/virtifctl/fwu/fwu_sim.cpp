// SPDX-License-Identifier: BSD-2-Clause
// sim: an update of the user's own medium, in memory, with the power cut at every write.
#include <fmt/core.h>

#include "hypercall/sim/crash_states.hpp"
#include "services/fwu/bank_rules.hpp"
#include "services/fwu/boot_check.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "services/fwu/update.hpp"
#include "tools/virtifctl/fwu/fwu_capsules.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"
#include "tools/virtifctl/fwu/fwu_sim_report.hpp"

namespace vif::tools {
namespace {

using host::sim::SimMedium;
using host::sim::SimStore;

constexpr std::uint64_t kMediumBytesMax = 64 * 1024 * 1024;
constexpr std::size_t kSamples = 200, kStatesMax = 2000;

struct Quiet final : fwu::UpdateObserver {
  void step(const std::string&) override {}
  void progress(std::uint64_t, std::uint64_t) override {}
};

// One boot and one run of the capsules, on a medium in memory.
class Rehearsal {
 public:
  Rehearsal(FwuDevice& real, fwu::SignaturePort* signatures, const FwuOptions& options)
      : real_(real), signatures_(signatures), options_(options) {}

  // `bank`: the one that is said to run; the active one.
  Status run(SimStore& store, const std::vector<fwu::CapsuleFile>& files, std::optional<std::uint32_t> bank = {}) {
    const fwu::Device device{store, real_.partitions, store, real_.geometry};
    const auto metadata = load(store);
    if (!metadata) return metadata.error();
    const auto booted = fwu::check_boot(device, metadata->active_index);
    if (!booted) return booted.error();
    const fwu::Planner planner{device, digests_, signatures_, {options_.allow_unsigned, options_.allow_downgrade, 0}};
    Result<fwu::Plan> plan = planner.plan(files, bank.value_or(metadata->active_index));
    if (!plan) return plan.error();
    for (const fwu::CapsuleOutcome& outcome : plan->outcomes) {
      if (!outcome.status)
        return fail(outcome.status.error().number(), outcome.name + ": " + outcome.status.error().text);
    }
    Quiet quiet;
    return fwu::Update(device, digests_, quiet).apply(*plan);
  }

  Result<fwu::Metadata> load(SimStore& store) const {
    const auto copies = fwu::MetadataCopies::find({store, real_.partitions, store, real_.geometry});
    return copies ? copies->load() : Result<fwu::Metadata>(copies.error());
  }

  // "bank 0 accepted, bank 1 invalid, 0 boots"
  std::string state(SimStore& store) const {
    const auto metadata = load(store);
    if (!metadata) return "unreadable: " + metadata.error().text;
    std::string text = fmt::format("bank {} boots", metadata->active_index);
    for (std::uint32_t bank = 0; bank < metadata->banks; ++bank) {
      text += fmt::format("; {} {}", bank, fwu::name_of(fwu::bank_state(*metadata, bank)));
    }
    return text;
  }

 private:
  FwuDevice& real_;
  fwu::SignaturePort* signatures_;
  const FwuOptions& options_;
  host::Sha256Digests digests_;
};

}  // namespace

int fwu_sim(const FwuOptions& options) {
  auto opened = FwuDevice::open(options, host::Access::read);
  if (!opened) return fwu_say(opened.error().text, kFwuFailed);
  auto signatures = fwu_trust(options);
  if (!signatures) return fwu_say(signatures.error().text, kFwuFailed);
  FwuDevice& device = **opened;
  if (device.store->size_bytes() > kMediumBytesMax) {
    return fwu_say("sim copies the medium into memory for every state: 64 MiB are the most", kFwuUsage);
  }
  SimMedium before{std::vector<std::byte>(device.store->size_bytes()), {}};
  if (Status read = device.store->read(0, before.disk); !read) return fwu_say(read.error().text, kFwuFailed);
  for (const fwu::Variable& variable : device.variables->all())
    before.variables[{variable.space, variable.name}] = variable;

  auto capsules = FwuCapsules::open(options);
  if (!capsules) return fwu_say(capsules.error().text, fwu_status(capsules.error()));
  const std::vector<fwu::CapsuleFile>& files = (*capsules)->files();
  Rehearsal rehearsal(device, (*signatures)->trusts_any() ? signatures->get() : nullptr, options);
  SimMedium after = before;
  SimStore whole(after);
  FwuSimReport report{.image = options.image, .begin = rehearsal.state(whole)};
  const auto metadata = rehearsal.load(whole);
  if (!metadata) return fwu_say(metadata.error().text, kFwuFailed);
  if (const auto wrong = fwu_no_such_bank(options, *metadata); !wrong.empty()) return fwu_say(wrong, kFwuUsage);
  if (Status done = rehearsal.run(whole, files, options.bank); !done)
    return fwu_say(done.error().text, fwu_refusal(files));
  report.end = rehearsal.state(whole);

  report.states =
      host::sim::CrashStates(before, whole.log(), kSamples)
          .visit(
              [&](const SimMedium& left) {
                SimMedium medium = left;
                SimStore store(medium);
                const std::string state = rehearsal.state(store);
                ++report.seen[state];
                const Status done = rehearsal.run(store, files);
                if (done && rehearsal.state(store) == report.end) ++report.converged;
                else report.failures.push_back(state + ": " + (done ? rehearsal.state(store) : done.error().text));
              },
              kStatesMax);
  options.json ? print_json(report) : print_text(report);
  if (!options.report.empty()) {
    if (Status written = write_html(report, options.report); !written) return fwu_say(written.error().text, kFwuFailed);
  }
  return report.converged == report.states ? 0 : kFwuFailed;
}

}  // namespace vif::tools
