// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fwu/cms.hpp"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "hypercall/digest.hpp"
#include "hypercall/fwu/certificates.hpp"

namespace vif::host {
namespace {

using BioPtr = std::unique_ptr<BIO, void (*)(BIO*)>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, void (*)(CMS_ContentInfo*)>;

BioPtr owned(BIO* bio) {
  return BioPtr(bio, [](BIO* freed) { BIO_free(freed); });
}

class Sha256Digest final : public fwu::Digest {
 public:
  void update(Bytes bytes) override { sha256_.update(bytes); }
  fwu::DigestBytes finish() override {
    fwu::DigestBytes bytes;
    std::memcpy(bytes.data(), sha256_.finish().data(), bytes.size());
    return bytes;
  }

 private:
  Sha256 sha256_;
};

// A ByteSource as OpenSSL reads it; remembers why reading failed.
struct SourceBio {
  ByteSource* source = nullptr;
  std::optional<Error> error;
};

int read_source(BIO* bio, char* into, std::size_t bytes, std::size_t* got) {
  auto* state = static_cast<SourceBio*>(BIO_get_data(bio));
  Result<std::size_t> read = state->source->read(std::as_writable_bytes(std::span(into, bytes)));
  if (!read) state->error = read.error();
  *got = read ? *read : 0;
  return *got > 0 ? 1 : 0;
}

long control_source(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

using MethodPtr = std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)>;
MethodPtr source_method() {
  MethodPtr method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "ByteSource"), BIO_meth_free);
  if (!method) throw std::bad_alloc();
  BIO_meth_set_read_ex(method.get(), read_source);
  BIO_meth_set_ctrl(method.get(), control_source);
  return method;
}

bool digests_are_strong(CMS_ContentInfo* cms) {
  STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(cms);
  for (int i = 0; i < sk_CMS_SignerInfo_num(signers); ++i) {
    X509_ALGOR* digest = nullptr;
    CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(signers, i), nullptr, nullptr, &digest, nullptr);
    const ASN1_OBJECT* name = nullptr;
    X509_ALGOR_get0(&name, nullptr, nullptr, digest);
    const int nid = OBJ_obj2nid(name);
    if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512) return false;
  }
  return sk_CMS_SignerInfo_num(signers) > 0;
}

std::string why() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason ? reason : "OpenSSL does not say why";
}

Error rejected(const std::string& what) { return fail(EKEYREJECTED, "the signature is refused: " + what); }

}  // namespace

std::unique_ptr<fwu::Digest> Sha256Digests::sha256() { return std::make_unique<Sha256Digest>(); }

struct CmsSignatures::State {
  struct Trusted {
    fwu::Guid image_type;
    X509Ptr certificate;
  };
  std::int64_t now = 0;
  std::vector<Trusted> trusted;
  MethodPtr method = source_method();
};

CmsSignatures::CmsSignatures(std::int64_t now) : state_(std::make_unique<State>()) { state_->now = now; }
CmsSignatures::~CmsSignatures() = default;

bool CmsSignatures::trusts_any() const { return !state_->trusted.empty(); }

Status CmsSignatures::trust(const fwu::Guid& image_type, const std::string& path) {
  Result<std::vector<X509Ptr>> certificates = read_certificates(path);
  if (!certificates) return certificates.error();
  for (X509Ptr& certificate : *certificates) state_->trusted.push_back({image_type, std::move(certificate)});
  return {};
}

Status CmsSignatures::verify(const fwu::Guid& image_type, Bytes pkcs7, ByteSource& content) {
  const unsigned char* der = reinterpret_cast<const unsigned char*>(pkcs7.data());
  const unsigned char* end = der + pkcs7.size();
  const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &der, static_cast<long>(pkcs7.size())), CMS_ContentInfo_free);
  if (!cms || der != end) return rejected("it is not CMS (PKCS#7) in DER");
  if (!digests_are_strong(cms.get())) return rejected("SHA-256 or longer was expected");

  const std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store(X509_STORE_new(), X509_STORE_free);
  if (!store) throw std::bad_alloc();
  for (const State::Trusted& trusted : state_->trusted) {
    if (trusted.image_type == image_type) X509_STORE_add_cert(store.get(), trusted.certificate.get());
  }
  // The certificate itself is the anchor, as in an EFI signature list; it need not be an authority's.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_set_purpose(store.get(), X509_PURPOSE_ANY);
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), static_cast<time_t>(state_->now));

  SourceBio source{&content, {}};
  const BioPtr reader = owned(BIO_new(state_->method.get()));
  if (!reader) throw std::bad_alloc();
  BIO_set_data(reader.get(), &source);
  BIO_set_init(reader.get(), 1);
  ERR_clear_error();
  const int good = CMS_verify(cms.get(), nullptr, store.get(), reader.get(), nullptr, CMS_BINARY);
  if (source.error) return *source.error;
  return good == 1 ? Status() : Status(rejected(why()));
}

Result<std::vector<std::byte>> cms_sign(Bytes content, const std::string& certificate_path,
                                        const std::string& key_path) {
  Result<std::vector<X509Ptr>> certificates = read_certificates(certificate_path);
  if (!certificates) return std::move(certificates).error();
  const BioPtr key_file = owned(BIO_new_file(key_path.c_str(), "r"));
  if (!key_file) return fail(ENOENT, key_path + ": cannot be opened");
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) return fail(EINVAL, key_path + ": a private key in PEM was expected");
  const BioPtr data = owned(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  constexpr unsigned kFlags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_NOSMIMECAP;
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, data.get(), kFlags), CMS_ContentInfo_free);
  if (!cms || !CMS_add1_signer(cms.get(), (*certificates)[0].get(), key.get(), EVP_sha256(), kFlags) ||
      CMS_final(cms.get(), data.get(), nullptr, kFlags) != 1) {
    return fail(EINVAL, certificate_path + " and " + key_path + " cannot sign: " + why());
  }
  unsigned char* der = nullptr;
  const int bytes = i2d_CMS_ContentInfo(cms.get(), &der);
  if (bytes <= 0) throw std::bad_alloc();
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(
      der, [](unsigned char* freed) { OPENSSL_free(freed); });
  const auto signature = std::as_bytes(std::span(der, static_cast<std::size_t>(bytes)));
  return std::vector<std::byte>(signature.begin(), signature.end());
}

}  // namespace vif::host
