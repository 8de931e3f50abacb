// SPDX-License-Identifier: BSD-2-Clause
// A Node on the simulated host, and its verbs called in-process. One thread.
#pragma once

#include "hypercall/host/verbs/verb.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace vif::test {

using host::Json;

class Verbs : public SimInstance {
 protected:
  Result<Json> call(std::string_view name, const Json& params = Json::object()) {
    const host::Verb* const verb = host::find_verb(name);
    EXPECT_NE(verb, nullptr) << name;
    return host::call_verb(node, *verb, params);
  }
  Json done(std::string_view name, const Json& params = Json::object()) {
    const Result<Json> result = call(name, params);
    EXPECT_TRUE(result) << name << ": " << result.error().text;
    return result ? *result : Json();
  }
  // The errno; 0: it was done.
  int refused(std::string_view name, const Json& params, std::string_view saying) {
    const Result<Json> result = call(name, params);
    if (result) return 0;
    EXPECT_NE(result.error().text.find(saying), std::string::npos) << result.error().text;
    return result.error().number();
  }
  Json link(const std::string& ifname) { return done("link.show", {{"ifname", ifname}, {"stats", true}})[0]; }

  host::Node node{interfaces, instance.schemes(), {}};
};

struct Told final : host::NodeListener {
  void link_arrived(const net::Ifnet& ifp) override { heard.push_back("new " + ifp.name()); }
  void link_departed(const net::Ifnet& ifp) override { heard.push_back("del " + ifp.name()); }
  void link_changed(const net::Ifnet& ifp) override {
    heard.push_back("change " + ifp.name() + (ifp.is(net::IFF_UP) ? " up" : " down"));
  }
  void address_changed(const net::Ifnet& ifp, const net::inet::InterfaceAddress& address,
                       net::inet::AddressEvent) override {
    heard.push_back("address " + ifp.name() + " " + address.prefix.to_string());
  }
  void verb_changed(std::string_view kind, const Json&) override { heard.emplace_back(kind); }
  std::vector<std::string> heard;
};

}  // namespace vif::test
