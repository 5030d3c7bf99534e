#include "archive/client/archive_channel.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::client {
namespace {

constexpr std::size_t kMaxDetail = 1000;  // of somebody else's words in our messages
constexpr int kElsewhere = 307;

// What the protocol's status codes mean to the caller (docs/formats/machine-protocol.md).
Errc code_of(int status) {
  switch (status) {
    case 401:
    case 403: return Errc::denied;
    case 404: return Errc::not_found;
    case 408:
    case 429:
    case 503: return Errc::unavailable;
    case 409: return Errc::conflict;
    case 422: return Errc::corrupt;
    case 507: return Errc::no_space;
    default: return status >= 500 ? Errc::io_error : Errc::invalid;
  }
}

// "https://a:8444, https://b:8444"; nothing when that is not exactly what it is.
std::vector<std::string> parse_nodes(std::string_view header) {
  constexpr std::string_view kBetween = ", ";
  std::vector<std::string> out;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(kBetween), header.size());
    out.emplace_back(header.substr(0, end));
    header.remove_prefix(std::min(end + kBetween.size(), header.size()));
    if (!is_https_origin(out.back()) || out.size() > kNodesMax) return {};
  }
  return out;
}

// Scheme, host and port of an address; what follows is what was asked for, and that we know.
std::string origin_of(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  const std::size_t path = url.starts_with(kScheme) ? url.find('/', kScheme.size()) : 0;
  return std::string(url.substr(0, path));
}

HttpClientSettings settings_of(const ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop) {
  HttpClientSettings settings;
  settings.stop = std::move(stop);
  settings.stall_timeout_s = endpoint.stall_timeout_s;
  settings.server_spki_sha256 = Bytes(endpoint.server_spki.bytes.begin(), endpoint.server_spki.bytes.end());
  settings.certificate_pem = identity.self_signed_certificate();
  settings.key_pem = identity.to_pem();
  return settings;
}

HttpClientSettings reached_at(const std::string& address, HttpClientSettings settings) {
  settings.base_url = address;
  return settings;
}

}  // namespace

// The words of a problem document; they go into messages and terminals, so without control characters.
std::string detail_of(const HttpResponse& response) {
  const Result<Json> problem = parse_json(response.body);
  if (!problem) return fmt::format("it answered with status {}", response.status);
  const Result<std::string> detail = problem->string("detail");
  if (!detail) return fmt::format("it answered with status {}", response.status);
  std::string out = *detail;
  if (out.size() > kMaxDetail) {
    std::size_t end = kMaxDetail;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;  // not within a character
    out.resize(end);
  }
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

ArchiveChannel::Node::Node(const std::string& at, HttpClientSettings with) : address(at), http(reached_at(at, std::move(with))) {}

ArchiveChannel::ArchiveChannel(ArchiveEndpoint endpoint, const PrivateKey& identity, std::stop_token stop)
    : endpoint_(std::move(endpoint)), own_key_(identity.public_key()), settings_(settings_of(endpoint_, identity, std::move(stop))), seen_epoch_(endpoint_.epoch),
      current_(std::make_shared<Node>(endpoint_.address, settings_)), nodes_(endpoint_.nodes) {}

Error ArchiveChannel::place(Error error) const { return error.within("the archive at " + address()); }
Error ArchiveChannel::refusal(const HttpResponse& response) const { return place(fail(code_of(response.status), detail_of(response))); }

std::vector<std::string> ArchiveChannel::nodes() const {
  const std::lock_guard lock(mutex_);
  return nodes_;
}

std::string ArchiveChannel::address() const {
  const std::lock_guard lock(mutex_);
  return current_->address;
}

std::shared_ptr<ArchiveChannel::Node> ArchiveChannel::node_at(const std::string& address) {
  {
    const std::lock_guard lock(mutex_);
    if (current_->address == address) return current_;
  }
  return std::make_shared<Node>(address, settings_);
}

std::optional<std::string> ArchiveChannel::next_address(const Tried& tried) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& address : nodes_) {
    if (!tried.contains(address)) return address;
  }
  return tried.contains(endpoint_.address) ? std::nullopt : std::optional(endpoint_.address);
}

void ArchiveChannel::answered(const std::shared_ptr<Node>& node, const HttpResponse& response) {
  std::vector<std::string> told = parse_nodes(response.header("greffe-nodes"));
  const std::lock_guard lock(mutex_);
  current_ = node;
  if (!told.empty()) nodes_ = std::move(told);
}

// A node that waits sends us on once; two that point at each other would do it for ever.
Result<HttpResponse> ArchiveChannel::ask(const std::shared_ptr<Node>& node, const HttpRequest& request, Tried& tried) {
  auto response = node->http.send(request);
  if (!response) {
    tried.insert(node->address);
    return response;
  }
  answered(node, *response);
  if (response->status != kElsewhere) return response;
  const std::string there = origin_of(response->header("location"));
  if (!is_https_origin(there)) return fail(Errc::invalid, "it sends this station on, but not to an address");
  if (tried.contains(there)) return fail(Errc::unavailable, "it sends this station on to " + there + ", which cannot be reached");
  const std::shared_ptr<Node> writer = node_at(there);
  auto again = writer->http.send(request);
  if (!again) {
    tried.insert(there);
    return again;
  }
  if (again->status == kElsewhere) return fail(Errc::unavailable, "its machines do not agree which one writes; in a moment they will");
  answered(writer, *again);
  return again;
}

// An archive that was replaced must not take recordings any more, whatever it believes itself.
Status ArchiveChannel::check_epoch(const HttpResponse& response) {
  const std::string text = response.header("greffe-epoch");
  if (text.empty()) {
    if (response.status >= 300) return ok();  // refused before it got to the archive
    return fail(Errc::invalid, "the answer has no Greffe-Epoch; is this an archive's machine address?");
  }
  const Result<std::uint64_t> epoch = parse_decimal(text);
  if (!epoch) return fail(Errc::invalid, "the Greffe-Epoch of the answer is not a number");
  std::uint64_t known = seen_epoch_.load();
  if (*epoch < known) {
    return fail(Errc::denied, fmt::format("it is of epoch {}, but epoch {} has begun: another archive has taken its place. "
                                          "Enrol there", *epoch, known));
  }
  while (known < *epoch && !seen_epoch_.compare_exchange_weak(known, *epoch)) {
  }
  return ok();
}

Result<HttpResponse> ArchiveChannel::send(HttpRequest request, const std::function<bool()>& begin_anew) {
  request.headers.emplace_back("Greffe-Epoch", std::to_string(seen_epoch_.load()));
  if (endpoint_.copies_epoch > 1) request.headers.emplace_back("Greffe-Copies-Epoch", std::to_string(endpoint_.copies_epoch));
  Tried tried;
  std::shared_ptr<Node> node;
  {
    const std::lock_guard lock(mutex_);
    node = current_;
  }
  Result<HttpResponse> response = ask(node, request, tried);
  // What has come of an answer's body is with the caller already.
  while (!response && response.error().code == Errc::unavailable && (!request.on_body || begin_anew)) {
    tried.insert(node->address);
    const auto next = next_address(tried);
    if (!next || (begin_anew && !begin_anew())) break;
    node = node_at(*next);
    response = ask(node, request, tried);
  }
  if (!response) return response;
  const Status epoch = check_epoch(*response);
  if (!epoch) return place(epoch.error());
  return response;
}

Result<HttpResponse> ArchiveChannel::get(std::string path, std::uint64_t max_bytes) {
  HttpRequest request;
  request.path = std::move(path);
  request.max_response_bytes = max_bytes;
  return send(std::move(request));
}

Result<HttpResponse> ArchiveChannel::post(std::string path, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.path = std::move(path);
  request.body = std::move(body);
  request.headers.emplace_back("Content-Type", "application/json");
  request.max_response_bytes = kMaxAnswerBytes;
  return send(std::move(request));
}

}  // namespace greffe::client
