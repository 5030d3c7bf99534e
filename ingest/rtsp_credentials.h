// How a station shows a camera that it knows user and password: Digest with SHA-256 or MD5 (RFC 7616, RFC 2617), else Basic
// (RFC 7617), which a camera reads in the clear. One thread.
#ifndef GREFFE_INGEST_RTSP_CREDENTIALS_H
#define GREFFE_INGEST_RTSP_CREDENTIALS_H

#include <cstdint>
#include <string>

#include "ingest/rtsp_message.h"

namespace greffe::ingest {

class RtspCredentials {
 public:
  RtspCredentials(std::string user, std::string password) : user_(std::move(user)), password_(std::move(password)) {}
  // From an answer 401: the strongest of its challenges that we know. False: there is none, or there is no user to name, or what was
  // answered with is refused (a challenge that is only too old asks for another answer, and does not count as that).
  bool challenged(const RtspMessage& refusal);
  // What the field Authorization says of this request; empty while the camera has asked for nothing.
  std::string answer(std::string_view method, std::string_view url);

 private:
  enum class Scheme { none, basic, md5, sha256 };
  struct Challenge {
    Scheme scheme = Scheme::none;
    std::string realm, nonce, opaque;
    bool counted = false;  // qop=auth: each answer has a number
    bool stale = false;
  };
  static Challenge read(std::string_view field);
  std::string hash(const std::string& text) const;

  const std::string user_, password_;
  Challenge challenge_;
  std::uint32_t count_ = 0;
};

}  // namespace greffe::ingest

#endif
