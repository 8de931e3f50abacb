// SPDX-License-Identifier: BSD-2-Clause
// What an `impair:` link string may say, and what is answered when it says something else.
#include "hypercall/impair/impair_settings.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vif;
using namespace vif::host;
using namespace std::chrono_literals;

Result<ImpairRequest> parse(const std::string& options) {
  return parse_impair(*drv::Linkstr::parse("impair:[null:]" + options));
}

TEST(ImpairSettings, is_off_when_nothing_is_asked) {
  for (const char* options : {"", ",seed=7", ",limit=5", ",loss=0%,delay=0ms,jitter=0s,dup=0.0%,corrupt=0%"}) {
    const auto request = parse(options);
    ASSERT_TRUE(request) << request.error().text;
    EXPECT_TRUE(request->in.off() && request->out.off()) << options;
  }
}

TEST(ImpairSettings, reads_shares) {
  const auto request = parse(",loss=1%,dup=0.1%,reorder=25%,corrupt=100%,delay=1ms");
  ASSERT_TRUE(request) << request.error().text;
  const auto share = [](Chance chance) {
    return static_cast<double>(chance.parts) / static_cast<double>(Chance::kCertain);
  };
  EXPECT_NEAR(share(request->in.loss), 0.01, 1e-12);
  EXPECT_NEAR(share(request->in.dup), 0.001, 1e-12);
  EXPECT_NEAR(share(request->out.reorder), 0.25, 1e-12);
  EXPECT_EQ(request->out.corrupt.parts, Chance::kCertain);
}

// The grammar's way of writing a '%' is understood, and so is the '%' itself.
TEST(ImpairSettings, reads_a_percent_sign_however_it_is_written) {
  EXPECT_EQ(parse(",loss=25%25")->in.loss.parts, Chance::kCertain / 4);
  EXPECT_EQ(parse(",loss=25%")->in.loss.parts, Chance::kCertain / 4);
  EXPECT_EQ(parse(",loss=25%,seed=1")->in.loss.parts, Chance::kCertain / 4);
}

TEST(ImpairSettings, reads_times_and_rates_in_every_unit) {
  const std::pair<const char*, Time> times[] = {{"10ms", 10ms}, {"1.5ms", 1500us}, {"7us", 7us},    {"20ns", 20ns},
                                                {"1s", 1s},     {"1000s", 1000s},  {"0.1us", 100ns}};
  for (const auto& [text, time] : times) {
    EXPECT_EQ(parse(std::string(",delay=") + text)->in.delay, time) << text;
    EXPECT_EQ(parse(std::string(",jitter=") + text)->out.jitter, time) << text;
  }
  const std::pair<const char*, std::uint64_t> rates[] = {{"10mbit", 10'000'000},
                                                         {"56kbit", 56'000},
                                                         {"1000bit", 1000},
                                                         {"2.5gbit", 2'500'000'000},
                                                         {"1tbit", 1'000'000'000'000}};
  for (const auto& [text, rate] : rates) {
    EXPECT_EQ(parse(std::string(",rate=") + text)->in.rate_bits, rate) << text;
  }
}

TEST(ImpairSettings, impairs_one_direction_when_told_so) {
  EXPECT_FALSE(parse(",loss=1%")->in.off());
  EXPECT_FALSE(parse(",loss=1%")->out.off());
  EXPECT_TRUE(parse(",loss=1%,dir=out")->in.off());
  EXPECT_FALSE(parse(",loss=1%,dir=out")->out.off());
  EXPECT_FALSE(parse(",loss=1%,dir=in")->in.off());
  EXPECT_TRUE(parse(",loss=1%,dir=in")->out.off());
}

TEST(ImpairSettings, takes_the_whole_range_of_seeds_and_has_none_unless_told) {
  EXPECT_EQ(parse(",seed=18446744073709551615")->seed, UINT64_MAX);
  EXPECT_EQ(parse(",seed=0")->seed, 0U);
  EXPECT_EQ(parse("")->seed, std::nullopt);
}

TEST(ImpairSettings, refuses_what_it_cannot_do_and_says_what_it_can) {
  const std::pair<const char*, const char*> bad[] = {{",loss=1", "loss is a share"},
                                                     {",loss=101%", "100%"},
                                                     {",loss=-1%", "'-1%'"},
                                                     {",loss", "loss"},
                                                     {",loss=%", "0.5%"},
                                                     {",loss=nan%", "nan"},
                                                     {",loss=inf%", "inf"},
                                                     {",loss=1e1%", "1e1%"},
                                                     {",dup=x", "dup"},
                                                     {",corrupt=1%%", "corrupt"},
                                                     {",delay=10", "10ms"},
                                                     {",delay=ms", "delay"},
                                                     {",delay=-1ms", "delay"},
                                                     {",delay=1001s", "1000s"},
                                                     {",jitter=1min", "jitter"},
                                                     {",rate=0mbit", "1kbit"},
                                                     {",rate=10", "mbit"},
                                                     {",rate=2tbit", "1tbit"},
                                                     {",rate=999bit", "rate"},
                                                     {",limit=0", "limit"},
                                                     {",limit=100001", "100000"},
                                                     {",seed=-1", "seed"},
                                                     {",seed=", "seed"},
                                                     {",dir=up", "in or out"},
                                                     {",dir", "in or out"},
                                                     {",lost=1%", "lost"},
                                                     {",reorder=25%", "needs a delay"},
                                                     {",reorder=1%,rate=1mbit", "a delay"},
                                                     {",delay=1 ms", "ns, us, ms, s"}};
  for (const auto& [options, says] : bad) {
    const auto request = parse(options);
    ASSERT_FALSE(request) << options;
    EXPECT_EQ(request.error().number(), EINVAL);
    EXPECT_NE(request.error().text.find(says), std::string::npos) << options << ": " << request.error().text;
  }
}

}  // namespace
