// SPDX-License-Identifier: BSD-2-Clause
// stream: by a descriptor, whose other end is this test's, in both kinds of framing.
#include <fcntl.h>
#include <sys/socket.h>

#include "hypercall/linux_ports.hpp"
#include "hypercall/stream/stream_link.hpp"
#include "hypercall/unique_fd.hpp"
#include "tests/conformance/world.hpp"

namespace vif::test {
namespace {

class StreamWorld final : public World {
 public:
  explicit StreamWorld(int type) : type_(type) {}

  CannotAsk prepare(const WireFrames& frames) override {
    arriving_.clear();
    for (const WireFrame& frame : frames) {
      if (frame.offload != net::Offload{}) return "its framing knows no offload";
      arriving_.push_back(on_the_wire(frame.bytes));
    }
    return {};
  }
  CannotAsk prepare_failure() override {
    failing_ = true;
    return {};
  }
  std::string linkstr() const override {
    if (!ours_) make_pair();
    return "stream:fd=" + std::to_string(ours_.get()) + (type_ == SOCK_STREAM ? "" : ",framing=bess");
  }
  std::vector<Refused> refused() const override {
    return {{"stream:", "path"},
            {"stream:[null:]", "path"},
            {"stream:fd=", "descriptor"},
            {"stream:fd=3x", "3x"},
            {"stream:fd=-1", "-1"},
            {"stream:fd=99999999999", "99999999999"},
            {"stream:fd=3,listen", "listen"},
            {"stream:fd=3,reconnect", "reconnect"},
            {"stream:/x,listen=1", "listen"},
            {"stream:/x,listen,reconnect", "reconnect"},
            {"stream:/x,framing", "qemu"},
            {"stream:/x,framing=slip", "slip"},
            {"stream:/x,local=/y", "local"},
            {"stream:/x,framing=dgram", "local"},
            {"stream:/x,framing=dgram,local=", "local"},
            {"stream:/x,framing=dgram,local=/y,listen", "listen"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    Result<drv::OpenLink> opened = host::open_stream_link(linkstr, owner, watch_, clock_);
    if (opened) ours_.give_up();
    return opened;
  }
  void release() override {
    for (const Frame& bytes : std::exchange(arriving_, {})) {
      const ssize_t n = ::send(theirs_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      EXPECT_TRUE(n == static_cast<ssize_t>(bytes.size()) || errno == EPIPE) << "also when the link is closed";
    }
    if (failing_) theirs_ = host::UniqueFd();
    watch_.collect();
  }
  bool arrives_when_released() const override { return true; }
  std::optional<WireFrames> sent() override {
    WireFrames frames;
    for (Frame bytes = received(); !bytes.empty();) {
      std::size_t header = 0, length = bytes.size();
      if (type_ == SOCK_STREAM) {
        header = 4;
        length = load_be32(bytes.data());
      }
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(header);
      const auto end = begin + static_cast<std::ptrdiff_t>(length);
      frames.push_back({Frame(begin, end)});
      bytes.erase(bytes.begin(), end);
      if (bytes.empty()) bytes = received();
    }
    return frames;
  }

 private:
  // Which the link closes, once it has opened it.
  class OurEnd {
   public:
    ~OurEnd() { replace(-1); }
    OurEnd() = default;
    OurEnd(const OurEnd&) = delete;
    OurEnd& operator=(const OurEnd&) = delete;
    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }
    void give_up() { fd_ = -1; }
    void replace(int fd) {
      if (fd_ >= 0) ::close(fd_);
      fd_ = fd;
    }

   private:
    int fd_ = -1;
  };

  // With room for all that a test sends at once.
  void make_pair() const {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, type_ | SOCK_CLOEXEC, 0, fds), 0);
    const int bytes = 1 << 20;
    for (const int fd : fds) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    ours_.replace(fds[0]);
    theirs_ = host::UniqueFd(fds[1]);
  }
  Frame on_the_wire(const Frame& frame) const {
    if (type_ != SOCK_STREAM) return frame;
    Frame length(4);
    store_be32(length.data(), static_cast<std::uint32_t>(frame.size()));
    return length + frame;
  }
  // A packet, or all there is of a stream.
  Frame received() const {
    Frame bytes(1 << 20);
    const ssize_t n = ::recv(theirs_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return bytes;
  }

  const int type_;
  host::LinuxClock clock_;
  host::FdWatch watch_ = std::move(*host::FdWatch::create());
  mutable OurEnd ours_;
  mutable host::UniqueFd theirs_;
  std::vector<Frame> arriving_;
  bool failing_ = false;
};

}  // namespace

std::unique_ptr<World> make_stream_world() { return std::make_unique<StreamWorld>(SOCK_STREAM); }
std::unique_ptr<World> make_stream_bess_world() { return std::make_unique<StreamWorld>(SOCK_SEQPACKET); }

}  // namespace vif::test
