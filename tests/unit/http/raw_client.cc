#include "tests/unit/http/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace greffe::testing {
namespace {

std::string pem_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

EVP_PKEY* make_key(TestKey type) {
  switch (type) {
    case TestKey::ed25519: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case TestKey::p256: return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    case TestKey::rsa: return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048});
  }
  return nullptr;
}

}  // namespace

TestIdentity make_identity(TestKey type) {
  EVP_PKEY* key = make_key(type);
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_sign(certificate, key, type == TestKey::ed25519 ? nullptr : EVP_sha256());
  TestIdentity out;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  out.certificate_pem = pem_of(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  out.key_pem = pem_of(bio);
  if (type == TestKey::ed25519) {
    std::size_t size = out.raw_public.size();
    EVP_PKEY_get_raw_public_key(key, out.raw_public.data(), &size);
  }
  unsigned char* spki = nullptr;
  const int spki_size = i2d_PUBKEY(key, &spki);
  SHA256(spki, static_cast<std::size_t>(spki_size), out.spki_sha256.data());
  OPENSSL_free(spki);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return out;
}

std::string Answer::header(std::string_view lower_case_name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const auto end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    if (name == lower_case_name) return std::string(line.substr(colon + 2));
  }
  return {};
}

RawClient::RawClient(const std::string& address, Tls tls, const TestIdentity* identity, int patience_s)
    : context_(nullptr, SSL_CTX_free), ssl_(nullptr, SSL_free) {
  if (address.starts_with("unix:")) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, address.c_str() + 5, sizeof name.sun_path - 1);
    descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
  } else {
    const auto colon = address.rfind(':');
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &name.sin_addr);
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
  }
  const timeval patience{patience_s, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (tls == Tls::no || !connected_) return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (identity != nullptr) {
    BIO* bio = BIO_new_mem_buf(identity->certificate_pem.data(), -1);
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio = BIO_new_mem_buf(identity->key_pem.data(), -1);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    SSL_CTX_use_certificate(context_.get(), certificate);
    SSL_CTX_use_PrivateKey(context_.get(), key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), descriptor_);
  connected_ = SSL_connect(ssl_.get()) == 1;
}

RawClient::~RawClient() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    if (ssl_) {
      if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) != 1) return false;
    } else {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      count = static_cast<std::size_t>(sent);
    }
    bytes.remove_prefix(count);
  }
  return true;
}

std::string RawClient::receive(std::size_t most) {
  std::string out(most, '\0');
  std::size_t count = 0;
  if (ssl_) {
    if (SSL_read_ex(ssl_.get(), out.data(), out.size(), &count) != 1) return {};
  } else {
    const ssize_t got = ::recv(descriptor_, out.data(), out.size(), 0);
    if (got <= 0) return {};
    count = static_cast<std::size_t>(got);
  }
  out.resize(count);
  return out;
}

Answer RawClient::answer(bool head_only) {
  Answer out;
  std::size_t end = std::string::npos;
  while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
    const std::string more = receive(64 * 1024);
    if (more.empty()) return out;
    rest_ += more;
  }
  out.head = rest_.substr(0, end + 4);
  rest_.erase(0, end + 4);
  out.status = std::stoi(out.head.substr(9, 3));
  const std::string length = out.header("content-length");
  const std::size_t size = head_only || length.empty() ? 0 : std::stoul(length);
  while (rest_.size() < size) {
    const std::string more = receive(256 * 1024);
    if (more.empty()) break;
    rest_ += more;
  }
  out.whole = rest_.size() >= size;
  out.body = rest_.substr(0, size);
  rest_.erase(0, std::min(size, rest_.size()));
  return out;
}

Answer RawClient::ask(std::string_view request) {
  send(request);
  return answer();
}

Answer RawClient::get(const std::string& path, const std::string& more_headers) {
  return ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more_headers + "\r\n");
}

void RawClient::end_writing() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ::shutdown(descriptor_, SHUT_WR);
}

bool RawClient::ended() { return rest_.empty() && receive(1).empty(); }

void RawClient::reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace greffe::testing
