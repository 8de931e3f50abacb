// SPDX-License-Identifier: BSD-2-Clause
// Digests and signatures of capsules by OpenSSL: SHA-256; detached CMS (PKCS#7) SignedData over a stream, by a
// certificate that is trusted itself, at a time the caller says. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/fwu/device.hpp"

namespace vif::host {

class VIF_API Sha256Digests final : public fwu::DigestPort {
 public:
  std::unique_ptr<fwu::Digest> sha256() override;
};

class VIF_API CmsSignatures final : public fwu::SignaturePort {
 public:
  // `now`: seconds since 1970, for the validity of certificates.
  explicit CmsSignatures(std::int64_t now);
  ~CmsSignatures() override;

  // Trusts the certificates in a file (PEM, DER, or an EFI signature list) for images of this type. Errors: the host's
  // errno, EINVAL there is none in it.
  Status trust(const fwu::Guid& image_type, const std::string& path);
  bool trusts_any() const;

  Status verify(const fwu::Guid& image_type, Bytes pkcs7, ByteSource& content) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A detached signature (DER) of `content` with SHA-256; the signer's certificate is in it. EINVAL: a file is not PEM,
// or they do not belong together.
VIF_API Result<std::vector<std::byte>> cms_sign(Bytes content, const std::string& certificate_path,
                                                const std::string& key_path);

}  // namespace vif::host
