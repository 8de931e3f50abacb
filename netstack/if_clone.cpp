// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/if_clone.hpp"

#include <algorithm>
#include <charconv>

namespace vif::net {
namespace {

constexpr std::size_t kBaseBytesMax = IfCloneTable::kNameBytesMax - 5;  // leaves room for kUnitMax

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_base_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// What comes before the unit.
std::size_t base_bytes_of(std::string_view name) {
  return static_cast<std::size_t>(std::find_if(name.begin(), name.end(), is_digit) - name.begin());
}

std::string quoted(std::string_view name) { return "'" + std::string(name.substr(0, 64)) + "'"; }

}  // namespace

// Here and in destroy(): out of the table first, destroyed then, as whoever hears of its departure may look into the
// table.
IfCloneTable::~IfCloneTable() {
  for (auto& [base, kind] : kinds_) {
    while (!kind.units.empty()) kind.units.extract(kind.units.begin());
  }
}

Status IfCloneTable::attach(std::string_view base, IfCloner& cloner) {
  const bool well_formed =
      !base.empty() && base.size() <= kBaseBytesMax && std::all_of(base.begin(), base.end(), is_base_char);
  if (!well_formed) {
    return fail(std::errc::invalid_argument, quoted(base) + " cannot name a kind of interface: expected 1 to " +
                                                 std::to_string(kBaseBytesMax) + " letters or '_'");
  }
  if (!kinds_.try_emplace(std::string(base), Kind{&cloner, {}}).second) {
    return fail(std::errc::file_exists, quoted(base) + " is a kind of interface already");
  }
  return {};
}

Status IfCloneTable::detach(std::string_view base) {
  const auto kind = kinds_.find(base);
  if (kind == kinds_.end()) return fail(ENXIO, quoted(base) + " is not a kind of interface");
  if (!kind->second.units.empty()) {
    return fail(std::errc::device_or_resource_busy, std::to_string(kind->second.units.size()) + " interfaces of kind " +
                                                        quoted(base) + " exist: destroy them first");
  }
  kinds_.erase(kind);
  return {};
}

std::string IfCloneTable::cloners() const {
  std::string list;
  for (const auto& [base, kind] : kinds_) list += (list.empty() ? "" : ", ") + base;
  return list.empty() ? "none" : list;
}

Result<IfCloneTable::Named> IfCloneTable::parse(std::string_view name) {
  const std::size_t base_bytes = base_bytes_of(name);
  const auto kind = kinds_.find(name.substr(0, base_bytes));
  if (kind == kinds_.end()) {
    return fail(std::errc::invalid_argument,
                "no kind of interface is called " + quoted(name.substr(0, base_bytes)) + ": known are " + cloners());
  }
  const std::string_view digits = name.substr(base_bytes);
  if (digits.empty()) return Named{kind, std::nullopt};
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0';
  if (error != std::errc{} || end != digits.data() + digits.size() || leading_zero || unit > kUnitMax) {
    return fail(std::errc::invalid_argument, quoted(name) + " is not an interface name: expected " + kind->first +
                                                 " and a unit from 0 to " + std::to_string(kUnitMax) +
                                                 " without leading zeros");
  }
  return Named{kind, unit};
}

Result<Ifnet*> IfCloneTable::create(std::string_view name) {
  Result<Named> named = parse(name);
  if (!named) return std::move(named).error();
  Kind& kind = named->kind->second;
  std::uint32_t unit = 0;
  if (named->unit) {
    unit = *named->unit;
    if (kind.units.contains(unit)) return fail(std::errc::file_exists, std::string(name) + " exists already");
  } else {
    for (const auto& [taken, clone] : kind.units) {
      if (taken != unit) break;
      ++unit;
    }
    if (unit > kUnitMax) return fail(std::errc::no_space_on_device, "every unit of " + named->kind->first + " exists");
  }
  Result<std::unique_ptr<ClonedIf>> clone = kind.cloner->clone(domain_, unit);
  if (!clone) return std::move(clone).error();
  Ifnet& ifp = (*clone)->ifnet();
  kind.units.emplace(unit, Unit{std::move(*clone), false});
  if (ifp.index() == 0) domain_.publish(ifp);  // a bridge does that itself
  return &ifp;
}

Status IfCloneTable::destroy(std::string_view name) {
  Result<Named> named = parse(name);
  if (!named || !named->unit || find(name) == nullptr) return fail(ENXIO, "no interface is called " + quoted(name));
  auto& units = named->kind->second.units;
  const std::uint32_t unit = *named->unit;
  Unit& entry = units.at(unit);
  if (Status may_go = entry.clone->unclone(); !may_go) return may_go;
  entry.departing = true;
  const auto remove = [&units, unit] {
    units.at(unit).clone.reset();  // may call back: the name stays taken until it is gone
    units.erase(unit);
  };
  if (domain_.in_upcall()) domain_.defer(remove);
  else remove();
  return {};
}

Ifnet* IfCloneTable::find(std::string_view name) const {
  ClonedIf* const clone = find_clone(name);
  return clone == nullptr ? nullptr : &clone->ifnet();
}

ClonedIf* IfCloneTable::find_clone(std::string_view name) const {
  const std::size_t base_bytes = base_bytes_of(name);
  const auto kind = kinds_.find(name.substr(0, base_bytes));
  std::uint32_t number = 0;
  if (kind == kinds_.end() ||
      std::from_chars(name.data() + base_bytes, name.data() + name.size(), number).ec != std::errc{})
    return nullptr;
  const auto unit = kind->second.units.find(number);
  if (unit == kind->second.units.end() || unit->second.departing) return nullptr;
  ClonedIf* const clone = unit->second.clone.get();
  return clone->ifnet().name() == name ? clone : nullptr;  // "virt01" is not virt1
}

}  // namespace vif::net
