// SPDX-License-Identifier: BSD-2-Clause
// A node's configuration and its files: the one an operator writes, read at the start and on SIGHUP, and the one
// virtifd keeps, so that what was set while it ran is there after a restart.
//
// load_config() on the domain's thread while it is not polled; a StateFile on the control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>

#include "hypercall/host/verbs/verb.hpp"

namespace vif::tools {

// Errors: read_config's and config.apply's, with the file's name.
Status load_config(host::Node& node, const std::string& path);

// Errors: write_config's.
Status save_config(host::Node& node, const std::string& path);

// Follows a node's changes with a file, at most one write in kDelay.
class StateFile {
 public:
  static constexpr auto kDelay = std::chrono::milliseconds(100);

  // No file when `path` is empty.
  StateFile(boost::asio::io_context& context, host::Node& node, std::string path)
      : context_(context), node_(node), path_(std::move(path)), delay_(context) {}

  void changed();
  // What is so now; on the domain's thread, when the control thread is gone.
  void save_last();

 private:
  void save();
  void write(const host::Json& config);

  boost::asio::io_context& context_;
  host::Node& node_;
  const std::string path_;
  boost::asio::steady_timer delay_;
  bool due_ = false;
};

}  // namespace vif::tools
