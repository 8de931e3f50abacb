// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/pcap_link.hpp"

#include <array>
#include <optional>
#include <utility>

#include "hypercall/fitting.hpp"
#include "hypercall/link_options.hpp"
#include "netstack/capture/capture_reader.hpp"
#include "netstack/capture/capture_writer.hpp"

namespace vif::host {
namespace {

// The capture being written: counts what a failing disk would take with it.
class SentFile {
 public:
  static Result<std::unique_ptr<SentFile>> create(const std::string& path, const std::string& ifname,
                                                  FilesPort& files) {
    const Result<net::CaptureFormat> format = capture_format_of(path);
    if (!format) return format.error();
    Result<std::unique_ptr<ByteSink>> sink = files.create_sink(path);
    if (!sink) return std::move(sink).error();
    std::unique_ptr<SentFile> file(new SentFile(std::move(*sink), *format));
    if (auto id = file->writer_.add_interface(ifname, net::kLinkTypeEthernet); !id) return std::move(id).error();
    if (Status written = file->writer_.flush(); !written) return std::move(written).error();
    return file;
  }

  // On an error the frame was not taken.
  Status write(Bytes frame, std::int64_t timestamp_ns) {
    const net::CaptureFrame record{.bytes = frame,
                                   .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                                   .link_type = net::kLinkTypeEthernet,
                                   .timestamp_ns = timestamp_ns,
                                   .has_time = true};
    ++pending_.frames;
    Status written = writer_.write(record);
    if (!written) --pending_.frames;
    return written;
  }

  Status flush() { return writer_.flush(); }

  // The frames that were taken and are not in the file; asked once.
  std::uint64_t take_pending() { return std::exchange(pending_.frames, 0); }

 private:
  // Where the writer appends, which it also does by itself when it has collected enough.
  struct Pending final : ByteSink {
    explicit Pending(std::unique_ptr<ByteSink> to) : file(std::move(to)) {}
    Status append(Bytes bytes) override {
      Status appended = file->append(bytes);
      if (appended) frames = 0;
      return appended;
    }

    std::unique_ptr<ByteSink> file;
    std::uint64_t frames = 0;  // collected
  };

  SentFile(std::unique_ptr<ByteSink> sink, net::CaptureFormat format)
      : pending_(std::move(sink)), writer_(pending_, format) {}

  Pending pending_;
  net::CaptureWriter writer_;
};

class PcapLink final : public drv::LinkPort {
 public:
  PcapLink(std::unique_ptr<ByteSource> source, net::CaptureReader reader, std::unique_ptr<SentFile> out,
           ClockPort& clock)
      : source_(std::move(source)), reader_(std::move(reader)), out_(std::move(out)), clock_(clock) {}

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    return {};
  }

  void stop() override {
    flush();
    if (failed_ && sink_ != nullptr) report_lost();
    sink_ = nullptr;
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    const drv::SendResult fits = fitting(frames, net::kCaptureFrameBytesMax);
    if (!out_) return fits;  // a wire nobody listens to
    if (failed_) return {0, drv::SendStatus::network_down};
    const std::int64_t now_ns = clock_.wall_ns();
    sink_->ready();  // send makes no upcall: drain puts them on the disk, or reports that it failed
    for (std::size_t taken = 0; taken < fits.taken; ++taken) {
      if (Status written = out_->write(frames[taken].slices[0], now_ns); !written) {
        failed_ = std::move(written).error();
        return {taken, drv::SendStatus::network_down};
      }
    }
    return fits;
  }

  bool drain(std::size_t budget) override {
    flush();
    if (failed_) {
      report_lost();
      sink_->link_changed(net::LinkState::down, &*failed_);
    }
    return !ended_ && read(budget);
  }

  void set_receive_filter(const drv::ReceiveFilter&) override {}

 private:
  static constexpr std::size_t kBurst = 32;

  // True: there may be more.
  bool read(std::size_t budget) {
    std::array<net::CaptureFrame, kBurst> records;
    std::array<drv::RxFrame, kBurst> frames;
    while (budget > 0) {
      const Result<std::size_t> n = reader_.read(std::span(records).first(std::min(budget, kBurst)));
      if (!n && n.error().number() == EAGAIN) return false;  // whoever told the source not to wait makes us ready()
      if (!n || *n == 0) {
        ended_ = true;
        const Error* const why = !n ? &n.error() : failed_ ? &*failed_ : nullptr;
        sink_->link_changed(net::LinkState::down, why);
        return false;
      }
      budget -= *n;
      std::size_t ethernet = 0;
      for (const net::CaptureFrame& record : std::span(records).first(*n)) {
        if (record.link_type != net::kLinkTypeEthernet) continue;
        const bool cut = record.wire_bytes > record.bytes.size();
        frames[ethernet++] = {record.bytes, cut ? record.wire_bytes : 0, record.timestamp_ns, {}};
      }
      if (ethernet < *n) sink_->lost(DropReason::other_linktype, *n - ethernet);
      if (ethernet > 0) sink_->deliver(std::span(frames).first(ethernet));
    }
    return true;
  }

  // A failure is reported by the next drain, if need be after the next start.
  void flush() {
    if (!out_ || failed_) return;
    if (Status flushed = out_->flush(); !flushed) failed_ = std::move(flushed).error();
  }

  void report_lost() {
    if (const std::uint64_t frames = out_->take_pending(); frames > 0) sink_->lost(DropReason::tx_error, frames);
  }

  std::unique_ptr<ByteSource> source_;
  net::CaptureReader reader_;
  std::unique_ptr<SentFile> out_;  // null: frames sent go nowhere
  ClockPort& clock_;
  drv::LinkSink* sink_ = nullptr;
  std::optional<Error> failed_;  // writing; it does not come back
  bool ended_ = false;
};

}  // namespace

Result<net::CaptureFormat> capture_format_of(const std::string& path) {
  if (path.ends_with(".pcapng")) return net::CaptureFormat::pcapng;
  if (path.ends_with(".pcap")) return net::CaptureFormat::pcap;
  return fail(std::errc::invalid_argument,
              "cannot tell the format of " + path + ": expected a name ending in .pcap or .pcapng");
}

Status check_pcap_linkstr(const drv::Linkstr& linkstr) {
  if (Status ok = needs_argument(linkstr, "a capture file"); !ok) return ok;
  if (Status ok = only_options(linkstr, {"write"}); !ok) return ok;
  const drv::Linkstr::Option* const write = linkstr.find("write");
  if (write == nullptr) return {};
  if (write->value.value_or("").empty()) {
    return fail(std::errc::invalid_argument, "pcap: write= needs the name of the file to write");
  }
  const Result<net::CaptureFormat> format = capture_format_of(*write->value);
  return format ? Status() : Status(format.error());
}

Result<drv::OpenLink> open_pcap_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FilesPort& files,
                                     ClockPort& clock) {
  if (Status ok = check_pcap_linkstr(linkstr); !ok) return std::move(ok).error();
  const drv::Linkstr::Option* const write = linkstr.find("write");
  if (write != nullptr && files.same_file(*write->value, linkstr.argument)) {
    return fail(std::errc::invalid_argument, "pcap: cannot write over " + linkstr.argument + ", which is being read");
  }
  Result<std::unique_ptr<ByteSource>> source = files.open_source(linkstr.argument);
  if (!source) return std::move(source).error();
  Result<net::CaptureReader> reader = net::CaptureReader::open(**source);
  if (!reader) return fail(reader.error().number(), linkstr.argument + ": " + reader.error().text);
  std::unique_ptr<SentFile> out;
  if (write != nullptr) {
    Result<std::unique_ptr<SentFile>> created = SentFile::create(*write->value, owner.ifname, files);
    if (!created) return std::move(created).error();
    out = std::move(*created);
  }
  const drv::LinkCaps caps{.frame_bytes_max = net::kCaptureFrameBytesMax};
  return drv::OpenLink{std::make_unique<PcapLink>(std::move(*source), std::move(*reader), std::move(out), clock), caps};
}

}  // namespace vif::host
