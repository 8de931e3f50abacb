// SPDX-License-Identifier: BSD-2-Clause
// Reads one file by TFTP (RFC 1350 with the options of RFC 2347 to 2349). It stands on an Inet as any user of one does.
//
// Owned by the caller; the Inet and the events outlive it. Not to be destroyed from inside the events. After the end it
// goes on acknowledging the last block, for as long as it lives: that is how the server learns that all has come.
// Domain's thread.
//
//   request ─> OACK ─> ACK 0 ─┐   whatever has no answer is sent again, later each time; the server sends what is lost
//      └─────> DATA 1 ────────┴─> ACK n, DATA n + 1 ... until a block is not full
#pragma once

#include <memory>

#include "netstack/domain.hpp"
#include "netstack/inet/inet.hpp"
#include "netstack/inet/tftp_message.hpp"

namespace vif::net::inet {

// What to read, and within which bounds.
struct TftpRead {
  IpAddress server = {};
  std::uint16_t port = kTftpPort;
  std::string file = {};                       // 1..500 letters, without NUL
  std::uint16_t block_bytes = 1428;            // asked for: 8..65464; this fits 1500 with either IP
  std::uint64_t file_bytes_max = UINT64_MAX;   // a longer file is refused
  Time again_after = std::chrono::seconds(1);  // the first time; doubled up to eight times that
  Time patience = std::chrono::seconds(30);    // without anything new it is given up
};

// From inside upcalls and callouts.
class TftpEvents {
 public:
  virtual ~TftpEvents() = default;
  // The next bytes of the file, borrowed. An error ends the transfer with it.
  virtual Status tftp_received(Bytes bytes) = 0;
  // Once, and last. ENOENT, EACCES, EIO, EPROTO (the server's errors), ECONNREFUSED (nobody serves there), ETIMEDOUT,
  // EFBIG (above file_bytes_max), EBADMSG (not as long as the server said).
  virtual void tftp_ended(const Status& how) = 0;
};

struct TftpData {
  std::uint64_t blocks = 0, bytes = 0;      // taken
  std::uint64_t duplicates = 0;             // blocks that came again
  std::uint64_t repeated = 0;               // messages of ours that had to be sent again
  std::uint64_t ignored = 0;                // not from the server's port of this transfer, or not readable
  std::optional<std::uint64_t> file_bytes;  // as the server says
};

class VIF_API TftpClient {
 public:
  static constexpr std::size_t kFileNameMax = 500;

  TftpClient(Inet& inet, Domain& domain, TftpEvents& events);
  TftpClient(const TftpClient&) = delete;
  TftpClient& operator=(const TftpClient&) = delete;

  // Begins, once. EINVAL: what is asked for is not within its bounds. Otherwise Inet::open_udp's.
  Status start(const TftpRead& read);

  const TftpData& read() const { return data_; }

 private:
  enum class State : std::uint8_t { idle, asking, reading, ended };

  void send(Bytes message);
  void send_new(Bytes message);
  void send_again();
  void refuse(TftpError error, const Error& why);
  void end(const Status& how);
  void hear();
  void take(const UdpDatagram& datagram);
  void take_error(const TftpReply& reply);
  void take_options(const TftpReply& reply);
  void take_data(const TftpReply& reply);

  Inet& inet_;
  Domain& domain_;
  TftpEvents& events_;
  std::unique_ptr<UdpSocket> socket_;
  Callout again_, give_up_;
  State state_ = State::idle;
  TftpRead read_;
  std::uint16_t server_port_ = 0;  // of this transfer: RFC 1350's TID; 0: not known yet
  std::size_t block_bytes_ = kTftpBlockBytes;
  std::uint16_t last_block_ = 0;  // acknowledged; behind 65535 comes 0
  bool asked_plainly_ = false;    // without options
  std::vector<std::byte> last_sent_, received_;
  Time wait_{};  // until it is sent again
  TftpData data_;
};

}  // namespace vif::net::inet
