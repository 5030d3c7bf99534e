#include "archive/store/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "archive/format/digest.h"

namespace greffe::store {
namespace {

constexpr int kReadTries = 3;
constexpr std::chrono::milliseconds kFirstPause(100);
constexpr std::size_t kCredentialBytesMax = 256;

// The caller's bytes as the body of a request.
class ViewFile : public ReadableFile {
 public:
  explicit ViewFile(ByteView bytes) : bytes_(bytes) {}
  Result<std::uint64_t> size() override { return std::uint64_t{bytes_.size()}; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t n = std::min(out.size(), bytes_.size() - static_cast<std::size_t>(offset));
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }
  int descriptor() const override { return -1; }

 private:
  const ByteView bytes_;
};

// libcurl signs the query as it stands, so it must be encoded as the service will do it: the slash too.
std::string in_query(std::string_view text) {
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kPlain.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

HttpClientSettings client_settings(const S3Settings& settings) {
  HttpClientSettings out;
  out.base_url = settings.endpoint;
  out.ca_pem = settings.ca_pem;
  out.stall_timeout_s = settings.stall_timeout_s;
  out.signing = RequestSigning{settings.region, settings.access_key, settings.secret_key};
  return out;
}

bool is_good(const HttpResponse& response) { return response.status >= 200 && response.status < 300; }

}  // namespace

Result<S3Credentials> parse_s3_credentials(std::string_view text) {
  const std::size_t line = text.find('\n');
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (line == std::string_view::npos || line >= text.size()) return fail(Errc::invalid, "the access key and the secret key belong on two lines");
  S3Credentials out{std::string(text.substr(0, line)), std::string(text.substr(line + 1))};
  for (const std::string* part : {&out.access_key, &out.secret_key}) {
    const bool plain = std::all_of(part->begin(), part->end(), [](char c) { return c > ' ' && c <= '~'; });
    if (part->empty() || part->size() > kCredentialBytesMax || !plain) return fail(Errc::invalid, "a key has 1 to 256 visible ASCII characters");
  }
  return out;
}

S3Client::S3Client(const S3Settings& settings)
    : bucket_(settings.bucket), quoted_etags_(settings.quoted_etags), http_(client_settings(settings)) {}

HttpRequest S3Client::request(std::string method, std::string_view key) const {
  HttpRequest out;
  out.method = std::move(method);
  out.path = fmt::format("/{}/{}", bucket_, key);
  out.headers.emplace_back("x-amz-content-sha256", sha256({}).hex());
  out.max_response_bytes = kS3AnswerBytesMax;
  return out;
}

Error S3Client::error_of(const HttpResponse& response, const HttpRequest& request) const {
  const auto fault = parse_s3_fault(response.body);  // a HEAD has no body, a broken gateway sends a page
  const std::string code = fault ? fault->code : std::string();
  const std::string what = fmt::format("{} {} was answered {}{}{}", request.method, request.path, response.status,
                                       code.empty() ? "" : " " + code, fault && !fault->message.empty() ? ": " + fault->message : "");
  if (code == "QuotaExceeded" || response.status == 507) return fail(Errc::no_space, what);
  if (code == "BucketAlreadyOwnedByYou") return fail(Errc::already_exists, what);
  if (code == "NoSuchBucket") return fail(Errc::invalid, what + "; make the bucket, or correct its name");
  switch (response.status) {
    case 404: return fail(Errc::not_found, what);
    case 412: return fail(Errc::conflict, what);
    case 401:
    case 403: return fail(Errc::denied, what + "; look at the keys, their rights and this machine's clock");
    case 408:
    case 409:  // another conditional write is under way
    case 425:
    case 429: return fail(Errc::unavailable, what);
    default: return fail(response.status >= 500 ? Errc::unavailable : Errc::invalid, what);
  }
}

Result<HttpResponse> S3Client::send(const HttpRequest& request) {
  HttpResponse response = GREFFE_TRY(http_.send(request));
  if (!is_good(response)) return error_of(response, request);
  return response;
}

Result<HttpResponse> S3Client::send_read(const HttpRequest& request) {
  for (int i = 1;; ++i) {
    auto response = send(request);
    if (response || response.error().code != Errc::unavailable || i == kReadTries) return response;
    std::this_thread::sleep_for(kFirstPause * i);
  }
}

Result<S3Value> S3Client::get(std::string_view key, std::uint64_t limit) {
  S3Value out;
  HttpRequest asked = request("GET", key);
  asked.max_response_bytes = limit;
  for (int i = 1;; ++i) {  // the bytes of a try that broke off are dropped
    out.bytes.clear();
    asked.on_body = [&](ByteView piece) {
      out.bytes.insert(out.bytes.end(), piece.begin(), piece.end());
      return ok();
    };
    const auto response = send(asked);
    if (response) {
      out.etag = without_quotes(response->header("etag"));
      return out;
    }
    if (response.error().code != Errc::unavailable || i == kReadTries) return response.error();
    std::this_thread::sleep_for(kFirstPause * i);
  }
}

Status S3Client::get_range(std::string_view key, std::uint64_t offset, std::span<std::uint8_t> out) {
  HttpRequest asked = request("GET", key);
  asked.headers.emplace_back("range", fmt::format("bytes={}-{}", offset, offset + out.size() - 1));
  asked.max_response_bytes = std::max<std::uint64_t>(out.size(), 65536);  // or an error's text
  const HttpResponse response = GREFFE_TRY(send_read(asked));
  if (response.status != 206 || response.body.size() != out.size()) {
    return fail(Errc::corrupt, fmt::format("{} of {} bytes was answered {} with {} bytes", asked.path, out.size(), response.status, response.body.size()));
  }
  std::copy(response.body.begin(), response.body.end(), out.begin());
  return ok();
}

Result<std::uint64_t> S3Client::size(std::string_view key) {
  const HttpResponse response = GREFFE_TRY(send_read(request("HEAD", key)));
  auto size = parse_decimal(response.header("content-length"));
  if (!size) return fail(Errc::invalid, fmt::format("{} was answered without its size", key));
  return size;
}

Result<S3Listing> S3Client::list(std::string_view prefix, std::string_view after) {
  HttpRequest asked = request("GET", "");
  asked.path += fmt::format("?list-type=2&max-keys=1000&prefix={}", in_query(prefix));
  if (!after.empty()) asked.path += "&start-after=" + in_query(after);
  const HttpResponse response = GREFFE_TRY(send_read(asked));
  auto listing = parse_s3_listing(response.body);
  if (!listing) return std::move(listing).error().within("the listing of " + std::string(prefix));
  return listing;
}

Status S3Client::put(std::string_view key, ByteView bytes, const S3Condition& condition, const std::optional<S3Retention>& retention) {
  HttpRequest asked = request("PUT", key);
  const Digest digest = sha256(bytes);
  asked.headers.front().second = digest.hex();  // the service checks it: nothing is stored that changed on the way
  if (retention) {
    // A checksum of its own is asked for with these, for which the hash above does not count.
    asked.headers.emplace_back("x-amz-checksum-sha256", to_base64(digest.bytes));
    asked.headers.emplace_back("x-amz-object-lock-mode", retention->mode);
    asked.headers.emplace_back("x-amz-object-lock-retain-until-date", to_text(UtcTime{retention->until.ms / 1000 * 1000}));
  }
  if (condition.if_absent) asked.headers.emplace_back("if-none-match", "*");
  if (!condition.if_etag.empty()) {
    asked.headers.emplace_back("if-match", quoted_etags_ ? '"' + condition.if_etag + '"' : condition.if_etag);
  }
  asked.body_file = std::make_shared<ViewFile>(bytes);
  const auto done = send(asked);
  if (done) return ok();
  // That there is nothing (any more) to compare with: the condition does not hold.
  if (done.error().code == Errc::not_found && !condition.if_etag.empty()) return fail(Errc::conflict, done.error().message);
  return done.error();
}

Status S3Client::remove(std::string_view key) {
  const auto done = send(request("DELETE", key));
  if (done || done.error().code == Errc::not_found) return ok();
  return done.error();
}

Result<bool> S3Client::has_object_lock() {
  HttpRequest asked = request("GET", "");
  asked.path += "?object-lock=";
  const auto first = http_.send(asked);
  const bool unknown = first && (first->status == 400 || first->status == 405 || first->status == 501);
  if (unknown) return false;
  const auto response = first && is_good(*first) ? first : send_read(asked);
  if (!response && response.error().code == Errc::not_found) return false;
  if (!response) return response.error();
  return parse_s3_object_lock(response->body);
}

Status S3Client::make_bucket(Lock lock) {
  HttpRequest asked = request("PUT", "");
  if (lock == Lock::with_object_lock) asked.headers.emplace_back("x-amz-bucket-object-lock-enabled", "true");
  asked.body_file = std::make_shared<ViewFile>(ByteView());
  const auto done = send(asked);
  return done || done.error().code == Errc::already_exists ? ok() : Status(done.error());
}

}  // namespace greffe::store
