#include "archive/base/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>

namespace greffe {
namespace {

constexpr std::size_t kMaxHeadBytes = 64 * 1024;
constexpr std::size_t kKeptHandles = 16;
constexpr long kBufferBytes = 256 * 1024;
// Below the 60 s after which our servers close an idle connection: a request on a connection that is just being closed
// would fail for nothing.
constexpr long kMaxIdleConnection_s = 45;
constexpr std::string_view kUnixScheme = "http+unix://";

constexpr int kLongestWait_ms = 1000;
constexpr int kProbeAfter_s = 4;  // of silence on a connection that waits for an answer
constexpr int kProbeEvery_s = 2;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
// One call at a time, with the connections that it keeps. The loop around it is ours, because another thread can wake it.
struct Handle {
  std::unique_ptr<CURLM, FreeMulti> multi;
  std::unique_ptr<CURL, FreeEasy> easy;
  explicit operator bool() const { return multi != nullptr && easy != nullptr; }
  CURL* get() const { return easy.get(); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

bool curl_is_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;  // once, thread-safe
  return ready;
}

// For messages: an address may carry a password, which must not reach a log.
std::string without_secrets(const std::string& url) {
  const auto scheme = url.find("://");
  const auto start = scheme == std::string::npos ? 0 : scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", start), url.size());
  if (url.starts_with(kUnixScheme)) return url;
  const auto at = url.substr(start, end - start).rfind('@');
  const auto host = at == std::string::npos ? start : start + at + 1;
  return url.substr(0, start) + url.substr(host, end - host);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// What one call collects. Used by libcurl's callbacks on the calling thread only.
struct Exchange {
  const HttpRequest& request;
  CURL* handle;
  HttpResponse response;
  std::size_t head_bytes = 0;
  bool head_is_whole = false;  // libcurl calls a head that breaks off a success
  std::uint64_t body_bytes = 0;
  std::uint64_t file_offset = 0;
  std::uint64_t file_size = 0;
  std::optional<Error> failure;  // ours, which explains why libcurl was told to stop
};

std::size_t on_header(char* data, std::size_t one, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  std::string_view line(data, one * size);
  exchange.head_bytes += line.size();
  if (exchange.head_bytes > kMaxHeadBytes) {
    exchange.failure = fail(Errc::invalid, "the head of the answer is larger than 64 KiB");
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // a new response: 100 Continue comes before the real one
    exchange.response.headers.clear();
    exchange.head_is_whole = false;
    return size * one;
  }
  if (line == "\r\n" || line == "\n") exchange.head_is_whole = true;
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    const auto first = value.find_first_not_of(" \t");
    const auto last = value.find_last_not_of(" \t\r\n");
    value = first == std::string_view::npos || last == std::string_view::npos || last < first
                ? std::string_view()
                : value.substr(first, last - first + 1);
    exchange.response.headers.emplace(lower_case(line.substr(0, colon)), std::string(value));
  }
  return size * one;
}

std::size_t on_body(char* data, std::size_t one, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view piece(data, one * size);
  exchange.body_bytes += piece.size();
  if (exchange.body_bytes > exchange.request.max_response_bytes) {
    exchange.failure = fail(Errc::invalid, fmt::format("the answer is larger than {} bytes",
                                                       exchange.request.max_response_bytes));
    return 0;
  }
  long status = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.request.on_body && status >= 200 && status < 300) {
    const Status taken = exchange.request.on_body(as_bytes(piece));
    if (!taken) {
      exchange.failure = taken.error();
      return 0;
    }
  } else {
    exchange.response.body += piece;
  }
  return one * size;
}

std::size_t on_read(char* out, std::size_t one, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  auto want = static_cast<std::size_t>(std::min<std::uint64_t>(one * size, exchange.file_size - exchange.file_offset));
  if (want == 0) return 0;
  if (exchange.request.pace) {
    const Result<std::size_t> allowed = exchange.request.pace(want);
    if (!allowed) {
      exchange.failure = allowed.error();
      return CURL_READFUNC_ABORT;
    }
    want = std::min(want, *allowed);
  }
  const std::span<std::uint8_t> room(reinterpret_cast<std::uint8_t*>(out), want);
  const Result<std::size_t> got = exchange.request.body_file->read_at(exchange.file_offset, room);
  if (!got || *got == 0) {
    exchange.failure = got ? fail(Errc::io_error, "the file that is sent became shorter meanwhile") : got.error();
    return CURL_READFUNC_ABORT;
  }
  exchange.file_offset += *got;
  return *got;
}

// A line that is gone gives no error by itself for many minutes.
int on_socket(void* context, curl_socket_t socket, curlsocktype) {
  const auto dead_s = *static_cast<const unsigned*>(context);
  int family = 0;
  socklen_t size = sizeof family;
  if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family == AF_UNIX) return CURL_SOCKOPT_OK;
  const auto set = [&](int level, int option, int value) { (void)setsockopt(socket, level, option, &value, sizeof value); };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfter_s);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kProbeEvery_s);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(dead_s * 1000));
  return CURL_SOCKOPT_OK;
}

// libcurl goes back to the start when a kept connection turned out to be dead before the server saw the request.
int on_seek(void* context, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  exchange.file_offset = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

bool names_certificate_alert(std::string_view text) {
  for (const std::string_view alert : {"alert certificate required", "alert bad certificate", "alert unknown ca",
                                       "alert certificate unknown", "alert unsupported certificate",
                                       "alert access denied", "alert handshake failure"}) {
    if (text.find(alert) != std::string_view::npos) return true;
  }
  return false;
}

// The one place where libcurl's codes become ours.
Error error_of(CURLcode code, std::string_view details, const std::string& where) {
  if (code == CURLE_SSL_CLIENTCERT || names_certificate_alert(details)) {
    return fail(Errc::denied, fmt::format("{} refused this machine's key; it must be enrolled there", where));
  }
  const std::string_view reason = details.empty() ? std::string_view(curl_easy_strerror(code)) : details;
  switch (code) {
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return fail(Errc::denied, fmt::format("{} shows another key than the one that was pinned at enrolment; nothing was "
                                            "sent to it. If the server's key was changed on purpose, enrol again", where));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return fail(Errc::denied, fmt::format("the certificate of {} is not trusted: {}", where, reason));
    case CURLE_SSL_CERTPROBLEM:
      return fail(Errc::invalid, fmt::format("this machine's own certificate or key cannot be used: {}", reason));
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      return fail(Errc::unavailable, fmt::format("{} cannot be reached: {}", where, reason));
    case CURLE_OPERATION_TIMEDOUT:
      return fail(Errc::unavailable, fmt::format("{} does not answer: {}", where, reason));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_LOGIN_DENIED:
    case CURLE_NOT_BUILT_IN:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
      return fail(Errc::invalid, fmt::format("{} is not an address that can be used: {}", where, reason));
    case CURLE_WEIRD_SERVER_REPLY:
      return fail(Errc::invalid, fmt::format("{} does not speak HTTP: {}", where, reason));
    default: return fail(Errc::unavailable, fmt::format("the connection to {} broke: {}", where, reason));
  }
}

void set_blob(CURL* handle, CURLoption option, const std::string& bytes) {
  curl_blob blob{};
  blob.data = const_cast<char*>(bytes.data());  // libcurl's type; CURL_BLOB_NOCOPY only reads it
  blob.len = bytes.size();
  blob.flags = CURL_BLOB_NOCOPY;  // the settings live as long as the handles
  curl_easy_setopt(handle, option, &blob);
}

}  // namespace

struct HttpClient::State {
  explicit State(HttpClientSettings given) : settings(std::move(given)) {
    if (settings.base_url.starts_with(kUnixScheme)) {
      unix_path = settings.base_url.substr(kUnixScheme.size());
      url = "http://localhost";
    } else {
      url = settings.base_url;
      while (url.ends_with('/')) url.pop_back();
    }
    where = without_secrets(settings.base_url);
    if (!settings.server_spki_sha256.empty()) pin = "sha256//" + to_base64(settings.server_spki_sha256);
  }

  Handle borrow();
  void give_back(Handle handle);
  void set_up_connection(CURL* handle) const;
  void set_up_tls(CURL* handle) const;
  Status set_up_request(Exchange& exchange, List& headers) const;
  std::optional<CURLcode> perform(const Handle& handle) const;

  const HttpClientSettings settings;
  std::string url;
  std::string unix_path;
  std::string where;  // for messages
  std::string pin;
  std::mutex mutex;
  std::vector<Handle> idle;  // guarded by mutex; each keeps its connection
};

Handle HttpClient::State::borrow() {
  const std::lock_guard lock(mutex);
  if (idle.empty()) {
    Handle fresh;
    if (!curl_is_ready()) return fresh;
    fresh.multi.reset(curl_multi_init());
    fresh.easy.reset(curl_easy_init());
    return fresh;
  }
  Handle handle = std::move(idle.back());  // the one used last: its connection is the likeliest to be alive
  idle.pop_back();
  curl_easy_reset(handle.get());
  return handle;
}

void HttpClient::State::give_back(Handle handle) {
  const std::lock_guard lock(mutex);
  if (idle.size() < kKeptHandles) idle.push_back(std::move(handle));
}

void HttpClient::State::set_up_connection(CURL* handle) const {
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // no proxy that the environment names sees these requests
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(handle, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings.connect_timeout_s));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.stall_timeout_s));
  curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, on_socket);
  curl_easy_setopt(handle, CURLOPT_SOCKOPTDATA, const_cast<unsigned*>(&settings.dead_line_timeout_s));  // only read
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);  // a stop does not wait for a name server
  curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, kMaxIdleConnection_s);
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  if (!unix_path.empty()) curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, unix_path.c_str());
  if (settings.signing) {
    curl_easy_setopt(handle, CURLOPT_AWS_SIGV4, ("aws:amz:" + settings.signing->region + ":s3").c_str());
    curl_easy_setopt(handle, CURLOPT_USERNAME, settings.signing->access_key.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, settings.signing->secret_key.c_str());
  }
}

void HttpClient::State::set_up_tls(CURL* handle) const {
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3);
  if (!pin.empty()) {
    // The pin is the whole trust: it holds for exactly one key, whatever the certificate says. With VERIFYPEER off
    // libcurl still compares it, before anything is sent.
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(handle, CURLOPT_PINNEDPUBLICKEY, pin.c_str());
  } else if (!settings.ca_pem.empty()) {
    set_blob(handle, CURLOPT_CAINFO_BLOB, settings.ca_pem);
  }
  if (!settings.certificate_pem.empty()) {
    curl_easy_setopt(handle, CURLOPT_SSLCERTTYPE, "PEM");
    set_blob(handle, CURLOPT_SSLCERT_BLOB, settings.certificate_pem);
    curl_easy_setopt(handle, CURLOPT_SSLKEYTYPE, "PEM");
    set_blob(handle, CURLOPT_SSLKEY_BLOB, settings.key_pem);
  }
}

Status HttpClient::State::set_up_request(Exchange& exchange, List& headers) const {
  const HttpRequest& request = exchange.request;
  CURL* handle = exchange.handle;
  if (!request.path.starts_with('/')) {
    return fail(Errc::invalid, "the path of a request must start with a slash");
  }
  curl_easy_setopt(handle, CURLOPT_URL, (url + request.path).c_str());
  bool has_content_type = false;
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return fail(Errc::invalid, fmt::format("the header {} has a line break", lower_case(name)));
    }
    has_content_type = has_content_type || lower_case(name) == "content-type";
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  }
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  } else if (request.body_file != nullptr) {
    const Result<std::uint64_t> size = request.body_file->size();
    if (!size) return size.error();
    exchange.file_size = *size;
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*size));
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(handle, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(handle, CURLOPT_SEEKDATA, &exchange);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    // libcurl would call it a form.
    if (!has_content_type) headers.reset(curl_slist_append(headers.release(), "Content-Type:"));
  } else {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    if (request.method != "GET") curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  return ok();
}

std::string HttpResponse::header(std::string_view lower_case_name) const {
  const auto found = headers.find(std::string(lower_case_name));
  return found == headers.end() ? std::string() : found->second;
}

// Nothing: stopped.
std::optional<CURLcode> HttpClient::State::perform(const Handle& handle) const {
  CURLM* const multi = handle.multi.get();
  if (curl_multi_add_handle(multi, handle.get()) != CURLM_OK) return CURLE_FAILED_INIT;
  std::optional<CURLcode> out;
  {
    const std::stop_callback wake(settings.stop, [multi] { curl_multi_wakeup(multi); });
    int running = 1;
    while (running > 0 && !settings.stop.stop_requested()) {
      const CURLMcode done = curl_multi_perform(multi, &running);
      if (done != CURLM_OK) {
        out = CURLE_FAILED_INIT;
        break;
      }
      if (running > 0) curl_multi_poll(multi, nullptr, 0, kLongestWait_ms, nullptr);
    }
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) out = message->data.result;
  }
  curl_multi_remove_handle(multi, handle.get());
  return out;
}

HttpClient::HttpClient(HttpClientSettings settings) : state_(std::make_unique<State>(std::move(settings))) {}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  Handle handle = state_->borrow();
  if (!handle) return fail(Errc::unavailable, "libcurl cannot be started; is there memory left?");
  Exchange exchange{request, handle.get(), {}, 0, false, 0, 0, 0, std::nullopt};
  List headers;
  char details[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, details);
  state_->set_up_connection(handle.get());
  state_->set_up_tls(handle.get());
  GREFFE_TRY(state_->set_up_request(exchange, headers));
  const std::optional<CURLcode> code = state_->perform(handle);
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_reset(handle.get());  // nothing of this call's memory may be reachable from a kept handle
  if (exchange.failure) return exchange.failure->within(fmt::format("{} at {}", request.method, state_->where));
  if (!code) return fail(Errc::cancelled, fmt::format("the exchange with {} was broken off, as was asked for", state_->where));
  if (*code != CURLE_OK) return error_of(*code, details, state_->where);
  if (!exchange.head_is_whole) return error_of(CURLE_PARTIAL_FILE, "its answer is cut off", state_->where);
  exchange.response.status = static_cast<int>(status);
  state_->give_back(std::move(handle));
  return std::move(exchange.response);
}

}  // namespace greffe
