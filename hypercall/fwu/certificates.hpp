// SPDX-License-Identifier: BSD-2-Clause
// Certificates from a file: PEM (one or more), DER, or an EFI signature list (UEFI 2.10, section 32.4.1), which is what
// firmware keeps. For cms.cpp only.
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

using X509Ptr = std::unique_ptr<X509, void (*)(X509*)>;

// One or more. Errors: the host's errno, EINVAL there is none in it.
Result<std::vector<X509Ptr>> read_certificates(const std::string& path);

// The DER of each X.509 certificate in an EFI signature list; nothing where it is none.
std::vector<Bytes> certificates_of_esl(Bytes list);

}  // namespace vif::host
