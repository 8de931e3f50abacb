// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/trace_dat.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

extern char** environ;

namespace vif::host {
namespace {

namespace fs = std::filesystem;

// A folder of its own, gone with it.
class Scratch {
 public:
  Scratch() {
    std::error_code none;
    std::string pattern = (fs::temp_directory_path(none) / "vif-trace-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~Scratch() {
    std::error_code none;
    if (!path_.empty()) fs::remove_all(path_, none);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }  // empty: it could not be made

 private:
  fs::path path_;
};

Status write_file(const fs::path& path, std::string_view text) {
  std::error_code none;
  fs::create_directories(path.parent_path(), none);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return fail(EIO, "cannot write " + path.string());
  return {};
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Runs it to its end; what it says goes to `log`.
Status run(std::vector<std::string> words, const fs::path& log) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(error, words[0] + " is needed to write a trace.dat; install it and try again");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(EIO, words[0] + " failed: " + text_of(log));
}

// Every page there is, one after the other.
Status drain(trace::RingReader& reader, const fs::path& path) {
  std::ofstream file(path, std::ios::binary);
  trace::RingReader::Page page;
  while (reader.next(page, trace::Take::everything))
    file.write(reinterpret_cast<const char*>(page.data()), page.size());
  file.close();
  if (!file) return fail(EIO, "cannot write " + path.string());
  return {};
}

}  // namespace

Result<ExportedTrace> write_trace_dat(trace::Session& session, std::span<const trace::ThreadName> threads,
                                      const std::string& path) {
  const Scratch scratch;
  const fs::path &in = scratch.path(), tree = in / "tracing", head = in / "head.dat", log = in / "log";
  if (in.empty()) return fail(errno, "cannot make a folder for temporary files");
  for (const trace::TreeFile& file : trace::tracing_tree(session.events(), threads)) {
    if (Status done = write_file(tree / file.path, file.text); !done) return std::move(done).error();
  }
  if (Status done = write_file(in / "symbols", ""); !done) return std::move(done).error();
  Status made = run({"trace-cmd", "restore", "-c", "-t", tree, "-k", in / "symbols", "-o", head}, log);
  if (!made) return std::move(made).error();
  std::vector<std::string> join = {"trace-cmd", "restore", "-i", head, "-o", path};
  ExportedTrace exported{0, session.lost_without_ring()};
  for (const auto& reader : session.readers()) {
    const fs::path raw = in / ("cpu" + std::to_string(join.size()));
    const std::uint64_t before = reader->taken();
    if (Status done = drain(*reader, raw); !done) return std::move(done).error();
    exported.events += reader->taken() - before;
    exported.lost += reader->lost();
    join.push_back(raw);
  }
  if (Status done = run(std::move(join), log); !done) return std::move(done).error();
  return exported;
}

}  // namespace vif::host
