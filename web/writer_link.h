// What a waiting machine knows of the one that writes, and the way to its pages: TLS with exactly the key that the writer's lease
// names. Thread-safe.
#ifndef GREFFE_WEB_WRITER_LINK_H
#define GREFFE_WEB_WRITER_LINK_H

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "archive/base/clock.h"
#include "archive/base/http_client.h"
#include "archive/format/ed25519.h"
#include "archive/store/writer_place.h"
#include "web/http/message.h"

namespace greffe::web {

// An answer of the writer's pages is kept in memory on its way.
inline constexpr std::uint64_t kForwardedBytesMax = 32 * 1024 * 1024;

class WriterLink {
 public:
  // `server_key` signs who asked (forwarded_address.h). Both must outlive this.
  WriterLink(const PrivateKey& server_key, Clock& clock) : server_key_(server_key), clock_(clock) {}

  // As the lease says it now; none: nobody writes.
  void set(const std::optional<store::WriterPlace>& place);
  std::optional<store::WriterPlace> place() const;

  // The writer's answer to this request, whatever its status. unavailable: there is no writer, it cannot be reached, or it said
  // nothing for 20 s. invalid: the answer is larger than kForwardedBytesMax. denied: another key than the lease names. cancelled: stop().
  Result<HttpResponse> forward(const http::Request& request);
  // Its answer to HEAD for the same address by the same person. Errors as above.
  Result<HttpResponse> look(const http::Request& request);
  // What is under way ends at once, and so does all that comes.
  void stop() { stop_.request_stop(); }

 private:
  struct Known {
    Known(store::WriterPlace at, HttpClientSettings settings) : place(std::move(at)), pages(std::move(settings)) {}
    const store::WriterPlace place;
    HttpClient pages;
  };
  Result<HttpResponse> ask(const http::Request& request, HttpRequest out);

  const PrivateKey& server_key_;
  Clock& clock_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::shared_ptr<Known> known_;  // guarded by mutex_; null: nobody writes
};

}  // namespace greffe::web

#endif
