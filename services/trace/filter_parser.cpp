// SPDX-License-Identifier: BSD-2-Clause
// From a filter's text to its predicates; Filter::parse.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

#include "services/trace/filter.hpp"

namespace vif::trace {
namespace {

using Operator = Filter::Operator;

struct Spelling {
  std::string_view text;
  Operator op;
};

// Longer ones first.
constexpr std::array kOperators = {
    Spelling{"<=", Operator::less_equal}, Spelling{"<", Operator::less},   Spelling{">=", Operator::greater_equal},
    Spelling{">", Operator::greater},     Spelling{"&", Operator::bits},   Spelling{"~", Operator::glob},
    Spelling{"!=", Operator::not_equal},  Spelling{"==", Operator::equal},
};

// What precedes the fields of every record (format_text.cpp).
const std::array kCommonFields = {
    Field{"unsigned short", "common_type", 0, 2, FieldKind::number, false},
    Field{"unsigned char", "common_flags", 2, 1, FieldKind::number, false},
    Field{"unsigned char", "common_preempt_count", 3, 1, FieldKind::number, false},
    Field{"int", "common_pid", 4, 4, FieldKind::number, true},
};

constexpr std::size_t kNumberCharsMax = 23, kTextCharsMax = 255;  // num_buf and MAX_FILTER_STR_VAL of the kernel

constexpr std::size_t kNestingMax = 64;  // the kernel has no limit; this one keeps the stack small

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// As kstrtoll and kstrtoull with base 0; `is_signed` allows a minus.
std::optional<std::uint64_t> number(std::string_view text, bool is_signed) {
  const bool negative = text.starts_with('-');
  if (negative && !is_signed) return {};
  text.remove_prefix(negative);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16, text.remove_prefix(2);
  else if (text.size() > 1 && text.front() == '0') base = 8;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  if (is_signed && value > (std::uint64_t{1} << 63) - (negative ? 0 : 1)) return {};
  return negative ? 0 - value : value;
}

}  // namespace

class FilterParser {
 public:
  FilterParser(std::string_view text, const EventFormat& format) : text_(text), format_(format) {}

  Result<Filter> parse();

 private:
  // A predicate, or what two others are joined by. Nodes are made bottom up.
  enum class Join : std::uint8_t { none, both, either };
  struct Node {
    Join join;
    bool inverted;
    std::size_t left, right;  // nodes; of a predicate `left` is its place in `leaves_`
  };

  Status balanced() const;
  Result<std::size_t> either();
  Result<std::size_t> both();
  Result<std::size_t> term();
  Result<std::size_t> predicate();
  Status text_value(Filter::Predicate& into, const Field& field);
  Status number_value(Filter::Predicate& into, const Field& field);
  const Field* field_here();
  bool no_more_than(std::string_view characters) const;
  bool takes(std::string_view joint);
  std::uint16_t place(std::size_t node, std::uint16_t on_true, std::uint16_t on_false);

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  Error refuse(int number, const std::string& expected) const {
    return fail(number, "filter, character " + std::to_string(at_ + 1) + ": " + expected);
  }
  std::size_t add(Node node) {
    nodes_.push_back(node);
    return nodes_.size() - 1;
  }

  std::string_view text_;
  const EventFormat& format_;
  std::size_t at_ = 0, depth_ = 0;
  std::vector<Node> nodes_;
  std::vector<Filter::Predicate> leaves_;
  Filter filter_;
};

Result<Filter> Filter::parse(std::string_view text, const EventFormat& format) {
  return FilterParser(text, format).parse();
}

Result<std::unique_ptr<Filter>> Filter::parse_or_none(std::string_view text, const EventFormat& format) {
  if (text.empty() || text == "0") return std::unique_ptr<Filter>();
  Result<Filter> parsed = parse(text, format);
  if (!parsed) return std::move(parsed).error();
  return std::make_unique<Filter>(*std::move(parsed));
}

Result<Filter> FilterParser::parse() {
  if (text_.size() > kFilterCharsMax) return fail(EINVAL, "a filter has at most 4095 characters");
  text_ = text_.substr(0, text_.find('\0'));
  if (Status even = balanced(); !even) return std::move(even).error();
  if (no_more_than("()!")) {
    const bool negates = text_.find("(!") != std::string_view::npos;  // what the kernel's parser trips over first
    return refuse(negates ? EPERM : EINVAL, "expected a filter, as in: reason == 3");
  }
  Result<std::size_t> root = either();
  if (!root) return std::move(root).error();
  if (here() != '\0') return refuse(EPERM, "expected && or || or the end");
  filter_.first_ = place(*root, Filter::kKeep, Filter::kDrop);
  return std::move(filter_);
}

// The kernel looks at these first; the errors are its parser's own numbers.
Status FilterParser::balanced() const {
  std::size_t open = 0;
  char quote = '\0';
  for (const char c : text_) {
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(') {
      ++open;
    } else if (c == ')' && open-- == 0) {
      return fail(EPERM, "filter: too few '('");
    }
  }
  if (quote != '\0') return fail(ESRCH, "filter: a quote is missing");
  if (open != 0) return fail(ENOENT, "filter: too many '('");
  return {};
}

// Whether nothing but these and blanks follows.
bool FilterParser::no_more_than(std::string_view characters) const {
  return std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(),
                     [&](char c) { return is_space(c) || characters.find(c) != std::string_view::npos; });
}

// Takes "&&" or "||" if it is next. False also when it is the last there is: the kernel's parser forgives that, and a
// '!' after it.
bool FilterParser::takes(std::string_view joint) {
  skip_spaces();
  if (!text_.substr(at_).starts_with(joint)) return false;
  at_ += joint.size();
  if (!no_more_than("!")) return true;
  at_ = text_.size();
  return false;
}

Result<std::size_t> FilterParser::either() {
  Result<std::size_t> left = both();
  while (left && takes("||")) {
    Result<std::size_t> right = both();
    if (!right) return right;
    left = add({Join::either, false, *left, *right});
  }
  return left;
}

Result<std::size_t> FilterParser::both() {
  Result<std::size_t> left = term();
  while (left && takes("&&")) {
    Result<std::size_t> right = term();
    if (!right) return right;
    left = add({Join::both, false, *left, *right});
  }
  return left;
}

Result<std::size_t> FilterParser::term() {
  bool inverted = false;
  for (skip_spaces(); here() == '!'; skip_spaces()) ++at_, inverted = !inverted;
  if (here() != '(') {
    Result<std::size_t> leaf = predicate();
    if (leaf) nodes_[*leaf].inverted = inverted;
    return leaf;
  }
  if (depth_ == kNestingMax) return refuse(EINVAL, "at most 64 nested parentheses");
  ++at_;
  ++depth_;
  Result<std::size_t> inside = either();
  --depth_;
  if (!inside) return inside;
  skip_spaces();
  if (here() != ')') return refuse(EPERM, "expected && or || or ')'");
  ++at_;
  nodes_[*inside].inverted ^= inverted;
  return inside;
}

const Field* FilterParser::field_here() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '_')) ++at_;
  const std::string_view name = text_.substr(begin, at_ - begin);
  if (const Field* field = format_.find(name)) return field;
  const auto known =
      std::find_if(kCommonFields.begin(), kCommonFields.end(), [&](const Field& f) { return f.name == name; });
  return known == kCommonFields.end() ? nullptr : &*known;
}

Result<std::size_t> FilterParser::predicate() {
  if (!is_word(here()) && here() != '_') return refuse(EPERM, "expected a field");
  const Field* const field = field_here();
  if (field == nullptr) return refuse(EINVAL, "no such field; '" + format_.name + "' has: " + fields_text(format_));
  skip_spaces();
  const auto op = std::find_if(kOperators.begin(), kOperators.end(),
                               [&](const Spelling& known) { return text_.substr(at_).starts_with(known.text); });
  if (op == kOperators.end()) return refuse(EINVAL, "expected == != < <= > >= & or ~");
  at_ += op->text.size();
  skip_spaces();
  Filter::Predicate made{field->kind, 0, field->is_signed, false, op->op, field->offset, field->size, 0, {}, 0, 0};
  Status value = here() == '"' || here() == '\'' ? text_value(made, *field) : number_value(made, *field);
  if (!value) return std::move(value).error();
  leaves_.push_back(std::move(made));
  return add({Join::none, false, leaves_.size() - 1, 0});
}

Status FilterParser::text_value(Filter::Predicate& into, const Field& field) {
  const bool may = into.op == Operator::glob || into.op == Operator::equal || into.op == Operator::not_equal;
  if (!may) return refuse(EINVAL, "a text takes == != or ~");
  if (field.kind != FieldKind::text && !field.is_dynamic_text()) {
    return refuse(EINVAL, "expected a number, as '" + field.name + "' is no text");
  }
  const std::size_t begin = at_ + 1, end = text_.find(here(), begin);
  if (end == std::string_view::npos) return refuse(EINVAL, "expected the quote that closes");
  if (end - begin > kTextCharsMax) return refuse(EINVAL, "a text has at most 255 characters");
  into.text = text_.substr(begin, end - begin);
  at_ = end + 1;
  if (into.op != Operator::glob) return {};
  // As the kernel reads a glob: `!` in front is "not of it". That one which begins with a digit is a text there, we
  // leave alone: addresses begin with digits.
  into.inverted = into.text.starts_with('!');
  if (into.inverted) into.text.erase(0, 1);
  return {};
}

Status FilterParser::number_value(Filter::Predicate& into, const Field& field) {
  if (!is_digit(here()) && here() != '-') return refuse(EINVAL, "expected a number, or a text in quotes");
  if (field.kind == FieldKind::text || field.is_dynamic_text()) {
    return refuse(EINVAL, "expected a text in quotes, as '" + field.name + "' is no number");
  }
  if (into.op == Operator::glob) return refuse(EINVAL, "~ is for texts");
  if (field.size > 8 || (field.size & (field.size - 1)) != 0) {
    return refuse(EINVAL, "'" + field.name + "' is neither number nor text");
  }
  const std::size_t begin = at_;
  if (here() == '-') ++at_;
  while (is_word(here())) ++at_;
  const auto value = number(text_.substr(begin, at_ - begin), field.is_signed);
  if (!value || at_ - begin > kNumberCharsMax) return refuse(EINVAL, "no number that fits '" + field.name + "'");
  into.kind = FieldKind::number;
  into.size = static_cast<std::uint8_t>(field.size);
  into.number = *value;
  return {};
}

// From behind, so that every place a predicate leads to is known. Returns where the node begins.
std::uint16_t FilterParser::place(std::size_t node, std::uint16_t on_true, std::uint16_t on_false) {
  const Node& here = nodes_[node];
  if (here.join == Join::none) {
    Filter::Predicate& predicate = filter_.predicates_.emplace_back(std::move(leaves_[here.left]));
    predicate.inverted ^= here.inverted;
    predicate.on_true = on_true;
    predicate.on_false = on_false;
    return static_cast<std::uint16_t>(filter_.predicates_.size() - 1);
  }
  if (here.inverted) std::swap(on_true, on_false);
  const std::uint16_t right = place(here.right, on_true, on_false);
  return here.join == Join::both ? place(here.left, right, on_false) : place(here.left, on_true, right);
}

}  // namespace vif::trace
