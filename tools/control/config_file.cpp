// SPDX-License-Identifier: BSD-2-Clause
#include "tools/control/config_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "hypercall/host_error.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/unique_fd.hpp"
#include "hypercall/write_all.hpp"

namespace vif::tools {
namespace {

using host::host_error;
using host::UniqueFd;

Result<std::string> read_whole(const std::string& path) {
  Result<std::unique_ptr<ByteSource>> file = host::LinuxFiles().open_source(path);
  if (!file) return file.error();
  std::string text;
  std::array<std::byte, 65'536> piece;
  for (;;) {
    const Result<std::size_t> got = (*file)->read(piece);
    if (!got) return got.error();
    if (*got == 0) return text;
    text.append(reinterpret_cast<const char*>(piece.data()), *got);
  }
}

Status write_whole(int fd, std::string_view text, const std::string& path) {
  if (!host::write_all(fd, as_bytes(text)) || ::fsync(fd) != 0) return host_error("cannot write " + path);
  return {};
}

}  // namespace

Result<Json> read_config(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : path;
  const Result<std::string> text = read_whole(path == "-" ? "/dev/stdin" : path);
  if (!text) return text.error();
  try {
    Json config = Json::parse(*text);
    if (config.is_object()) return config;
    return fail(EINVAL, name + ": a configuration is a JSON object with interfaces, routes and neighbours");
  } catch (const Json::exception& error) {  // the only way to learn the place; a number beyond any is no parse_error
    const std::string_view what = error.what();
    return fail(EINVAL, name + ": no JSON: " + std::string(what.substr(what.find("] ") + 2)));  // without its number
  }
}

Status write_config(const std::string& path, const Json& config) {
  const std::string fresh = path + ".new";
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return host_error("cannot make " + fresh);
  Status done = write_whole(fd.get(), config.dump(2, ' ', false, Json::error_handler_t::replace) + '\n', fresh);
  if (done && ::rename(fresh.c_str(), path.c_str()) != 0) done = host_error("cannot replace " + path);
  if (!done) ::unlink(fresh.c_str());
  return done;
}

}  // namespace vif::tools
