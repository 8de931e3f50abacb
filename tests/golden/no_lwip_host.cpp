// SPDX-License-Identifier: BSD-2-Clause
// In a build without liblwip: the test says that it skips.
#include "tests/golden/hosts.hpp"

namespace vif::test {

std::unique_ptr<GoldenHost> lwip_host(net::Domain&, net::Ifnet&) { return nullptr; }

}  // namespace vif::test
