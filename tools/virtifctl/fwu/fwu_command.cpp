// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_command.hpp"

#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/trace/trace_recorder.hpp"

namespace vif::tools {

FwuCommand::FwuCommand(CLI::App& app) {
  CLI::App& fwu = *app.add_subcommand(
      "fwu", "Update firmware in banks (FWU metadata, UEFI capsules) on a disk image or a block device.");
  fwu.require_subcommand(1);
  add_looking(fwu);
  add_changing(fwu);
  add_making(fwu);
}

int FwuCommand::run(TraceRecorder* recorder) {
  options_.trace = &trace_;
  options_.recorder = recorder;
  if (Status fine = fwu_check_words(options_); !fine) return fwu_say(fine.error().text, kFwuUsage);
  std::optional<Result<std::unique_ptr<host::OwnEvents>>> recorded;  // as long as the command runs
  if (recorder != nullptr) recorded.emplace(recorder->attach(trace_));
  if (recorded && !*recorded) return fwu_say(recorded->error().text, kFwuFailed);
  const int status = chosen_();
  const int lost = flushed();
  return status != 0 ? status : lost;
}

CLI::App& FwuCommand::add(CLI::App& fwu, const char* name, const char* what, int (*carry_out)(const FwuOptions&)) {
  CLI::App& command = *fwu.add_subcommand(name, what);
  command.callback([this, carry_out] { chosen_ = [this, carry_out] { return carry_out(options_); }; });
  command.add_flag("-j,--json", options_.json, "print JSON");
  return command;
}

void FwuCommand::add_device(CLI::App& command) {
  command.add_option("IMAGE", options_.image, "a disk image, or a block device")
      ->required()
      ->each([this](const std::string&) { options_.is_device = true; });
  command.add_option("--vars", options_.variables, "the file of EFI variables (default: IMAGE.var)");
  command.add_option("--geometry", options_.geometry,
                     "banks and images of version 1 metadata, as in 2x2 (default: found "
                     "by its CRC)");
}

void FwuCommand::add_policy(CLI::App& command) {
  command.add_option("CAPSULE", options_.files, "capsules, or folders of them; they count in the order of their names");
  command
      .add_option("--from", options_.from,
                  "a capsule from a network: tftp://ADDRESS/FILE or http://ADDRESS/FILE; may be repeated")
      ->type_name("URL")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--via", options_.via, "the link it comes by, as in tap:t0")->type_name("LINKSTR");
  command.add_option("--address", options_.address,
                     "our address there and the length of its prefix, as in 192.0.2.1/24 (default: asks by DHCP)");
  command.add_option("--gateway", options_.gateway, "the router there");
  command.add_option("--trust", options_.trust,
                     "TYPE=CERTIFICATE: who may sign images of this type (PEM, DER or EFI signature list)");
  command.add_flag("--allow-unsigned", options_.allow_unsigned, "take unsigned capsules as well");
  command.add_flag("--allow-downgrade", options_.allow_downgrade,
                   "take versions below the running one, not below the floor");
  command.add_option("--bank", options_.bank, "the bank that runs (default: the active one)");
}

void FwuCommand::add_looking(CLI::App& fwu) {
  add_device(add(fwu, "show", "Banks, images, their states and why.", fwu_show));
  CLI::App& dump = add(fwu, "dump", "What is in a file: metadata, a capsule, a disk.", fwu_dump);
  dump.add_option("FILE", options_.image, "the file")->required();
  dump.add_option("--geometry", options_.geometry, "banks and images of version 1 metadata, as in 2x2");
  CLI::App& verify =
      add(fwu, "verify", "Whether capsules could be applied, and what that would do. Writes nothing.", fwu_verify);
  add_device(verify);
  add_policy(verify);
  CLI::App& sim = add(fwu, "sim", "Cut the power at every write of an update, on a copy in memory.", fwu_sim);
  add_device(sim);
  add_policy(sim);
  sim.add_option("--report", options_.report, "write a page with a picture of the states here")->type_name("FILE.html");
}

void FwuCommand::add_changing(CLI::App& fwu) {
  CLI::App& apply = add(fwu, "apply", "Apply capsules: all of them, or none.", fwu_apply);
  add_device(apply);
  add_policy(apply);
  apply.add_flag("-n,--dry-run", options_.dry_run, "say each step, write nothing");
  apply.add_flag("--remove", options_.remove, "remove the files of capsules that were applied");
  CLI::App& accept = add(fwu, "accept", "Accept the bank on trial.", fwu_accept);
  add_device(accept);
  accept.add_option("TYPE", options_.files, "image types to accept (default: all)");
  add_device(add(fwu, "revert", "Give the bank on trial up: another one boots next.", fwu_revert));
  CLI::App& boot = add(fwu, "boot", "What firmware checks at a boot.", fwu_boot);
  add_device(boot);
  boot.add_option("--bank", options_.bank, "the bank that was booted (default: the active one)");
  boot.add_option("--trial-boots", options_.trial_boots, "how many boots a trial has")->capture_default_str();
  boot.add_flag("--loop", options_.loop, "boot until the trial is over");
  CLI::App& repair = add(fwu, "repair", "Write both copies of metadata anew from one whose CRC is wrong.", fwu_repair);
  add_device(repair);
  repair.add_option("--force", options_.copy, "primary or secondary: the copy that is right")
      ->required()
      ->check(CLI::IsMember({"primary", "secondary"}));
  CLI::App& unmark = add(fwu, "unmark", "Trust a bank again that is marked invalid.", fwu_unmark);
  add_device(unmark);
  unmark.add_option("--bank", options_.bank, "which one")->required();
  unmark.add_option("--reason", options_.reason, "why, for whoever asks later")->required();
}

void FwuCommand::add_making(CLI::App& fwu) {
  CLI::App& meta = add(fwu, "mkmeta", "Write a file of metadata.", fwu_mkmeta);
  meta.add_option("FILE", options_.image, "the file to write")->required();
  meta.add_option("IMAGE", options_.files, "LOCATION,TYPE,BANK0,BANK1...: GUIDs of an image; 0 is the nil GUID")
      ->required();
  meta.add_option("--version", options_.metadata_version, "1 or 2")
      ->check(CLI::IsMember({1, 2}))
      ->capture_default_str();
  meta.add_option("--active", options_.active, "the active bank")->capture_default_str();
  meta.add_option("--previous", options_.previous, "the one before (default: the bank below the active one)");
  meta.add_option("--vendor", options_.vendor, "a file of vendor data (version 2)");
  CLI::App& capsule = add(fwu, "mkcapsule", "Write a capsule.", fwu_mkcapsule);
  capsule.add_option("FILE", options_.image, "the file to write")->required();
  capsule.add_option("BLOB", options_.files, "the image")->expected(0, 1);
  capsule.add_option("--type", options_.image_type, "its type, a GUID");
  capsule.add_option("--index", options_.image_index, "its index")->check(CLI::Range(1, 255))->capture_default_str();
  capsule.add_option("--instance", options_.hardware_instance, "the hardware instance it is for (default: any)");
  capsule.add_option("--fw-version", options_.fw_version, "its version");
  capsule.add_option("--lowest", options_.lowest_version, "the lowest version that may follow once it is accepted");
  capsule.add_option("--flags", options_.flags, "more flags, the low 16 bits")->check(CLI::Range(0, 0xffff));
  capsule.add_option("--header-size", options_.header_size, "28 or 32")->check(CLI::IsMember({28, 32}));
  capsule.add_flag("--accept-later", options_.accept_later, "on trial until accept capsules come");
  capsule.add_option("--cert", options_.certificate, "sign: the certificate (PEM)");
  capsule.add_option("--key", options_.key, "sign: its private key (PEM)");
  capsule.add_option("--count", options_.monotonic_count, "sign: the monotonic count");
  capsule.add_flag("--accept", options_.make_accept, "an accept capsule for --type");
  capsule.add_flag("--revert", options_.make_revert, "a revert capsule");
}

}  // namespace vif::tools
