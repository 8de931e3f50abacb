// SPDX-License-Identifier: BSD-2-Clause
// verify, apply, accept and revert: runs of capsules.
#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "hypercall/linux_ports.hpp"
#include "services/fwu/capsule_writer.hpp"
#include "services/fwu/update.hpp"
#include "tools/virtifctl/fwu/fwu_capsules.hpp"
#include "tools/virtifctl/fwu/fwu_narrator.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"
#include "tools/virtifctl/fwu/fwu_text.hpp"

namespace vif::tools {
namespace {

using Json = nlohmann::json;

int print(const fwu::Plan& plan, const std::vector<std::string>& steps, const Status& done, bool json) {
  Json capsules = Json::array();
  for (const fwu::CapsuleOutcome& outcome : plan.outcomes) {
    const auto status = static_cast<std::uint64_t>(fwu::efi_status(outcome.status));
    capsules.push_back({{"name", outcome.name},
                        {"status", fmt::format("0x{:x}", status)},
                        {"error", outcome.status ? Json() : Json(outcome.status.error().text)}});
  }
  if (json) {
    const Json all = {{"capsules", capsules}, {"steps", steps}, {"error", done ? Json() : Json(done.error().text)}};
    fmt::print("{}\n", all.dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    for (const fwu::CapsuleOutcome& outcome : plan.outcomes) {
      const std::string how = outcome.status ? "good" : "refused: " + outcome.status.error().text;
      fmt::print("{}: {}\n", fwu_printable(outcome.name), fwu_printable(how));
    }
    for (const std::string& step : steps) fmt::print("  {}\n", fwu_printable(step));
  }
  if (!done) return json ? kFwuFailed : fwu_say(done.error().text, kFwuFailed);
  return plan.failed() ? kFwuRefused : 0;
}

enum class Mode : std::uint8_t { plan_only, carry_out };

int run_capsules(const FwuOptions& options, std::vector<fwu::CapsuleFile> files, Mode mode, fwu::Plan& plan) {
  const bool writes = mode == Mode::carry_out;
  auto opened = FwuDevice::open(options, writes ? host::Access::write : host::Access::read);
  if (!opened) return fwu_say(opened.error().text, kFwuFailed);
  const fwu::Device device = (*opened)->device();
  auto signatures = fwu_trust(options);
  if (!signatures) return fwu_say(signatures.error().text, kFwuFailed);
  const auto metadata = fwu_metadata(device);
  if (!metadata) return fwu_say(metadata.error().text, kFwuFailed);
  if (const auto wrong = fwu_no_such_bank(options, *metadata); !wrong.empty()) return fwu_say(wrong, kFwuUsage);
  const int refusal = fwu_refusal(files);

  host::Sha256Digests digests;
  const fwu::Planner planner{device,
                             digests,
                             (*signatures)->trusts_any() ? signatures->get() : nullptr,
                             {options.allow_unsigned, options.allow_downgrade, options.hardware_instance}};
  Result<fwu::Plan> planned = planner.plan(std::move(files), options.bank.value_or(metadata->active_index));
  if (!planned) return fwu_say(planned.error().text, kFwuFailed);
  plan = *std::move(planned);
  const auto told = [&](const std::vector<std::string>& steps, const Status& done) {
    const int status = print(plan, steps, done, options.json);
    return status == kFwuRefused ? refusal : status;
  };
  if (!writes) return told(plan.explain(), {});
  FwuNarrator narrator(options.json ? FwuNarrator::Tone::silent : FwuNarrator::Tone::speaks);
  Status done = fwu::Update(device, digests, narrator).apply(plan);
  const Status recorded = fwu::record_results(*(*opened)->variables, plan.outcomes, host::LinuxClock().wall_ns());
  if (done && !recorded) done = recorded;
  return told({}, done);
}

}  // namespace

int fwu_verify(const FwuOptions& options) {
  auto capsules = FwuCapsules::open(options);
  if (!capsules) return fwu_say(capsules.error().text, fwu_status(capsules.error()));
  fwu::Plan plan;
  return run_capsules(options, (*capsules)->files(), Mode::plan_only, plan);
}

int fwu_apply(const FwuOptions& options) {
  if (options.dry_run) return fwu_verify(options);
  auto capsules = FwuCapsules::open(options);
  if (!capsules) return fwu_say(capsules.error().text, fwu_status(capsules.error()));
  fwu::Plan plan;
  const int status = run_capsules(options, (*capsules)->files(), Mode::carry_out, plan);
  if (status != 0 || !options.remove) return status;
  for (const std::string& path : (*capsules)->paths()) {
    std::error_code error;
    if (!std::filesystem::remove(path, error)) return fwu_say(path + ": " + error.message(), kFwuFailed);
  }
  return 0;
}

int fwu_accept(const FwuOptions& options) {
  std::vector<std::string> types = options.files;
  if (types.empty()) {
    auto opened = FwuDevice::open(options, host::Access::read);
    if (!opened) return fwu_say(opened.error().text, kFwuFailed);
    const auto metadata = fwu_metadata((*opened)->device());
    if (!metadata) return fwu_say(metadata.error().text, kFwuFailed);
    for (const fwu::ImageEntry& entry : metadata->images) types.push_back(fwu::to_string(entry.image_type));
  }
  std::deque<std::vector<std::byte>> bytes;
  std::deque<fwu::MemoryRange> ranges;
  std::vector<fwu::CapsuleFile> files;
  for (const std::string& type : types) {
    const auto guid = fwu::parse_guid(type);
    if (!guid) return fwu_say(type + ": a GUID was expected", kFwuUsage);
    bytes.push_back(fwu::write_accept_capsule(*guid));
    files.push_back({"accept " + type, &ranges.emplace_back(bytes.back()), {}});
  }
  fwu::Plan plan;
  return run_capsules(options, files, Mode::carry_out, plan);
}

int fwu_revert(const FwuOptions& options) {
  const std::vector<std::byte> bytes = fwu::write_revert_capsule();
  fwu::MemoryRange range(bytes);
  fwu::Plan plan;
  return run_capsules(options, {{"revert", &range, {}}}, Mode::carry_out, plan);
}

}  // namespace vif::tools
