// SPDX-License-Identifier: BSD-2-Clause
// Whose signature counts, and when: certificates that are expired, not valid yet, somebody else's, or only look the
// same.
#include "hypercall/fwu/cms.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

namespace vif::test {
namespace {

using host::CmsSignatures;

constexpr std::int64_t kFrom = 1'700'000'000, kUntil = kFrom + 3600, kNow = kFrom + 60;
constexpr fwu::Guid kType = fwu::guid("11111111-2222-4333-8444-555555555501");
constexpr fwu::Guid kOtherType = fwu::guid("11111111-2222-4333-8444-555555555502");

class Content final : public ByteSource {
 public:
  explicit Content(std::string_view text) : left_(as_bytes(text)) {}
  Result<std::size_t> read(MutBytes into) override {
    const std::size_t count = std::min(into.size(), left_.size());
    if (count > 0) std::memcpy(into.data(), left_.data(), count);
    left_ = left_.subspan(count);
    return count;
  }

 private:
  Bytes left_;
};

class Cms : public testing::Test {
 protected:
  Cms() {
    std::string name = (std::filesystem::temp_directory_path() / "vif-cms-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~Cms() override { std::filesystem::remove_all(folder); }

  std::string path(const std::string& name) const { return (folder / name).string(); }

  // A self-signed certificate NAME.crt for "CN=vendor", valid from kFrom until kUntil, and its NAME.key.
  void make_key(const std::string& name) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    ASN1_TIME_set(X509_getm_notBefore(certificate), kFrom);
    ASN1_TIME_set(X509_getm_notAfter(certificate), kUntil);
    X509_NAME* const subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("vendor"), -1, -1,
                               0);
    X509_set_issuer_name(certificate, subject);
    X509_set_pubkey(certificate, key);
    EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
    std::FILE* file = std::fopen(path(name + ".crt").c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(path(name + ".key").c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  std::vector<std::byte> sign(const std::string& name) {
    return *host::cms_sign(as_bytes(kText), path(name + ".crt"), path(name + ".key"));
  }

  // The errno of a verification at `now` by who trusts NAME.crt for kType; 0: the signature is good.
  int verify(const std::string& trusted, Bytes signature, std::int64_t now = kNow, std::string_view text = kText,
             const fwu::Guid& type = kType) {
    CmsSignatures signatures(now);
    EXPECT_TRUE(signatures.trust(kType, path(trusted + ".crt")));
    Content content(text);
    const Status verified = signatures.verify(type, signature, content);
    return verified ? 0 : verified.error().number();
  }

  static constexpr std::string_view kText = "firmware";
  std::filesystem::path folder;
};

TEST_F(Cms, a_certificate_that_is_its_own_issuer_counts_if_it_is_trusted_itself) {
  make_key("vendor");
  const auto signature = sign("vendor");
  EXPECT_EQ(verify("vendor", signature), 0);
  EXPECT_EQ(verify("vendor", signature, kNow, "firmwarf"), EKEYREJECTED);
  EXPECT_EQ(verify("vendor", signature, kNow, kText, kOtherType), EKEYREJECTED) << "trusted for another type";
}

TEST_F(Cms, a_certificate_counts_while_it_is_valid) {
  make_key("vendor");
  const auto signature = sign("vendor");
  EXPECT_EQ(verify("vendor", signature, kUntil - 1), 0);
  EXPECT_EQ(verify("vendor", signature, kUntil + 1), EKEYREJECTED) << "expired";
  EXPECT_EQ(verify("vendor", signature, kFrom - 1), EKEYREJECTED) << "not valid yet";
}

TEST_F(Cms, another_key_under_the_same_name_does_not_count) {
  make_key("vendor");
  make_key("impostor");
  EXPECT_EQ(verify("vendor", sign("impostor")), EKEYREJECTED);
  EXPECT_FALSE(host::cms_sign(as_bytes(kText), path("vendor.crt"), path("impostor.key")));
}

TEST_F(Cms, a_signature_that_is_cut_or_longer_is_none) {
  make_key("vendor");
  const auto signature = sign("vendor");
  for (std::size_t bytes = 0; bytes < signature.size(); ++bytes) {
    EXPECT_EQ(verify("vendor", Bytes(signature).first(bytes)), EKEYREJECTED) << bytes;
  }
  auto longer = signature;
  longer.push_back(std::byte{0});
  EXPECT_EQ(verify("vendor", longer), EKEYREJECTED);
}

}  // namespace
}  // namespace vif::test
