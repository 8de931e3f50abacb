// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/node_config.hpp"

#include <boost/asio/post.hpp>
#include <cstdio>

#include "tools/control/config_file.hpp"

namespace vif::tools {
namespace {

using host::Json;

Json described(host::Node& node) { return *host::call_verb(node, *host::find_verb("config.show"), Json::object()); }

}  // namespace

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
