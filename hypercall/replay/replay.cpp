// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/replay.hpp"

#include "hypercall/bpf_compile.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/mem_link.hpp"
#include "hypercall/replay/link_replay.hpp"
#include "hypercall/run.hpp"
#include "hypercall/scheme_table.hpp"
#include "netstack/if_clone.hpp"
#include "virtif/virtif_module.hpp"

namespace vif::host {
namespace {

constexpr char kSegment[] = "mem:stage";

ReplayOutcome failed(const Error& error) {
  ReplayOutcome outcome;
  outcome.error = error.text;
  return outcome;
}

void keep_received(LinkReplay& replay, ReplayOutcome& outcome) {
  replay.on_received = [&](net::ReplaySide, Bytes, Bytes frame) {
    outcome.received.push_back({replay.since_start(), {frame.begin(), frame.end()}});
  };
}

void conclude(LinkReplay& replay, const LinkReplayRequest& asked, ReplayOutcome& outcome) {
  const LinkReplayReport report = replay.finish();
  outcome.sent = report.totals.sent;
  const bool is_timed = asked.plan.speed.kind == net::ReplaySpeed::Kind::recorded && !asked.plan.gap_max;
  if (is_timed) outcome.clock = {replay.first_time_ns(), asked.plan.speed.value};
  outcome.error = report.error;
  if (outcome.error.empty() && !report.complete()) {
    outcome.error = std::to_string(report.totals.records - report.totals.sent) + " of " +
                    std::to_string(report.totals.records) +
                    " frames were not sent whole: expected whole Ethernet frames";
  }
}

}  // namespace

struct ReplayStage::Parts {
  explicit Parts(std::uint64_t seed) : host(seed) {}

  sim::SimHost host;
  LinuxFiles files;
  net::Domain& domain = host.add_domain();
  MemSegments segments{host.clock};
  SchemeTable schemes;
  std::unique_ptr<drv::VirtifModule> driver;  // outlives what it made
  net::IfCloneTable interfaces{domain};
  net::Ifnet* ifp = nullptr;
  Status addressed;  // whether it has the address that was asked for
};

ReplayStage::ReplayStage(const net::MacAddress& lladdr, std::uint64_t seed) : parts_(std::make_unique<Parts>(seed)) {
  Status made =
      parts_->schemes.add("mem", [parts = parts_.get()](const drv::Linkstr& linkstr, const drv::LinkOwner& owner) {
        return parts->segments.open(linkstr, owner);
      });
  auto driver = drv::VirtifModule::init(parts_->interfaces, parts_->schemes, "virt");
  assert(made && driver && "a fresh host has neither");
  parts_->driver = std::move(*driver);
  const Result<net::Ifnet*> virt0 = parts_->interfaces.create("virt0");
  assert(virt0 && "the first interface of a fresh table");
  parts_->ifp = *virt0;
  parts_->addressed = ifp().ioctl(net::SetLladdr{lladdr});
  made = ifp().ioctl(net::SetLinkstr{kSegment});
  assert(made && "a fresh segment takes a port");
  (void)made;
}

ReplayStage::~ReplayStage() = default;

net::Ifnet& ReplayStage::ifp() { return *parts_->ifp; }
net::Domain& ReplayStage::domain() { return parts_->domain; }
void ReplayStage::run(Time time) { parts_->host.run_until(parts_->host.clock.now() + time); }

void ReplayStage::after(Time time, std::function<void()> deed) {
  parts_->host.at(parts_->host.clock.now() + time, std::move(deed));
}

void PrintTo(const ReplayOutcome& outcome, std::ostream* out) {
  *out << outcome.sent << " frames sent, " << outcome.received.size() << " received";
  if (!outcome.error.empty()) *out << "; " << outcome.error;
}

Result<LinkReplayRequest> ReplayRun::request(std::string linkstr) const {
  LinkReplayRequest request{.captures = captures_, .linkstr = std::move(linkstr), .linger = linger_};
  Result<net::BpfProgram> select = compile_filter(filter_);
  if (!select) return fail(EINVAL, "sending(\"" + filter_ + "\"): " + select.error().text);
  request.select = std::move(*select);
  Result<net::FrameRewriter> rewriter = net::FrameRewriter::parse(rules_);
  if (!rewriter) return fail(EINVAL, "rewriting(): " + rewriter.error().text);
  request.rewriter = std::move(*rewriter);
  const Result<net::ReplaySpeed> speed = net::parse_replay_speed(speed_);
  if (!speed) return fail(EINVAL, "at_speed(): " + speed.error().text);
  request.plan.speed = *speed;
  request.plan.gap_max = gap_max_;
  if (Status learned = learned_.empty() ? Status() : learn(request); !learned) return std::move(learned).error();
  return request;
}

Status ReplayRun::learn(LinkReplayRequest& request) const {
  const Result<net::LearnedFlows::Wanted> wanted = net::LearnedFlows::parse(learned_);
  if (!wanted) return fail(EINVAL, "learning(): " + wanted.error().text);
  if (filter_.empty()) return fail(EINVAL, "learning() expects sending(), so that it is known which frames are whose");
  request.learned.emplace(*wanted);
  LinuxFiles files;
  net::FrameSelector ours(request.select);
  for (const std::string& capture : captures_) {
    const auto frames = net::Expectation::load(files, capture);
    if (!frames) return frames.error();
    for (const net::ExpectedFrame& frame : *frames) {
      if (!ours.wants(frame.bytes)) request.learned->add(frame.bytes);
    }
  }
  return {};
}

ReplayOutcome ReplayRun::through(ReplayStage& stage) const {
  const Result<LinkReplayRequest> asked = request(kSegment);
  if (!asked) return failed(asked.error());
  ReplayStage::Parts& parts = *stage.parts_;
  if (!parts.addressed) return failed(parts.addressed.error());
  auto opened = LinkReplay::open(*asked, parts.files, {parts.schemes, parts.host.clock, parts.domain});
  if (!opened) return failed(opened.error());
  LinkReplay& replay = **opened;
  ReplayOutcome outcome;
  keep_received(replay, outcome);
  parts.host.settle();
  replay.start();
  // From deadline to deadline, so that no time passes behind the end.
  while (!replay.ended()) {
    const std::optional<Time> next = parts.domain.next_deadline();
    if (!next) break;
    parts.host.run_until(*next);
  }
  conclude(replay, *asked, outcome);
  return outcome;
}

ReplayOutcome ReplayRun::over(const std::string& linkstr, const ReplayPlace& place) const {
  Result<LinkReplayRequest> asked = request(linkstr);
  if (!asked) return failed(asked.error());
  asked->link_may_go = true;  // what it should have sent before is the matcher's to say
  LinuxFiles files;
  auto opened = LinkReplay::open(*asked, files, {place.links, place.clock, place.loop.domain()});
  if (!opened) return failed(opened.error());
  LinkReplay& replay = **opened;
  ReplayOutcome outcome;
  keep_received(replay, outcome);
  Runner runner(place.loop);
  replay.on_end = [&] { runner.stop(); };
  place.loop.poll(0);  // so that the domain knows the time
  replay.start();
  const Status ran = runner.run();
  conclude(replay, *asked, outcome);
  if (!ran) outcome.error = ran.error().text;
  return outcome;
}

}  // namespace vif::host
