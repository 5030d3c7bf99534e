#include "web/http/self_signed.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

#include "archive/base/bytes.h"

namespace greffe::http {
namespace {

constexpr long kTenYearsS = 10L * 365 * 24 * 3600;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using MemoryBio = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  const bool good = made != nullptr && X509_add_ext(certificate, made, -1) == 1;
  X509_EXTENSION_free(made);
  return good;
}

}  // namespace

SelfSigned make_self_signed(const std::string& host) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  std::array<std::uint8_t, 8> serial{};
  fill_random(serial);
  std::uint64_t number = 0;
  for (const std::uint8_t b : serial) number = number << 8 | b;
  bool good = key != nullptr && x != nullptr && X509_set_version(x, X509_VERSION_3) == 1;
  good = good && ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), number >> 1) == 1;
  good = good && X509_gmtime_adj(X509_getm_notBefore(x), -3600) != nullptr;
  good = good && X509_gmtime_adj(X509_getm_notAfter(x), kTenYearsS) != nullptr;
  X509_NAME* name = X509_get_subject_name(x);
  const auto* common_name = reinterpret_cast<const unsigned char*>("Greffe");
  good = good && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common_name, -1, -1, 0) == 1;
  good = good && X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key.get()) == 1;
  good = good && add_extension(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:" + host);
  good = good && add_extension(x, NID_basic_constraints, "critical,CA:FALSE");
  good = good && X509_sign(x, key.get(), EVP_sha256()) > 0;
  const MemoryBio certificate_bio(BIO_new(BIO_s_mem()), BIO_free);
  const MemoryBio key_bio(BIO_new(BIO_s_secmem()), BIO_free);
  good = good && PEM_write_bio_X509(certificate_bio.get(), x) == 1;
  good = good && PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  GREFFE_CHECK(good);
  return SelfSigned{text_of(certificate_bio.get()), text_of(key_bio.get())};
}

}  // namespace greffe::http
