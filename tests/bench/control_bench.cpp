// SPDX-License-Identifier: BSD-2-Clause
// What it costs to operate a virtifd: a round trip beside a bare Asio echo of the same size, a thousand interfaces, a
// thousand clients beside a flood of frames. usage: control_bench VIRTIFD VIRTIFCTL; docs/performance.md reads it.
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "tests/bench/rounds.hpp"

namespace {

using namespace vif::bench;
namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

constexpr int kRounds = 7, kCalls = 2000, kInterfaces = 1000, kClients = 1000;

// A client that speaks and waits for the line that answers.
class Client {
 public:
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    for (int tries = 0; ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0; ++tries) {
      if (tries == 1000) give_up("nobody listens at " + path);
      ::usleep(10'000);
    }
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const std::string& call(const std::string& line) {
    if (::send(fd_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
      give_up("cannot send");
    answer_.clear();
    while (answer_.empty() || answer_.back() != '\n') {
      const std::size_t had = answer_.size();
      answer_.resize(had + 1'048'576);
      const ssize_t got = ::recv(fd_, answer_.data() + had, answer_.size() - had, 0);
      if (got <= 0) give_up("it went away");
      answer_.resize(had + static_cast<std::size_t>(got));
    }
    return answer_;
  }

 private:
  int fd_;
  std::string answer_;
};

std::string request(const std::string& method, const std::string& params = "{}") {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}\n";
}

// The barest server of lines on Asio: whatever comes, it says `answer`.
struct Echo {
  Local::socket socket;
  const std::string& answer;
  std::string in = {};

  void go() {
    asio::async_read_until(socket, asio::dynamic_buffer(in), '\n', [this](const auto& error, std::size_t bytes) {
      if (error) return;
      in.erase(0, bytes);
      asio::async_write(socket, asio::buffer(answer),
                        [this](const auto& failed, std::size_t) { failed ? void() : go(); });
    });
  }
};

// Another process, as long as this lives.
class Process {
 public:
  template <class Run>
  explicit Process(Run run) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    run();
    ::_exit(1);
  }
  ~Process() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // Its threads in the order they were made, one on each of these processors.
  void pin_threads(const std::vector<unsigned>& processors) const {
    const std::string folder = "/proc/" + std::to_string(pid_) + "/task";
    std::vector<pid_t> tids;
    DIR* const tasks = ::opendir(folder.c_str());
    while (const dirent* entry = ::readdir(tasks)) {
      if (const pid_t tid = std::atoi(entry->d_name); tid > 0) tids.push_back(tid);
    }
    ::closedir(tasks);
    std::sort(tids.begin(), tids.end());
    for (std::size_t i = 0; i < tids.size() && i < processors.size(); ++i) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(processors[i], &set);
      ::sched_setaffinity(tids[i], sizeof set, &set);
    }
  }
  // What of its memory is its own and used, in KiB.
  long anonymous_kib() const {
    std::FILE* const file = std::fopen(("/proc/" + std::to_string(pid_) + "/status").c_str(), "r");
    std::array<char, 256> line{};
    long kib = 0;
    while (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr) {
      if (std::strncmp(line.data(), "RssAnon:", 8) == 0) kib = std::atol(line.data() + 8);
    }
    std::fclose(file);
    return kib;
  }

 private:
  pid_t pid_;
};

Process serve_echo(const std::string& path, const std::string& answer) {
  return Process([&] {
    asio::io_context context{1};
    Local::acceptor acceptor(context, Local::endpoint(path));
    Echo echo{acceptor.accept(), answer};
    echo.go();
    context.run();
  });
}

Process start_virtifd(const char* program, const std::string& path) {
  return Process([&] {
    std::freopen("/dev/null", "w", stderr);
    ::execl(program, program, "--socket", path.c_str(), nullptr);
  });
}

double median_call_ns(Client& client, const std::string& line) {
  std::vector<double> ns;
  for (int i = 0; i < kCalls; ++i) {
    const double began = now_ns();
    client.call(line);
    ns.push_back(now_ns() - began);
  }
  return median(std::move(ns));
}

void round_trip(const char* virtifd, const std::string& folder) {
  const Process daemon = start_virtifd(virtifd, folder + "/v");
  Client ours(folder + "/v");
  ours.call(request("link.add", R"({"ifname":"virt0","linkstr":"mem:lan","up":true})"));
  const std::string show = request("link.show", R"({"ifname":"virt0"})");
  const std::string answer = ours.call(show), version = request("version"), short_answer = ours.call(version);
  const Process echo = serve_echo(folder + "/e", answer), short_echo = serve_echo(folder + "/s", short_answer);
  Client bare(folder + "/e"), short_bare(folder + "/s");
  pin(0);  // where whoever wakes whom is, is half of what it takes
  daemon.pin_threads({1, 1});
  echo.pin_threads({1});
  short_echo.pin_threads({1});
  std::printf("\na round trip: %zu bytes there, %zu back (version: %zu, %zu)\n", show.size(), answer.size(),
              version.size(), short_answer.size());
  Comparison("control: link.show of an interface, median of a round",
             {{"virtifd", [&] { return median_call_ns(ours, show); }},
              {"bare Asio echo", [&] { return median_call_ns(bare, show); }}},
             {{"bare Asio echo", 1 / 1.5}})
      .run(kRounds);
  Comparison("control: version, median of a round",
             {{"virtifd", [&] { return median_call_ns(ours, version); }},
              {"bare Asio echo", [&] { return median_call_ns(short_bare, version); }}},
             {{"bare Asio echo", 1 / 1.5}})
      .run(kRounds);
}

double run_ms(const std::string& command) {
  const double began = now_ns();
  if (std::system(command.c_str()) != 0) give_up(command);
  return (now_ns() - began) / 1e6;
}

void print(const char* what, const std::vector<double>& values, const char* unit) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  std::printf("  %-52s %8.2f %s  (%.2f .. %.2f)\n", what, median(values), unit, *least, *most);
}

void use_both_processors() {
  cpu_set_t both;
  CPU_ZERO(&both);
  CPU_SET(0, &both);
  CPU_SET(1, &both);
  ::sched_setaffinity(0, sizeof both, &both);
}

void many_interfaces(const char* virtifd, const char* virtifctl, const std::string& folder) {
  std::vector<double> made, call, shown, shown_stats, nothing, kib;
  const std::string ctl = std::string(virtifctl) + " link show --socket " + folder + "/v -j >/dev/null";
  for (int round = 0; round < kRounds; ++round) {
    const Process daemon = start_virtifd(virtifd, folder + "/v");
    Client client(folder + "/v");
    client.call(request("link.show"));
    nothing.push_back(run_ms(ctl));
    const long before = daemon.anonymous_kib();
    double began = now_ns();
    for (int i = 0; i < kInterfaces; ++i) {
      client.call(request("link.add", R"({"ifname":"virt)" + std::to_string(i) + R"(","linkstr":"mem:lan)" +
                                          std::to_string(i / 2) + R"("})"));
    }
    made.push_back((now_ns() - began) / 1e6);
    kib.push_back(static_cast<double>(daemon.anonymous_kib() - before) / kInterfaces);
    began = now_ns();
    client.call(request("link.show"));
    call.push_back((now_ns() - began) / 1e6);
    shown.push_back(run_ms(ctl));
    shown_stats.push_back(run_ms(ctl + " -s"));
  }
  std::printf("\n%d mem: interfaces\n", kInterfaces);
  print("made and linked, one call each (bar 1000)", made, "ms");
  print("memory of each, idle (bar 64)", kib, "KiB");
  print("link.show, the call", call, "ms");
  print("virtifctl link show -j (bar 50)", shown, "ms");
  print("virtifctl link show -j -s", shown_stats, "ms");
  print("virtifctl link show -j of nothing", nothing, "ms");
}

double frames(Client& client) {
  const std::string& shown = client.call(request("link.show", R"({"ifname":"virt0","stats":true})"));
  return std::atof(shown.c_str() + shown.find("\"packets\":") + 10);
}

// Frames a second through virt0, while one of `clients` after the other asks; none: while nobody does.
double frame_rate(Client& watcher, const std::vector<std::unique_ptr<Client>>& clients) {
  const double began = now_ns(), had = frames(watcher);
  const std::string show = request("link.show", R"({"ifname":"virt0"})");
  for (std::size_t i = 0; now_ns() - began < 1e9; ++i) {
    const double due = began + static_cast<double>(i) * 1e9 / kClients;
    if (!clients.empty()) clients[i % clients.size()]->call(show);
    if (const double wait = due + 1e6 - now_ns(); wait > 0) ::usleep(static_cast<useconds_t>(wait / 1000));
  }
  return (frames(watcher) - had) / (now_ns() - began) * 1e9;
}

void many_clients(const char* virtifd, const std::string& folder) {
  const Process daemon = start_virtifd(virtifd, folder + "/v");
  Client watcher(folder + "/v");
  watcher.call(
      request("link.add", R"({"ifname":"virt0","linkstr":"null:,rx=1000000000000","up":true,"promisc":true})"));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(std::make_unique<Client>(folder + "/v"));
  pin(0);
  daemon.pin_threads({1, 0});  // frames have a processor of their own
  std::vector<double> quiet, asked, ratio;
  for (int round = 0; round < kRounds; ++round) {
    quiet.push_back(frame_rate(watcher, {}) / 1e6);
    asked.push_back(frame_rate(watcher, clients) / 1e6);
    ratio.push_back(asked.back() / quiet.back());
  }
  std::printf("\n%d clients, each asking link.show once a second\n", kClients);
  print("frames while they are silent", quiet, "million/s");
  print("frames while they ask", asked, "million/s");
  print("the ratio (bar 0.95)", ratio, "");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) give_up("usage: control_bench VIRTIFD VIRTIFCTL [call] [interfaces] [clients]");
  const std::vector<std::string> parts(argv + 3, argv + argc);
  const auto asked = [&](const char* part) { return parts.empty() || std::ranges::count(parts, part) > 0; };
  begin(0);
  std::string folder = "/tmp/vifbenchXXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) give_up("cannot make a folder in /tmp");
  if (asked("call")) round_trip(argv[1], folder);
  use_both_processors();
  if (asked("interfaces")) many_interfaces(argv[1], argv[2], folder);
  if (asked("clients")) many_clients(argv[1], folder);
  return std::system(("rm -r " + folder).c_str());
}
