// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fwu/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>

#include "hypercall/fwu/file_store.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::host {
namespace {

constexpr std::uint64_t kFileBytesMax = 1024 * 1024;
constexpr fwu::Guid kX509List = fwu::guid("a5c059a1-94e4-4aa7-87b5-ab155c2bf072");  // EFI_CERT_X509_GUID
// EFI_SIGNATURE_LIST: type, then three u32; each entry begins with its owner's GUID.
constexpr std::size_t kListBytes = 28, kListSizeAt = 16, kListHeaderSizeAt = 20, kListEntrySizeAt = 24;

X509Ptr owned(X509* certificate) { return X509Ptr(certificate, X509_free); }

X509Ptr from_der(Bytes bytes) {
  const auto* der = reinterpret_cast<const unsigned char*>(bytes.data());
  return owned(d2i_X509(nullptr, &der, static_cast<long>(bytes.size())));
}

std::vector<X509Ptr> from_pem(Bytes bytes) {
  const std::unique_ptr<BIO, int (*)(BIO*)> file(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())),
                                                 BIO_free);
  std::vector<X509Ptr> certificates;
  while (X509* certificate = PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)) {
    certificates.push_back(owned(certificate));
  }
  return certificates;
}

}  // namespace

std::vector<Bytes> certificates_of_esl(Bytes list) {
  std::vector<Bytes> found;
  while (list.size() >= kListBytes && fwu::load_guid(list.data()) == kX509List) {
    const std::uint32_t size = fwu::load_le32(&list[kListSizeAt]);
    const std::uint32_t header = fwu::load_le32(&list[kListHeaderSizeAt]);
    const std::uint32_t entry = fwu::load_le32(&list[kListEntrySizeAt]);
    if (size > list.size() || size < kListBytes || header > size - kListBytes || entry <= fwu::Guid::kBytes) break;
    for (Bytes left = list.first(size).subspan(kListBytes + header); left.size() >= entry; left = left.subspan(entry)) {
      found.push_back(left.first(entry).subspan(fwu::Guid::kBytes));
    }
    list = list.subspan(size);
  }
  return found;
}

Result<std::vector<X509Ptr>> read_certificates(const std::string& path) {
  Result<std::unique_ptr<FileStore>> file = FileStore::open(path, Access::read);
  if (!file) return std::move(file).error();
  std::vector<std::byte> bytes(std::min((*file)->size_bytes(), kFileBytesMax));
  if (Status read = (*file)->read(0, bytes); !read) return read.error();
  std::vector<X509Ptr> certificates = from_pem(bytes);
  for (const Bytes der : certificates_of_esl(bytes)) certificates.push_back(from_der(der));
  if (certificates.empty()) certificates.push_back(from_der(bytes));
  ERR_clear_error();
  if (std::all_of(certificates.begin(), certificates.end(), [](const X509Ptr& one) { return one != nullptr; })) {
    return certificates;
  }
  return fail(EINVAL, path + ": a certificate in PEM or DER, or an EFI signature list of them, was expected");
}

}  // namespace vif::host
