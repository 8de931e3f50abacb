// SPDX-License-Identifier: BSD-2-Clause
// The kernel's process events on this host: a bridge beside a bare recvmmsg loop; records to another process, packed
// beside one a datagram; and a storm of forks, in which what is delivered and what is told as lost must be all that
// was produced, beside what forkstat says of the same storm. connector_storm [rounds]
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <unordered_set>

#include "tests/bench/connector_live.hpp"

namespace {

using namespace vif;

constexpr int kForks = 4'000;
constexpr std::uint64_t kProduced = 2 * kForks;
constexpr const char *kBegins = "vifstormbegins", *kEnds = "vifstormends";

// In a process of its own: children that end at once.
pid_t start_storm() {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  bench::pin(1);
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = ::vfork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
  }
  ::_exit(0);
}

// What was heard between two names that this process takes.
struct Heard {
  bool on = false;
  std::uint64_t events = 0, of_storm = 0, lost = 0;
  void add(const cn::ProcEvent& event, pid_t storm) {
    const bool is_name = event.what == cn::What::comm && event.pid == ::getpid();
    if (is_name && event.comm_text() == kEnds) on = false;
    if (on && event.what != cn::What::none) ++events;
    const bool is_life = event.what == cn::What::fork || event.what == cn::What::exit;
    if (on && is_life && event.parent_tgid == storm) ++of_storm;
    if (is_name && event.comm_text() == kBegins) on = true;
  }
};

// Everybody who hears the storm at once: ours as virtifd has it, ours with the kernel's default buffer and asleep until
// the storm is over, and a bare socket with room for everything.
struct Storm {
  bench::Live live{host::ConnectorSocket::kReceiveBytesDefault}, sleepy{bench::kSmallBytes};
  bench::BareSocket witness;
  Heard by_live, by_sleepy, by_witness;
  pid_t pid = 0;

  void hear(bench::Live& from, Heard& heard) const {
    from.drain();
    heard.lost += bench::read_all(from.listener, [&](const cn::ProcEvent& event) { heard.add(event, pid); });
  }
  void hear_witness() {
    (void)witness.drain([&](Bytes datagram) {
      const auto message = cn::read_datagram(datagram);
      if (const auto event = message ? cn::read_proc_event(message->payload) : std::nullopt) {
        by_witness.add(*event, pid);
      }
    });
  }
  void hear_all() {
    hear(live, by_live);
    hear(sleepy, by_sleepy);
    hear_witness();
  }

  void run() {
    ::prctl(PR_SET_NAME, kBegins);
    hear_all();
    pid = start_storm();
    for (int status = 0; ::waitpid(pid, &status, WNOHANG) == 0;) {
      pollfd waiting{live.bridge->fd(), POLLIN, 0};
      (void)::poll(&waiting, 1, 10);
      hear(live, by_live);
    }
    hear_all();
    ::prctl(PR_SET_NAME, kEnds);
    hear_all();
  }

  // False: some were lost unsaid.
  bool print(std::uint64_t forkstat) const {
    std::printf("  %6llu events between the names; of the storm %llu\n", number(by_witness.events), number(kProduced));
    std::printf("    8 MiB, reading:    %6llu + LOST %5llu  (storm: %llu)\n", number(by_live.events),
                number(by_live.lost), number(by_live.of_storm));
    std::printf("    208 KiB, asleep:   %6llu + LOST %5llu  (storm: %llu)\n", number(by_sleepy.events),
                number(by_sleepy.lost), number(by_sleepy.of_storm));
    std::printf("    forkstat printed:  %6s   %11s  (storm: %llu, and does not say of the rest)\n", "", "",
                number(forkstat));
    const auto is_whole = [](const bench::Live& from, const Heard& heard) {
      const auto drops = from.bridge->kernel_drops();
      return drops && heard.lost == *drops && heard.of_storm + heard.lost >= kProduced;
    };
    return is_whole(live, by_live) && is_whole(sleepy, by_sleepy);
  }
  static unsigned long long number(std::uint64_t value) { return value; }
};

// How many forks and exits of the storm's children are in what it printed: a line of a child follows its parent's.
std::uint64_t printed_by_forkstat(const std::string& path, pid_t storm) {
  std::FILE* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return 0;
  std::uint64_t count = 0;
  std::unordered_set<int> children;
  std::array<char, 4096> line;
  bool parent_is_storm = false;
  while (std::fgets(line.data(), line.size(), file) != nullptr) {
    char event[8] = {}, word[16] = {};
    int pid = 0;
    if (std::sscanf(line.data(), "%*s %7s %d %15s", event, &pid, word) != 3) continue;
    if (std::strcmp(word, "child") == 0 && parent_is_storm) ++count, children.insert(pid);
    if (std::strcmp(event, "exit") == 0 && children.erase(pid) > 0) ++count;
    parent_is_storm = std::strcmp(word, "parent") == 0 && pid == storm;
  }
  std::fclose(file);
  return count;
}

void storms(int rounds) {
  const std::string path = "/tmp/vif-forkstat-" + std::to_string(::getpid());
  const bool has_peer = bench::installed("forkstat");
  if (!has_peer) bench::leave_out("forkstat", bench::not_installed("forkstat"));
  const pid_t peer = has_peer ? ::fork() : -1;
  if (peer == 0) {
    ::close(1);
    if (::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600) != 1) ::_exit(1);
    ::_exit(::execlp("forkstat", "forkstat", "-l", "-e", "fork,exit", nullptr));
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  bool whole = true;
  std::printf("\na storm of %d forks and exits\n", kForks);
  for (int round = 0; round < rounds; ++round) {
    Storm storm;
    storm.run();
    std::this_thread::sleep_for(std::chrono::seconds(2));  // for forkstat to look everything up, and print
    whole &= storm.print(has_peer ? printed_by_forkstat(path, storm.pid) : 0);
  }
  if (has_peer) {
    ::kill(peer, SIGINT);
    ::waitpid(peer, nullptr, 0);
    ::unlink(path.c_str());
  }
  if (!whole) bench::give_up("some events were lost, and nobody said so");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 5, 5);
  if (std::thread::hardware_concurrency() < 2) bench::skip("it needs a second processor");
  ::setvbuf(stdout, nullptr, _IOLBF, 0);
  bench::pin(0);  // and not ahead of others: forkstat is to have its share
  storms(rounds);
  bench::begin();
  bench::print_calibration();
  bench::beside_a_bare_loop(rounds);
  bench::to_processes(rounds);
}
