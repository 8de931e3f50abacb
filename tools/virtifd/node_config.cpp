// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/node_config.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cstdio>

#include "hypercall/host_error.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/unique_fd.hpp"

namespace vif::tools {
namespace {

using host::host_error;
using host::Json;
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
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR) return host_error("cannot write " + path);
  }
  return ::fsync(fd) == 0 ? Status() : host_error("cannot write " + path);
}

Json described(host::Node& node) { return *host::call_verb(node, *host::find_verb("config.show"), Json::object()); }

}  // namespace

Result<Json> read_config(const std::string& path) {
  const Result<std::string> text = read_whole(path);
  if (!text) return text.error();
  try {
    Json config = Json::parse(*text);
    if (config.is_object()) return config;
    return fail(EINVAL, path + ": a configuration is a JSON object with interfaces, routes and neighbours");
  } catch (const Json::exception& error) {  // the only way to learn the place; a number beyond any is no parse_error
    return fail(EINVAL, path + ": no JSON: " + error.what());
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

Status load_config(host::Node& node, const std::string& path) {
  const Result<Json> config = read_config(path);
  if (!config) return config.error();
  const Result<Json> applied = host::call_verb(node, *host::find_verb("config.apply"), {{"config", *config}});
  return applied ? Status() : Status(Error{applied.error().code, path + ": " + applied.error().text});
}

Status save_config(host::Node& node, const std::string& path) { return write_config(path, described(node)); }

void StateFile::changed() {
  if (path_.empty() || std::exchange(due_, true)) return;
  delay_.expires_after(kDelay);
  delay_.async_wait([this](const boost::system::error_code& error) {
    if (!error) save();
  });
}

void StateFile::save() {
  due_ = false;
  const bool posted = node_.domain().post(
      [this] { boost::asio::post(context_, [this, config = described(node_)] { write(config); }); });
  if (!posted) changed();  // later
}

void StateFile::save_last() {
  if (!path_.empty()) write(described(node_));
}

void StateFile::write(const Json& config) {
  if (Status written = write_config(path_, config); !written) {
    std::fprintf(stderr, "virtifd: the state is not saved: %s\n", written.error().text.c_str());
  }
}

}  // namespace vif::tools
