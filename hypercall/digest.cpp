// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/digest.hpp"

#include <openssl/evp.h>

#include <new>
#include <string_view>

namespace vif::host {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

// OpenSSL fails here only for want of memory.
Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc();
}

Sha256::~Sha256() = default;

void Sha256::update(Bytes bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::array<std::byte, Sha256::kBytes> Sha256::finish() {
  std::array<std::byte, kBytes> digest;
  EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

std::string Sha256::hex() {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : finish()) {
    text += kHexDigits[std::to_integer<std::size_t>(byte >> 4)];
    text += kHexDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

}  // namespace vif::host
