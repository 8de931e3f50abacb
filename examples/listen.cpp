// SPDX-License-Identifier: BSD-2-Clause
// The same library in C++: replays a capture through virt0 and prints what the interface passes up, filtered as by a
// NIC. Build: c++ -std=c++20 listen.cpp $(pkg-config --cflags --libs virtif); run: ./a.out FILE.pcap
#include <hypercall/host/instance.hpp>
#include <hypercall/linux_ports.hpp>
#include <hypercall/loop.hpp>

#include <cstdio>

using namespace vif;

// The stack: it is handed every frame that is for us.
class Printer final : public net::IfInput {
 public:
  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    const net::EtherHeader header = net::EtherHeader::load(packet->data());
    std::printf("%s: %s > %s, type %04x, %u bytes\n", ifp.name().c_str(), header.src.to_string().c_str(),
                header.dst.to_string().c_str(), header.type, packet->pkthdr.len);
  }
};

Status run(const std::string& path) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return loop.error();
  Printer printer;
  host::Instance instance({clock, files});
  Result<net::Ifnet*> virt0 = instance.attach(**loop).create("virt0");
  if (!virt0) return virt0.error();
  net::Ifnet& ifp = **virt0;
  ifp.set_input(&printer);

  if (Status ok = ifp.ioctl(net::SetAllmulti{true}); !ok) return ok;
  if (Status ok = ifp.ioctl(net::SetLinkstr{"pcap:" + path}); !ok) return ok;
  if (Status ok = ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}); !ok) return ok;
  while (ifp.link_state() == net::LinkState::up) (*loop)->poll(64);

  const net::IfData data = ifp.counters.read();
  std::printf("%llu frames, %llu for us\n", static_cast<unsigned long long>(data.received()),
              static_cast<unsigned long long>(data.ipackets));
  return {};
}

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s FILE.pcap\n", argv[0]), 2;
  const Status done = run(argv[1]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().text.c_str());
  return done ? 0 : 1;
}
