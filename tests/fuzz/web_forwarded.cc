// The header with which a waiting machine says who asked: nobody but the holder of the key can write one that is taken.
#include <cstdint>

#include "archive/base/result.h"
#include "web/forwarded_address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const greffe::PrivateKey key = *greffe::PrivateKey::from_seed(greffe::Bytes(32, 7));
  greffe::http::Request request;
  request.method = "POST";
  request.target = "/v1/session";
  request.remote = "10.0.0.7:5000";
  request.headers.emplace(greffe::web::kForwardedHeader, std::string(reinterpret_cast<const char*>(bytes), size));
  const auto address = greffe::web::client_address(key.public_key(), request, greffe::UtcTime{1'795'600'000'000});
  GREFFE_CHECK(!address || address->size() <= 64);
  return 0;
}
