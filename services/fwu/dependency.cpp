// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/dependency.hpp"

#include <algorithm>
#include <vector>

#include "services/fwu/little_endian.hpp"

namespace vif::fwu {
namespace {

enum Instruction : std::uint8_t {
  kPushGuid = 0x00,
  kPushVersion = 0x01,
  kVersionName = 0x02,
  kAnd = 0x03,
  kOr = 0x04,
  kNot = 0x05,
  kTrue = 0x06,
  kFalse = 0x07,
  kEqual = 0x08,
  kGreater = 0x09,
  kGreaterOrEqual = 0x0a,
  kLess = 0x0b,
  kLessOrEqual = 0x0c,
  kEnd = 0x0d,
  kDeclareLength = 0x0e,
};
constexpr std::size_t kDepthMax = 64;

struct Value {
  enum class Kind : std::uint8_t { truth, version, firmware } kind = Kind::truth;
  bool truth = false;
  std::optional<std::uint32_t> version;  // nothing: the firmware is not there
  std::string text;
};

Value truth(bool is_so, std::string text) { return {Value::Kind::truth, is_so, {}, std::move(text)}; }

std::string hexadecimal(std::uint32_t value) {
  std::string digits;
  do digits.insert(digits.begin(), "0123456789ABCDEF"[value & 0xf]);
  while (value >>= 4);
  return "0x" + digits;
}

std::string upper_case(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

bool compares(std::uint8_t instruction, std::uint32_t left, std::uint32_t right) {
  switch (instruction) {
    case kEqual:
      return left == right;
    case kGreater:
      return left > right;
    case kGreaterOrEqual:
      return left >= right;
    case kLess:
      return left < right;
    default:
      return left <= right;
  }
}

const char* sign_of(std::uint8_t instruction) {
  constexpr const char* kSigns[] = {" == ", " > ", " >= ", " < ", " <= "};
  return kSigns[instruction - kEqual];
}

class Machine {
 public:
  Machine(Bytes bytes, VersionOf version_of) : bytes_(bytes), version_of_(std::move(version_of)) {}

  // The one value that is left.
  Result<Value> run() {
    while (at_ < bytes_.size()) {
      const auto instruction = std::to_integer<std::uint8_t>(bytes_[at_++]);
      if (instruction == kEnd) {
        if (stack_.size() == 1 && stack_.back().kind == Value::Kind::truth) return stack_.back();
        return broken("one truth was expected at its end");
      }
      if (Status done = step(instruction); !done) return done.error();
      if (stack_.size() > kDepthMax) return broken("it is nested deeper than 64");
    }
    return broken("its end (0x0d) is missing");
  }

  std::size_t bytes_done() const { return at_; }

 private:
  Error broken(const std::string& what) const {
    return fail(std::errc::invalid_argument, what + ", at byte " + std::to_string(at_) + " of the dependency");
  }

  Status step(std::uint8_t instruction) {
    switch (instruction) {
      case kPushGuid:
        return push_guid();
      case kPushVersion:
        return push_version();
      case kVersionName:
        return skip_name();
      case kDeclareLength:
        return skip(sizeof(std::uint32_t));
      case kTrue:
        return push(truth(true, "TRUE"));
      case kFalse:
        return push(truth(false, "FALSE"));
      case kNot:
        return negate();
      case kAnd:
      case kOr:
        return join(instruction);
      default:
        break;
    }
    if (instruction >= kEqual && instruction <= kLessOrEqual) return compare(instruction);
    return broken("instruction " + std::to_string(instruction) + " is unknown");
  }

  Status push(Value value) {
    stack_.push_back(std::move(value));
    return {};
  }

  Status skip(std::size_t count) {
    if (bytes_.size() - at_ < count) return broken("it ends too early");
    at_ += count;
    return {};
  }

  Status push_guid() {
    const std::size_t from = at_;
    if (Status skipped = skip(Guid::kBytes); !skipped) return skipped;
    const Guid guid = load_guid(&bytes_[from]);
    return push({Value::Kind::firmware, false, version_of_(guid), upper_case(to_string(guid))});
  }

  Status push_version() {
    const std::size_t from = at_;
    if (Status skipped = skip(sizeof(std::uint32_t)); !skipped) return skipped;
    const std::uint32_t version = load_le32(&bytes_[from]);
    return push({Value::Kind::version, false, version, hexadecimal(version)});
  }

  // A name for people, which means nothing to us.
  Status skip_name() {
    const auto end = std::find(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), bytes_.end(), std::byte{0});
    if (end == bytes_.end()) return broken("a name in it does not end");
    at_ = static_cast<std::size_t>(end - bytes_.begin()) + 1;
    return {};
  }

  Status negate() {
    if (!top_is(Value::Kind::truth, 1)) return broken("NOT needs a truth");
    stack_.back().truth = !stack_.back().truth;
    stack_.back().text = "NOT (" + stack_.back().text + ")";
    return {};
  }

  Status join(std::uint8_t instruction) {
    if (!top_is(Value::Kind::truth, 2)) return broken("AND and OR need two truths");
    const Value right = pop(), left = pop();
    const bool both = left.truth && right.truth, either = left.truth || right.truth;
    return push(truth(instruction == kAnd ? both : either,
                      "(" + left.text + (instruction == kAnd ? ") AND (" : ") OR (") + right.text + ")"));
  }

  // The left side is what was pushed last: GenerateCapsule writes the version first, then the GUID.
  Status compare(std::uint8_t instruction) {
    if (stack_.size() < 2 || stack_.back().kind == Value::Kind::truth ||
        stack_[stack_.size() - 2].kind == Value::Kind::truth) {
      return broken("a comparison needs two versions");
    }
    const Value left = pop(), right = pop();
    const bool known = left.version && right.version;
    return push(truth(known && compares(instruction, *left.version, *right.version),
                      left.text + sign_of(instruction) + right.text));
  }

  bool top_is(Value::Kind kind, std::size_t count) const {
    return stack_.size() >= count && std::all_of(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end(),
                                                 [kind](const Value& value) { return value.kind == kind; });
  }

  Value pop() {
    Value value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }

  Bytes bytes_;
  VersionOf version_of_;
  std::size_t at_ = 0;
  std::vector<Value> stack_;
};

std::optional<std::uint32_t> no_firmware(const Guid&) { return std::nullopt; }

}  // namespace

Result<std::size_t> dependency_bytes(Bytes bytes) {
  Machine machine(bytes.first(std::min(bytes.size(), kDependencyBytesMax)), no_firmware);
  if (Result<Value> value = machine.run(); !value) return std::move(value).error();
  return machine.bytes_done();
}

std::string dependency_text(Bytes expression) {
  Result<Value> value = Machine(expression, no_firmware).run();
  return value ? value->text : "";
}

bool dependency_holds(Bytes expression, const VersionOf& version_of) {
  Result<Value> value = Machine(expression, version_of).run();
  return value && value->truth;
}

}  // namespace vif::fwu
