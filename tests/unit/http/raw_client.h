// A blocking client that sends exactly the bytes it is told to, with or without TLS; and throw-away keys.
#ifndef GREFFE_TESTS_UNIT_HTTP_RAW_CLIENT_H
#define GREFFE_TESTS_UNIT_HTTP_RAW_CLIENT_H

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace greffe::testing {

struct TestIdentity {
  std::string certificate_pem;
  std::string key_pem;
  std::array<std::uint8_t, 32> raw_public{};  // of an Ed25519 key
  std::array<std::uint8_t, 32> spki_sha256{};
};
enum class TestKey { ed25519, p256, rsa };
TestIdentity make_identity(TestKey type = TestKey::ed25519);

struct Answer {
  int status = 0;      // 0: the connection ended before a whole head
  std::string head;
  std::string body;
  bool whole = false;  // the announced body arrived
  std::string header(std::string_view lower_case_name) const;
};

class RawClient {
 public:
  enum class Tls { no, yes };
  // "127.0.0.1:1234" or "unix:/path". Reads give up after `patience_s`.
  RawClient(const std::string& address, Tls tls, const TestIdentity* identity = nullptr, int patience_s = 20);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }       // and the handshake is done
  bool send(std::string_view bytes);
  std::string receive(std::size_t most);              // what one read gives; empty: the end, or nothing in time
  Answer answer(bool head_only = false);              // the next response, by Content-Length
  Answer ask(std::string_view request);
  Answer get(const std::string& path, const std::string& more_headers = "");
  void end_writing();
  bool ended();                                       // the server closes without another byte
  void reset();                                       // close with RST
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  bool connected_ = false;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  std::string rest_;  // received, not yet asked for
};

}  // namespace greffe::testing

#endif
