// How a request gets to an archive, and what its answer means: which of its machines is asked (archive_client.h), which epoch is told and
// believed. Thread-safe.
#ifndef GREFFE_ARCHIVE_CLIENT_ARCHIVE_CHANNEL_H
#define GREFFE_ARCHIVE_CLIENT_ARCHIVE_CHANNEL_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/http_client.h"
#include "archive/client/archive_endpoint.h"
#include "archive/format/ed25519.h"

namespace greffe::client {

constexpr std::uint64_t kMaxAnswerBytes = 1024 * 1024;  // of one that says how long it may be nowhere else

class ArchiveChannel {
 public:
  ArchiveChannel(ArchiveEndpoint endpoint, const PrivateKey& identity, std::stop_token stop);

  // Any answer of any status. `begin_anew`: forgets what came of an answer's body, which will come again; false: it is too late for that.
  Result<HttpResponse> send(HttpRequest request, const std::function<bool()>& begin_anew = {});
  Result<HttpResponse> get(std::string path, std::uint64_t max_bytes = kMaxAnswerBytes);
  Result<HttpResponse> post(std::string path, std::string body);

  Error place(Error error) const;                      // with the address of who answered
  Error refusal(const HttpResponse& response) const;   // what a status that is no success means to the caller
  const PublicKey& own_key() const { return own_key_; }
  std::uint64_t seen_epoch() const { return seen_epoch_.load(); }
  std::vector<std::string> nodes() const;

 private:
  // One machine of the archive, with its connections.
  struct Node {
    Node(const std::string& at, HttpClientSettings with);
    const std::string address;
    HttpClient http;
  };
  using Tried = std::set<std::string>;  // addresses that gave no answer to this call
  Result<HttpResponse> ask(const std::shared_ptr<Node>& node, const HttpRequest& request, Tried& tried);
  std::shared_ptr<Node> node_at(const std::string& address);
  std::optional<std::string> next_address(const Tried& tried) const;
  void answered(const std::shared_ptr<Node>& node, const HttpResponse& response);
  std::string address() const;
  Status check_epoch(const HttpResponse& response);

  const ArchiveEndpoint endpoint_;
  const PublicKey own_key_;
  const HttpClientSettings settings_;      // of every node, but for its address
  std::atomic<std::uint64_t> seen_epoch_;  // the highest one; never below that of the endpoint
  mutable std::mutex mutex_;               // guards the two below; a leaf
  std::shared_ptr<Node> current_;          // which answered last
  std::vector<std::string> nodes_;
};

// The words of a problem document; they go into messages and terminals, so without control characters.
std::string detail_of(const HttpResponse& response);

}  // namespace greffe::client

#endif
