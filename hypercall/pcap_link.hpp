// SPDX-License-Identifier: BSD-2-Clause
// `pcap:FILE[,write=FILE]`: a wire made of capture files. FILE's Ethernet frames arrive as fast as they are drained,
// with their recorded times; frames sent go to the other file (pcap or pcapng, as its name ends), stamped by the
// clock.
//
// When FILE ends the carrier goes down, and nothing more is sent; when it ends in damage, with the reason. Frames of
// other link types are reported as lost. Stopping and starting goes on where it was.
#pragma once

#include <string>

#include "netstack/base/ports.hpp"
#include "netstack/base/stream.hpp"
#include "netstack/capture/capture.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// EINVAL: no file, an unknown option, or a file that is no capture. Else the file's errno. The ports outlive the link.
VIF_API Result<drv::OpenLink> open_pcap_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FilesPort& files,
                                             ClockPort& clock);

// As much of that as the link string alone tells. EINVAL.
VIF_API Status check_pcap_linkstr(const drv::Linkstr& linkstr);

// What the name of a capture file to be written asks for. EINVAL: it ends neither in .pcap nor in .pcapng.
VIF_API Result<net::CaptureFormat> capture_format_of(const std::string& path);

}  // namespace vif::host
