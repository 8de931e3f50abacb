// SPDX-License-Identifier: BSD-2-Clause
// EFI variables in a file of U-Boot's form (ubootefi.var), replaced as a whole: a new file is written, flushed and
// renamed over the old one, whose mode it takes, and the folder is flushed. One thread; whoever has the medium has its
// variables.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/fwu/variable_file.hpp"

namespace vif::host {

class VIF_API VariableStore final : public fwu::VariablePort {
 public:
  // A file that is not there is one without variables; a link is followed, now and when it is replaced. Errors: the
  // host's errno (ENOENT: a link to nothing), EBADMSG it is damaged, EFBIG it is larger than kVariableFileBytesMax. No
  // change leaves one that is: ENOSPC.
  static Result<std::unique_ptr<VariableStore>> open(const std::string& path);

  Result<std::optional<fwu::Variable>> get(const fwu::Guid& space, const std::string& name) override;
  Status set(const fwu::Variable& variable) override;
  Status erase(const fwu::Guid& space, const std::string& name) override;

  const std::vector<fwu::Variable>& all() const { return variables_; }

 private:
  VariableStore(std::string path, std::vector<fwu::Variable> variables)
      : path_(std::move(path)), variables_(std::move(variables)) {}

  std::vector<fwu::Variable>::iterator find(const fwu::Guid& space, const std::string& name);
  Status replace(std::vector<fwu::Variable> variables);

  std::string path_;
  std::vector<fwu::Variable> variables_;
};

}  // namespace vif::host
