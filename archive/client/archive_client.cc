#include "archive/client/archive_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "archive/client/object_body.h"
#include "archive/format/tiles.h"

namespace greffe::client {
namespace {

constexpr std::size_t kMaxDigests = 4096;
constexpr std::uint64_t kMaxEntriesBytes = 16 * 1024 * 1024;
constexpr std::uint64_t kMaxAnswerBytes = 1024 * 1024;
constexpr std::size_t kMaxPieceEntries = 65'536;
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

Error refusal(const HttpResponse& response) { return fail(code_of(response.status), detail_of(response)); }

Result<std::vector<Digest>> digests_of(const Json& body, std::string_view key) {
  const std::vector<std::string> texts = GREFFE_TRY(body.strings(key));
  std::vector<Digest> out;
  for (const std::string& text : texts) out.push_back(GREFFE_TRY(digest_from_hex(text)));
  return out;
}

Json json_of(const std::vector<Digest>& digests) {
  Json::Array out;
  for (const Digest& digest : digests) out.emplace_back(digest);
  return Json(std::move(out));
}

Result<EntriesRefused> parse_refused(const HttpResponse& response) {
  const Json body = GREFFE_TRY(parse_json(response.body));
  EntriesRefused refused;
  refused.detail = detail_of(response);
  if (body.has("held_size")) refused.held_size = GREFFE_TRY(body.size("held_size"));
  if (body.has("missing")) refused.missing = GREFFE_TRY(digests_of(body, "missing"));
  if (!refused.held_size && refused.missing.empty()) return refusal(response);
  return refused;
}

Result<KnownThere> parse_known(const HttpResponse& response) {
  const Json answer = GREFFE_TRY(parse_json(response.body));
  KnownThere out;
  out.held_size = GREFFE_TRY(answer.size("held_size"));
  out.known_size = GREFFE_TRY(answer.size("known_size"));
  out.known_root = GREFFE_TRY(answer.digest("known_root"));
  if (out.known_size < out.held_size) return fail(Errc::invalid, "it says that it holds more than it knows");
  return out;
}

bool is_diverged(const HttpResponse& response) {
  const Result<Json> problem = parse_json(response.body);
  const Result<std::string> code = problem ? problem->string("code") : Result<std::string>(problem.error());
  return code && *code == "diverged";
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

std::string LogTarget::path() const {
  if (const auto* hearing = std::get_if<HearingId>(&log)) return "/v1/hearings/" + hearing->text();
  return "/v1/" + foreign_log_path(std::get<std::string>(log));
}

struct ArchiveClient::State {
  State(ArchiveEndpoint given, const PrivateKey& identity, std::stop_token stop)
      : endpoint(std::move(given)), own_key(identity.public_key()), settings(settings_of(endpoint, identity, std::move(stop))), seen_epoch(endpoint.epoch),
        current(std::make_shared<Node>(endpoint.address, settings)), nodes(endpoint.nodes) {}

  // One machine of the archive, with its connections.
  struct Node {
    Node(const std::string& at, HttpClientSettings with) : address(at), http(reached_at(at, std::move(with))) {}
    const std::string address;
    HttpClient http;
  };
  using Tried = std::set<std::string>;  // addresses that gave no answer to this call

  // `begin_anew`: forgets what came of an answer's body, which will come again; false: it is too late for that.
  Result<HttpResponse> send(HttpRequest request, const std::function<bool()>& begin_anew = {});
  Result<HttpResponse> post(std::string path, std::string body);
  Result<HttpResponse> ask(const std::shared_ptr<Node>& node, const HttpRequest& request, Tried& tried);
  std::shared_ptr<Node> node_at(const std::string& address);
  std::optional<std::string> next_address(const Tried& tried) const;
  void answered(const std::shared_ptr<Node>& node, const HttpResponse& response);
  std::string address() const;
  Status check_epoch(const HttpResponse& response);
  Error place(Error error) const { return error.within("the archive at " + address()); }

  const ArchiveEndpoint endpoint;
  const PublicKey own_key;
  const HttpClientSettings settings;      // of every node, but for its address
  std::atomic<std::uint64_t> seen_epoch;  // the highest one; never below endpoint.epoch
  mutable std::mutex mutex;               // guards the two below; a leaf
  std::shared_ptr<Node> current;          // which answered last
  std::vector<std::string> nodes;
};

std::string ArchiveClient::State::address() const {
  const std::lock_guard lock(mutex);
  return current->address;
}

std::shared_ptr<ArchiveClient::State::Node> ArchiveClient::State::node_at(const std::string& address) {
  {
    const std::lock_guard lock(mutex);
    if (current && current->address == address) return current;
  }
  return std::make_shared<Node>(address, settings);
}

std::optional<std::string> ArchiveClient::State::next_address(const Tried& tried) const {
  const std::lock_guard lock(mutex);
  for (const std::string& address : nodes) {
    if (!tried.contains(address)) return address;
  }
  return tried.contains(endpoint.address) ? std::nullopt : std::optional(endpoint.address);
}

void ArchiveClient::State::answered(const std::shared_ptr<Node>& node, const HttpResponse& response) {
  std::vector<std::string> told = parse_nodes(response.header("greffe-nodes"));
  const std::lock_guard lock(mutex);
  current = node;
  if (!told.empty()) nodes = std::move(told);
}

// A node that waits sends us on once; two that point at each other would do it for ever.
Result<HttpResponse> ArchiveClient::State::ask(const std::shared_ptr<Node>& node, const HttpRequest& request, Tried& tried) {
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
Status ArchiveClient::State::check_epoch(const HttpResponse& response) {
  const std::string text = response.header("greffe-epoch");
  if (text.empty()) {
    if (response.status >= 300) return ok();  // refused before it got to the archive
    return fail(Errc::invalid, "the answer has no Greffe-Epoch; is this an archive's machine address?");
  }
  const Result<std::uint64_t> epoch = parse_decimal(text);
  if (!epoch) return fail(Errc::invalid, "the Greffe-Epoch of the answer is not a number");
  std::uint64_t known = seen_epoch.load();
  if (*epoch < known) {
    return fail(Errc::denied, fmt::format("it is of epoch {}, but epoch {} has begun: another archive has taken its place. "
                                          "Enrol there", *epoch, known));
  }
  while (known < *epoch && !seen_epoch.compare_exchange_weak(known, *epoch)) {
  }
  return ok();
}

Result<HttpResponse> ArchiveClient::State::send(HttpRequest request, const std::function<bool()>& begin_anew) {
  request.headers.emplace_back("Greffe-Epoch", std::to_string(seen_epoch.load()));
  if (endpoint.copies_epoch > 1) request.headers.emplace_back("Greffe-Copies-Epoch", std::to_string(endpoint.copies_epoch));
  Tried tried;
  std::shared_ptr<Node> node;
  {
    const std::lock_guard lock(mutex);
    node = current;
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

Result<HttpResponse> ArchiveClient::State::post(std::string path, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.path = std::move(path);
  request.body = std::move(body);
  request.headers.emplace_back("Content-Type", "application/json");
  request.max_response_bytes = kMaxAnswerBytes;
  return send(std::move(request));
}

ArchiveClient::ArchiveClient(ArchiveEndpoint endpoint, const PrivateKey& identity, std::stop_token stop)
    : state_(std::make_unique<State>(std::move(endpoint), identity, std::move(stop))) {}

ArchiveClient::~ArchiveClient() = default;

std::uint64_t ArchiveClient::server_epoch() const { return state_->seen_epoch.load(); }

std::vector<std::string> ArchiveClient::nodes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->nodes;
}

Result<Json> ArchiveClient::enrol(const EnrolmentCode& code, const PublicKey& key) {
  // The archive enrols the key that the handshake proves, so it must be the caller's.
  if (key != state_->own_key) return fail(Errc::invalid, "only this client's own key can be enrolled through it");
  Json body;
  body.set("name", code.name).set("role", code.role).set("secret", code.secret);
  const HttpResponse response = GREFFE_TRY(state_->post("/v1/enrol", write_json(body)));
  if (response.status != 200) return state_->place(refusal(response));
  return parse_json(response.body);
}

Result<std::vector<Digest>> ArchiveClient::have(const LogTarget& log, const std::vector<Digest>& digests) {
  if (digests.size() > kMaxDigests) return fail(Errc::invalid, "at most 4,096 digests can be asked for at once");
  Json body;
  body.set("digests", json_of(digests));
  const HttpResponse response = GREFFE_TRY(state_->post(log.path() + "/have", write_json(body)));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  std::vector<Digest> missing = GREFFE_TRY(digests_of(answer, "missing"));
  // An archive that names what was not asked for would make the sender look for strangers' objects.
  for (const Digest& digest : missing) {
    if (std::find(digests.begin(), digests.end(), digest) == digests.end()) {
      return state_->place(fail(Errc::invalid, "it misses an object that it was not asked about"));
    }
  }
  return missing;
}

Status ArchiveClient::put_object(const LogTarget& log, const Digest& digest, std::shared_ptr<ReadableFile> bytes,
                                 std::function<Result<std::size_t>(std::size_t)> pace) {
  HttpRequest request;
  request.pace = std::move(pace);
  request.method = "PUT";
  request.path = log.path() + "/objects/" + digest.hex();
  request.body_file = std::move(bytes);
  request.headers.emplace_back("Content-Type", "application/octet-stream");
  request.max_response_bytes = kMaxAnswerBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status == 200 || response.status == 201) return ok();
  return state_->place(refusal(response)).within("object " + digest.hex());
}

Status ArchiveClient::put_object(const LogTarget& log, const Digest& digest, ByteView bytes) {
  return put_object(log, digest, std::make_shared<ObjectBody>(bytes));
}

Result<std::variant<std::string, EntriesRefused>> ArchiveClient::post_entries(const LogTarget& log, std::uint64_t first,
                                                                              const std::vector<std::string>& entries,
                                                                              std::string_view checkpoint_note,
                                                                              const std::vector<ShownEntry>& shown) {
  Json::Array texts;
  for (const std::string& entry : entries) texts.emplace_back(entry);
  Json body;
  body.set("checkpoint", checkpoint_note).set("entries", std::move(texts)).set("first", first);
  Json::Array ahead;
  for (const ShownEntry& one : shown) ahead.push_back(Json().set("entry", one.entry).set("proof", one.proof));
  if (!ahead.empty()) body.set("shown", std::move(ahead));
  std::string bytes = write_json(body);
  if (bytes.size() > kMaxEntriesBytes) {
    return fail(Errc::invalid, fmt::format("{} entries are more than one request takes (16 MiB); send up to a smaller "
                                           "checkpoint first", entries.size()));
  }
  const HttpResponse response = GREFFE_TRY(state_->post(log.path() + "/entries", std::move(bytes)));
  using Answer = std::variant<std::string, EntriesRefused>;
  if (response.status == 400 && is_diverged(response)) return Answer(EntriesRefused{std::nullopt, {}, detail_of(response), true});
  if (response.status == 409) {
    Result<EntriesRefused> refused = parse_refused(response);
    if (!refused) return state_->place(refused.error());
    return Answer(*std::move(refused));
  }
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  return Answer(GREFFE_TRY(answer.string("checkpoint")));
}

Result<GraftThere> ArchiveClient::graft(const std::string& origin, std::string_view checkpoint_note) {
  const HttpResponse response = GREFFE_TRY(state_->post(LogTarget{origin}.path() + "/graft", write_json(Json().set("checkpoint", checkpoint_note))));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  GraftThere out;
  out.entries = GREFFE_TRY(answer.size("entries"));
  out.hearings = GREFFE_TRY(answer.size("hearings"));
  out.number = GREFFE_TRY(answer.size("number"));
  out.size = GREFFE_TRY(answer.size("size"));
  return out;
}

Result<KnownThere> ArchiveClient::known_ahead(const LogTarget& log) {
  HttpRequest request;
  request.path = log.path() + "/ahead";
  request.max_response_bytes = kMaxAnswerBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  return parse_known(response);
}

Result<std::variant<KnownThere, AheadRefused>> ArchiveClient::post_ahead(const LogTarget& log, std::uint64_t first, const std::vector<std::string>& entries,
                                                                         std::string_view checkpoint_note) {
  using Answer = std::variant<KnownThere, AheadRefused>;
  Json body;
  body.set("checkpoint", checkpoint_note).set("entries", Json::Array(entries.begin(), entries.end())).set("first", first);
  std::string bytes = write_json(body);
  if (bytes.size() > kMaxEntriesBytes) return fail(Errc::invalid, "more entries than one request takes (16 MiB)");
  const HttpResponse response = GREFFE_TRY(state_->post(log.path() + "/ahead", std::move(bytes)));
  if (response.status == 400 && is_diverged(response)) return Answer(AheadRefused{0, detail_of(response), true});
  if (response.status == 409) {
    const Json refused = GREFFE_TRY(parse_json(response.body));
    return Answer(AheadRefused{GREFFE_TRY(refused.size("known_size")), detail_of(response), false});
  }
  if (response.status != 200) return state_->place(refusal(response));
  return Answer(GREFFE_TRY(parse_known(response)));
}

Result<HeldCheckpoint> ArchiveClient::checkpoint(const LogTarget& log, std::optional<std::uint64_t> from) {
  HttpRequest request;
  request.path = log.path() + "/checkpoint" + (from ? "?from=" + std::to_string(*from) : "");
  request.max_response_bytes = kMaxAnswerBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status == 404) return HeldCheckpoint{};
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  HeldCheckpoint held;
  held.note = GREFFE_TRY(answer.string("checkpoint"));
  held.size = GREFFE_TRY(answer.size("size"));
  held.read_back_size = GREFFE_TRY(answer.size("read_back_size"));
  if (from) held.consistency = GREFFE_TRY(digests_of(answer, "consistency"));
  if (held.read_back_size > held.size) {
    return state_->place(fail(Errc::invalid, "it says that it has read back more than it holds"));
  }
  return held;
}

Result<std::string> ArchiveClient::main_checkpoint() {
  HttpRequest request;
  request.path = "/v1/log/main/checkpoint";
  request.max_response_bytes = kMaxNoteBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  return response.body;
}

Result<std::vector<Digest>> ArchiveClient::main_consistency(std::uint64_t from, std::uint64_t to) {
  HttpRequest request;
  request.path = fmt::format("/v1/log/main/consistency?from={}&to={}", from, to);
  request.max_response_bytes = kMaxAnswerBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  return digests_of(answer, "consistency");
}

Result<std::string> ArchiveClient::certificate(const std::string& archive) {
  HttpRequest request;
  request.path = "/v1/epochs/" + archive;
  request.max_response_bytes = kMaxEntryBytes;
  HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  return std::move(response.body);
}

Result<Successors> ArchiveClient::successors() {
  HttpRequest request;
  request.path = "/v1/successors";
  request.max_response_bytes = kSuccessorsBytesMax;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  auto out = parse_successors(response.body);
  if (!out) return state_->place(out.error());
  return out;
}

Result<std::uint64_t> ArchiveClient::echo(std::string_view nonce) {
  Json body;
  body.set("nonce", nonce);
  const HttpResponse response = GREFFE_TRY(state_->post("/v1/echo", write_json(body)));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  const std::string back = GREFFE_TRY(answer.string("nonce"));
  if (back != nonce) return state_->place(fail(Errc::invalid, "it answered another question than the one it was asked"));
  return answer.size("epoch");
}

Status ArchiveClient::post_cosignatures(std::optional<HearingId> hearing, std::string_view note) {
  const std::string log = hearing ? LogTarget{*hearing}.path() : std::string("/v1/log/main");
  Json body;
  body.set("checkpoint", note);
  const HttpResponse response = GREFFE_TRY(state_->post(log + "/cosignatures", write_json(body)));
  if (response.status >= 200 && response.status < 300) return ok();
  return state_->place(refusal(response));
}

Result<Bytes> ArchiveClient::get_object(const LogTarget& log, const Digest& digest, std::optional<std::uint64_t> entry,
                                        std::optional<std::chrono::milliseconds> within) {
  HttpRequest request;
  request.path = log.path() + "/objects/" + digest.hex() + (entry ? fmt::format("?entry={}", *entry) : "");
  request.max_response_bytes = kMaxObjectBytes;
  Bytes bytes;
  Sha256 hash;
  const auto began = std::chrono::steady_clock::now();
  const auto is_late = [&] { return within && std::chrono::steady_clock::now() - began > *within; };
  request.on_body = [&](ByteView piece) -> Status {
    if (is_late()) return fail(Errc::cancelled, "its bytes come too slowly");
    hash.update(piece);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return ok();
  };
  const auto begin_anew = [&] {
    hash = Sha256();
    bytes.clear();
    return !is_late();
  };
  const auto answer = state_->send(std::move(request), begin_anew);
  if (!answer && is_late()) return fail(Errc::unavailable, answer.error().message);
  if (!answer) return answer.error();
  const HttpResponse& response = *answer;
  if (response.status != 200) return state_->place(refusal(response)).within("object " + digest.hex());
  if (hash.finish() != digest) {
    return state_->place(fail(Errc::corrupt, "it sent other bytes than this digest names")).within("object " + digest.hex());
  }
  return bytes;
}

Result<std::vector<LostThere>> ArchiveClient::lost_objects() {
  HttpRequest request;
  request.path = "/v1/lost-objects";
  request.max_response_bytes = kMaxAnswerBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  const Json::Array list = GREFFE_TRY(answer.array("objects"));
  std::vector<LostThere> out;
  for (const Json& one : list) {
    const std::string hearing = GREFFE_TRY(one.string("hearing"));
    out.push_back({GREFFE_TRY(parse_hearing_id(hearing)), GREFFE_TRY(one.digest("sha256"))});
  }
  if (!answer.has("documents")) return out;
  const std::vector<Digest> documents = GREFFE_TRY(digests_of(answer, "documents"));
  for (const Digest& digest : documents) out.push_back({std::nullopt, digest});
  return out;
}

Status ArchiveClient::return_object(const Digest& digest, ByteView bytes) {
  HttpRequest request;
  request.method = "PUT";
  request.path = "/v1/lost-objects/" + digest.hex();
  request.body_file = std::make_shared<ObjectBody>(bytes);
  request.headers.emplace_back("Content-Type", "application/octet-stream");
  request.max_response_bytes = kMaxAnswerBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status == 200 || response.status == 201) return ok();
  return state_->place(refusal(response)).within("object " + digest.hex());
}

std::string_view path_of(ComparisonStep step) {
  switch (step) {
    case ComparisonStep::begin: return "/comparison";
    case ComparisonStep::nodes: return "/comparison/nodes";
    case ComparisonStep::ids: return "/comparison/ids";
    case ComparisonStep::challenge: return "/comparison/challenge";
  }
  return "";
}

Result<std::string> ArchiveClient::ask_comparison(const LogTarget& log, ComparisonStep step, std::string question) {
  HttpResponse response = GREFFE_TRY(state_->post(log.path() + std::string(path_of(step)), std::move(question)));
  if (response.status == 200 || response.status == 202) return std::move(response.body);
  return state_->place(refusal(response)).within("comparison");
}

Result<std::uint64_t> ArchiveClient::report_absent(const AbsentObjects& absent) {
  const HttpResponse response = GREFFE_TRY(state_->post("/v1/lost-objects", write_absent_objects(absent)));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  return answer.size("lost");
}

Result<LogPiece> ArchiveClient::read_entries(const LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) {
  HttpRequest request;
  request.path = log.path() + fmt::format("/entries?first={}", first) + (last ? fmt::format("&last={}", *last) : "");
  request.max_response_bytes = kMaxEntriesBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  LogPiece piece;
  piece.note = GREFFE_TRY(answer.string("checkpoint"));
  piece.first = GREFFE_TRY(answer.size("first"));
  piece.entries = GREFFE_TRY(answer.strings("entries"));
  if (answer.has("kept")) piece.kept = GREFFE_TRY(answer.strings("kept"));
  const bool too_many = piece.entries.size() > kMaxPieceEntries || (last && piece.entries.size() > *last - std::min(first, *last));
  const bool shapeless = std::any_of(piece.entries.begin(), piece.entries.end(), [](const std::string& one) { return one.empty() || one.size() > kMaxEntryBytes; });
  if (piece.first != first || too_many || shapeless || piece.kept.size() > kMaxPieceEntries) {
    return state_->place(fail(Errc::invalid, "it answered with other entries than were asked for"));
  }
  return piece;
}

Result<std::vector<HearingId>> ArchiveClient::hearings_of_day(const std::string& origin, const std::string& day) {
  HttpRequest request;
  request.path = LogTarget{origin}.path() + "/hearings?day=" + day;
  request.max_response_bytes = kMaxEntriesBytes;
  const HttpResponse response = GREFFE_TRY(state_->send(std::move(request)));
  if (response.status != 200) return state_->place(refusal(response));
  const Json answer = GREFFE_TRY(parse_json(response.body));
  const std::vector<std::string> texts = GREFFE_TRY(answer.strings("hearings"));
  std::vector<HearingId> out;
  for (const std::string& text : texts) {
    out.push_back(GREFFE_TRY(parse_hearing_id(text)));
    if (out.size() > 1 && out[out.size() - 2] >= out.back()) return state_->place(fail(Errc::invalid, "its list of hearings is not sorted"));
  }
  return out;
}

}  // namespace greffe::client
