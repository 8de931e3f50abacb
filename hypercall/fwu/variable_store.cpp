// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fwu/variable_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "hypercall/fwu/file_store.hpp"
#include "hypercall/host_error.hpp"
#include "hypercall/write_all.hpp"

namespace vif::host {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// `mode`: nothing, that of any new file.
Status write_new(const std::string& path, std::optional<mode_t> mode, Bytes bytes) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode.value_or(0644)));
  if (!fd || (mode && ::fchmod(fd.get(), *mode) != 0)) return host_error(path);
  if (!write_all(fd.get(), bytes) || ::fsync(fd.get()) != 0) return host_error(path);
  return {};
}

Status flush_folder(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return host_error(path);
  return {};
}

}  // namespace

Result<std::unique_ptr<VariableStore>> VariableStore::open(const std::string& name) {
  struct stat status {};
  if (::lstat(name.c_str(), &status) != 0 && errno == ENOENT) {
    return std::unique_ptr<VariableStore>(new VariableStore(name, {}));
  }
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(name.c_str(), nullptr), std::free);
  if (!real) return host_error(name);
  const std::string path = real.get();
  Result<std::unique_ptr<FileStore>> file = FileStore::open(path, Access::read);
  if (!file) return std::move(file).error();
  std::vector<std::byte> bytes(std::min<std::uint64_t>((*file)->size_bytes(), fwu::kVariableFileBytesMax + 1));
  if (Status read = (*file)->read(0, bytes); !read) return read.error();
  Result<std::vector<fwu::Variable>> variables = fwu::read_variable_file(bytes);
  if (!variables) return fail(variables.error().number(), path + ": " + variables.error().text);
  return std::unique_ptr<VariableStore>(new VariableStore(path, *std::move(variables)));
}

std::vector<fwu::Variable>::iterator VariableStore::find(const fwu::Guid& space, const std::string& name) {
  return std::find_if(variables_.begin(), variables_.end(),
                      [&](const fwu::Variable& variable) { return variable.space == space && variable.name == name; });
}

Result<std::optional<fwu::Variable>> VariableStore::get(const fwu::Guid& space, const std::string& name) {
  const auto found = find(space, name);
  return found == variables_.end() ? std::optional<fwu::Variable>() : std::optional(*found);
}

Status VariableStore::set(const fwu::Variable& variable) {
  const auto found = find(variable.space, variable.name);
  if (found != variables_.end() && *found == variable) return {};
  std::vector<fwu::Variable> after = variables_;
  if (found == variables_.end()) after.push_back(variable);
  else after[static_cast<std::size_t>(found - variables_.begin())] = variable;
  return replace(std::move(after));
}

Status VariableStore::erase(const fwu::Guid& space, const std::string& name) {
  const auto found = find(space, name);
  if (found == variables_.end()) return {};
  std::vector<fwu::Variable> after = variables_;
  after.erase(after.begin() + (found - variables_.begin()));
  return replace(std::move(after));
}

Status VariableStore::replace(std::vector<fwu::Variable> variables) {
  const std::vector<std::byte> bytes = fwu::write_variable_file(variables);
  if (bytes.size() > fwu::kVariableFileBytesMax) {
    return fail(ENOSPC, path_ + ": there is no room for another variable, 1 MiB is the most; it was not changed");
  }
  struct stat before {};
  std::optional<mode_t> mode;
  if (::stat(path_.c_str(), &before) == 0) mode = before.st_mode & 07777;
  const std::string fresh = path_ + ".new";
  Status written = write_new(fresh, mode, bytes);
  if (written && ::rename(fresh.c_str(), path_.c_str()) != 0) written = host_error(path_);
  if (!written) {
    ::unlink(fresh.c_str());
    return written;
  }
  if (Status flushed = flush_folder(folder_of(path_)); !flushed) return flushed;
  variables_ = std::move(variables);
  return {};
}

}  // namespace vif::host
