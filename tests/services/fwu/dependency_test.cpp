// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/dependency.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "services/fwu/little_endian.hpp"
#include "tests/services/fwu/some_metadata.hpp"

namespace vif::test {
namespace {

using namespace fwu;

// Expressions as they are written, instruction by instruction.
struct Expression {
  std::vector<std::byte> bytes;

  Expression& op(std::uint8_t code) {
    bytes.push_back(std::byte{code});
    return *this;
  }
  Expression& version(std::uint32_t version) {
    op(0x01).bytes.resize(bytes.size() + 4);
    store_le32(&bytes[bytes.size() - 4], version);
    return *this;
  }
  Expression& firmware(const Guid& guid) {
    op(0x00).bytes.resize(bytes.size() + 16);
    store_guid(&bytes[bytes.size() - 16], guid);
    return *this;
  }
};

std::optional<std::uint32_t> version_of(const Guid& guid) {
  return guid == image_type(1) ? std::optional(5u) : std::nullopt;
}

TEST(FwuDependency, compares_the_firmware_with_the_version) {
  constexpr bool kWithFour[] = {false, true, true, false, false}, kWithFive[] = {true, false, true, false, true};
  for (std::uint8_t code = 0; code < 5; ++code) {
    const auto with = [code](std::uint32_t version) {
      return Expression().version(version).firmware(image_type(1)).op(static_cast<std::uint8_t>(0x08 + code)).op(0x0d);
    };
    ASSERT_TRUE(dependency_bytes(with(4).bytes));
    EXPECT_EQ(dependency_holds(with(4).bytes, version_of), kWithFour[code]) << int{code};
    EXPECT_EQ(dependency_holds(with(5).bytes, version_of), kWithFive[code]) << int{code};
  }
}

TEST(FwuDependency, firmware_that_is_not_there_satisfies_nothing) {
  for (std::uint8_t code = 0x08; code <= 0x0c; ++code) {
    EXPECT_FALSE(dependency_holds(Expression().version(0).firmware(image_type(0)).op(code).op(0x0d).bytes, version_of));
  }
}

TEST(FwuDependency, reads_like_generate_capsule_s_input) {
  Expression expression;
  expression.version(5).firmware(image_type(1)).op(0x0a).op(0x07).op(0x05).op(0x03).op(0x0d);
  EXPECT_EQ(dependency_text(expression.bytes), "(11110170-1111-4102-8111-111111111111 >= 0x5) AND (NOT (FALSE))");
  EXPECT_TRUE(dependency_holds(expression.bytes, version_of));
}

TEST(FwuDependency, ends_where_it_says_so) {
  const auto expression =
      Expression().op(0x02).op('a').op(0).op(0x0e).op(9).op(0).op(0).op(0).op(0x06).op(0x0d).op(0x77);
  const Result<std::size_t> bytes = dependency_bytes(expression.bytes);
  ASSERT_TRUE(bytes) << bytes.error().text;
  EXPECT_EQ(*bytes, expression.bytes.size() - 1);
}

TEST(FwuDependency, refuses_what_is_no_expression) {
  Expression deep;
  for (int i = 0; i < 100; ++i) deep.op(0x06);
  const Expression bad[] = {
      Expression(),
      Expression().op(0x0d),
      Expression().op(0x06),
      Expression().op(0x06).op(0x06).op(0x0d),
      Expression().op(0x05).op(0x0d),
      Expression().op(0x06).op(0x03).op(0x0d),
      Expression().version(1).op(0x0d),
      Expression().version(1).op(0x06).op(0x08).op(0x0d),
      Expression().version(1).version(2).op(0x03).op(0x0d),
      Expression().op(0x06).op(0x0f).op(0x0d),
      Expression().op(0x00).op(1),
      Expression().op(0x01).op(1),
      Expression().op(0x02).op('a'),
      deep.op(0x0d),
  };
  for (const Expression& expression : bad) {
    const Result<std::size_t> bytes = dependency_bytes(expression.bytes);
    ASSERT_FALSE(bytes) << expression.bytes.size() << " bytes";
    EXPECT_EQ(bytes.error().number(), EINVAL);
  }
}

}  // namespace
}  // namespace vif::test
