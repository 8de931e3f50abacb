// SPDX-License-Identifier: BSD-2-Clause
// Interfaces made by name: BSD's if_clone. "virt0" makes unit 0, "virt" the lowest free unit.
//
// One table per domain, on its thread. It owns what was cloned; a cloner can be detached once nothing it made is left.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "netstack/ifnet.hpp"

namespace vif::net {

// An interface that can be taken back.
class ClonedIf {
 public:
  // Stops, detaches and frees everything; not from inside an upcall.
  virtual ~ClonedIf() = default;
  virtual Ifnet& ifnet() = 0;
  // Asks whether it may go. Success: it passes nothing more and will be destroyed soon. An error has changed nothing.
  virtual Status unclone() = 0;
};

class IfCloner {
 public:
  virtual ~IfCloner() = default;
  virtual Result<std::unique_ptr<ClonedIf>> clone(Domain& domain, std::uint32_t unit) = 0;
};

class VIF_API IfCloneTable {
 public:
  static constexpr std::size_t kNameBytesMax = 15;  // IFNAMSIZ - 1
  static constexpr std::uint32_t kUnitMax = 65'535;

  explicit IfCloneTable(Domain& domain) : domain_(domain) {}
  ~IfCloneTable();  // destroys every interface, refusals ignored: the domain goes away and is not polled again

  // Makes `base` (letters and '_', at most 10) a kind of interface. EEXIST: taken. EINVAL: not such a name.
  Status attach(std::string_view base, IfCloner& cloner);
  // EBUSY: interfaces of this kind exist. ENXIO: no such kind.
  Status detach(std::string_view base);

  // EINVAL: no cloner has this prefix (the text lists those there are), or the unit is malformed. EEXIST: the name is
  // taken. Otherwise what the cloner says.
  Result<Ifnet*> create(std::string_view name);

  // ENXIO: no such interface. Otherwise what the driver says; then the interface is as before. From inside an upcall it
  // passes nothing more at once, and is destroyed at the domain's next poll; until then its name is taken.
  Status destroy(std::string_view name);

  Ifnet* find(std::string_view name) const;
  // The same with what the driver adds: dynamic_cast it to the driver's type. Null: no such interface.
  ClonedIf* find_clone(std::string_view name) const;
  Domain& domain() const { return domain_; }
  std::string cloners() const;  // "virt, tap": for messages

 private:
  struct Unit {
    std::unique_ptr<ClonedIf> clone;
    bool departing = false;
  };
  struct Kind {
    IfCloner* cloner;
    std::map<std::uint32_t, Unit> units;
  };
  using Kinds = std::map<std::string, Kind, std::less<>>;

  // A name taken apart: its kind, and its unit or none for "any".
  struct Named {
    Kinds::iterator kind;
    std::optional<std::uint32_t> unit;
  };
  Result<Named> parse(std::string_view name);

  Domain& domain_;
  Kinds kinds_;
};

}  // namespace vif::net
