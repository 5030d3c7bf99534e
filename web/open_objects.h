// Objects that were opened for somebody a moment ago. A player asks for an object in many ranges; who may read it and which
// replica is good is found out once for all that come within two seconds. Thread-safe; never blocks.
#ifndef GREFFE_WEB_OPEN_OBJECTS_H
#define GREFFE_WEB_OPEN_OBJECTS_H

#include <map>
#include <mutex>
#include <optional>

#include "archive/base/clock.h"
#include "archive/format/digest.h"
#include "web/http/message.h"

namespace greffe::web {

// So long after it was withdrawn a right may still be used for an object that is being played.
inline constexpr std::int64_t kOpenForMs = 2000;
inline constexpr std::size_t kOpenObjectsMax = 256;  // each is an open file

struct OpenObject {
  std::shared_ptr<ReadableFile> file;
  std::uint64_t size = 0;
  std::string content_type;
  std::string etag;
};

http::Response object_response(const http::Request& request, const OpenObject& object);

class OpenObjects {
 public:
  explicit OpenObjects(Clock& clock) : clock_(clock) {}
  // Who asks for what: the same digest only for the same address with the same cookie, token or ticket.
  static Digest key_of(const http::Request& request);
  // `key` may read this object: that was found out just now.
  void keep(const Digest& key, OpenObject object);
  std::optional<OpenObject> find(const Digest& key);
  // Somebody's right was withdrawn: each is asked for anew.
  void forget();

 private:
  struct Kept {
    OpenObject object;
    std::int64_t until_ms = 0;
  };
  Clock& clock_;
  std::mutex mutex_;  // held for look-ups only
  std::map<Digest, Kept> kept_;  // guarded by mutex_
};

}  // namespace greffe::web

#endif
