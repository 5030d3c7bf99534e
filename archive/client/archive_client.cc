#include "archive/client/archive_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/client/archive_channel.h"
#include "archive/client/object_body.h"
#include "archive/format/tiles.h"

namespace greffe::client {
namespace {

constexpr std::size_t kMaxDigests = 4096;
constexpr std::uint64_t kMaxEntriesBytes = 16 * 1024 * 1024;
constexpr std::size_t kMaxPieceEntries = 65'536;

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

// None: it says nothing that the sender could do first.
Result<std::optional<EntriesRefused>> parse_refused(const HttpResponse& response) {
  const Json body = GREFFE_TRY(parse_json(response.body));
  EntriesRefused refused;
  refused.detail = detail_of(response);
  if (body.has("held_size")) refused.held_size = GREFFE_TRY(body.size("held_size"));
  if (body.has("missing")) refused.missing = GREFFE_TRY(digests_of(body, "missing"));
  if (!refused.held_size && refused.missing.empty()) return std::optional<EntriesRefused>();
  return std::optional(std::move(refused));
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

}  // namespace

std::string LogTarget::path() const {
  if (const auto* hearing = std::get_if<HearingId>(&log)) return "/v1/hearings/" + hearing->text();
  return "/v1/" + foreign_log_path(std::get<std::string>(log));
}

ArchiveClient::ArchiveClient(ArchiveEndpoint endpoint, const PrivateKey& identity, std::stop_token stop)
    : channel_(std::make_unique<ArchiveChannel>(std::move(endpoint), identity, std::move(stop))) {}

ArchiveClient::~ArchiveClient() = default;

std::uint64_t ArchiveClient::server_epoch() const { return channel_->seen_epoch(); }

std::vector<std::string> ArchiveClient::nodes() const { return channel_->nodes(); }

Result<Json> ArchiveClient::enrol(const EnrolmentCode& code, const PublicKey& key) {
  // The archive enrols the key that the handshake proves, so it must be the caller's.
  if (key != channel_->own_key()) return fail(Errc::invalid, "only this client's own key can be enrolled through it");
  Json body;
  body.set("name", code.name).set("role", code.role).set("secret", code.secret);
  const HttpResponse response = GREFFE_TRY(channel_->post("/v1/enrol", write_json(body)));
  if (response.status != 200) return channel_->refusal(response);
  return parse_json(response.body);
}

Result<std::vector<Digest>> ArchiveClient::have(const LogTarget& log, const std::vector<Digest>& digests) {
  if (digests.size() > kMaxDigests) return fail(Errc::invalid, "at most 4,096 digests can be asked for at once");
  Json body;
  body.set("digests", json_of(digests));
  const HttpResponse response = GREFFE_TRY(channel_->post(log.path() + "/have", write_json(body)));
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  std::vector<Digest> missing = GREFFE_TRY(digests_of(answer, "missing"));
  // An archive that names what was not asked for would make the sender look for strangers' objects.
  for (const Digest& digest : missing) {
    if (std::find(digests.begin(), digests.end(), digest) == digests.end()) {
      return channel_->place(fail(Errc::invalid, "it misses an object that it was not asked about"));
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
  const HttpResponse response = GREFFE_TRY(channel_->send(std::move(request)));
  if (response.status == 200 || response.status == 201) return ok();
  return channel_->refusal(response).within("object " + digest.hex());
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
  const HttpResponse response = GREFFE_TRY(channel_->post(log.path() + "/entries", std::move(bytes)));
  using Answer = std::variant<std::string, EntriesRefused>;
  if (response.status == 400 && is_diverged(response)) return Answer(EntriesRefused{std::nullopt, {}, detail_of(response), true});
  if (response.status == 409) {
    auto refused = parse_refused(response);
    if (!refused) return channel_->place(refused.error());
    if (!*refused) return channel_->refusal(response);
    return Answer(**std::move(refused));
  }
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  return Answer(GREFFE_TRY(answer.string("checkpoint")));
}

Result<GraftThere> ArchiveClient::graft(const std::string& origin, std::string_view checkpoint_note) {
  const HttpResponse response = GREFFE_TRY(channel_->post(LogTarget{origin}.path() + "/graft", write_json(Json().set("checkpoint", checkpoint_note))));
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  GraftThere out;
  out.entries = GREFFE_TRY(answer.size("entries"));
  out.hearings = GREFFE_TRY(answer.size("hearings"));
  out.number = GREFFE_TRY(answer.size("number"));
  out.size = GREFFE_TRY(answer.size("size"));
  return out;
}

Result<KnownThere> ArchiveClient::known_ahead(const LogTarget& log) {
  const HttpResponse response = GREFFE_TRY(channel_->get(log.path() + "/ahead"));
  if (response.status != 200) return channel_->refusal(response);
  return parse_known(response);
}

Result<std::variant<KnownThere, AheadRefused>> ArchiveClient::post_ahead(const LogTarget& log, std::uint64_t first, const std::vector<std::string>& entries,
                                                                         std::string_view checkpoint_note) {
  using Answer = std::variant<KnownThere, AheadRefused>;
  Json body;
  body.set("checkpoint", checkpoint_note).set("entries", Json::Array(entries.begin(), entries.end())).set("first", first);
  std::string bytes = write_json(body);
  if (bytes.size() > kMaxEntriesBytes) return fail(Errc::invalid, "more entries than one request takes (16 MiB)");
  const HttpResponse response = GREFFE_TRY(channel_->post(log.path() + "/ahead", std::move(bytes)));
  if (response.status == 400 && is_diverged(response)) return Answer(AheadRefused{0, detail_of(response), true});
  if (response.status == 409) {
    const Json refused = GREFFE_TRY(parse_json(response.body));
    return Answer(AheadRefused{GREFFE_TRY(refused.size("known_size")), detail_of(response), false});
  }
  if (response.status != 200) return channel_->refusal(response);
  return Answer(GREFFE_TRY(parse_known(response)));
}

Result<HeldCheckpoint> ArchiveClient::checkpoint(const LogTarget& log, std::optional<std::uint64_t> from) {
  const HttpResponse response = GREFFE_TRY(channel_->get(log.path() + "/checkpoint" + (from ? "?from=" + std::to_string(*from) : "")));
  if (response.status == 404) return HeldCheckpoint{};
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  HeldCheckpoint held;
  held.note = GREFFE_TRY(answer.string("checkpoint"));
  held.size = GREFFE_TRY(answer.size("size"));
  held.read_back_size = GREFFE_TRY(answer.size("read_back_size"));
  if (from) held.consistency = GREFFE_TRY(digests_of(answer, "consistency"));
  if (held.read_back_size > held.size) {
    return channel_->place(fail(Errc::invalid, "it says that it has read back more than it holds"));
  }
  return held;
}

Result<std::string> ArchiveClient::main_checkpoint() {
  const HttpResponse response = GREFFE_TRY(channel_->get("/v1/log/main/checkpoint", kMaxNoteBytes));
  if (response.status != 200) return channel_->refusal(response);
  return response.body;
}

Result<std::vector<Digest>> ArchiveClient::main_consistency(std::uint64_t from, std::uint64_t to) {
  const HttpResponse response = GREFFE_TRY(channel_->get(fmt::format("/v1/log/main/consistency?from={}&to={}", from, to)));
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  return digests_of(answer, "consistency");
}

Result<std::string> ArchiveClient::certificate(const std::string& archive) {
  HttpResponse response = GREFFE_TRY(channel_->get("/v1/epochs/" + archive, kMaxEntryBytes));
  if (response.status != 200) return channel_->refusal(response);
  return std::move(response.body);
}

Result<Successors> ArchiveClient::successors() {
  const HttpResponse response = GREFFE_TRY(channel_->get("/v1/successors", kSuccessorsBytesMax));
  if (response.status != 200) return channel_->refusal(response);
  auto out = parse_successors(response.body);
  if (!out) return channel_->place(out.error());
  return out;
}

Result<std::uint64_t> ArchiveClient::echo(std::string_view nonce) {
  Json body;
  body.set("nonce", nonce);
  const HttpResponse response = GREFFE_TRY(channel_->post("/v1/echo", write_json(body)));
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  const std::string back = GREFFE_TRY(answer.string("nonce"));
  if (back != nonce) return channel_->place(fail(Errc::invalid, "it answered another question than the one it was asked"));
  return answer.size("epoch");
}

Status ArchiveClient::post_cosignatures(std::optional<HearingId> hearing, std::string_view note) {
  const std::string log = hearing ? LogTarget{*hearing}.path() : std::string("/v1/log/main");
  Json body;
  body.set("checkpoint", note);
  const HttpResponse response = GREFFE_TRY(channel_->post(log + "/cosignatures", write_json(body)));
  if (response.status >= 200 && response.status < 300) return ok();
  return channel_->refusal(response);
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
  const auto answer = channel_->send(std::move(request), begin_anew);
  if (!answer && is_late()) return fail(Errc::unavailable, answer.error().message);
  if (!answer) return answer.error();
  const HttpResponse& response = *answer;
  if (response.status != 200) return channel_->refusal(response).within("object " + digest.hex());
  if (hash.finish() != digest) {
    return channel_->place(fail(Errc::corrupt, "it sent other bytes than this digest names")).within("object " + digest.hex());
  }
  return bytes;
}

Result<std::vector<LostThere>> ArchiveClient::lost_objects() {
  const HttpResponse response = GREFFE_TRY(channel_->get("/v1/lost-objects"));
  if (response.status != 200) return channel_->refusal(response);
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
  const HttpResponse response = GREFFE_TRY(channel_->send(std::move(request)));
  if (response.status == 200 || response.status == 201) return ok();
  return channel_->refusal(response).within("object " + digest.hex());
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
  HttpResponse response = GREFFE_TRY(channel_->post(log.path() + std::string(path_of(step)), std::move(question)));
  if (response.status == 200 || response.status == 202) return std::move(response.body);
  return channel_->refusal(response).within("comparison");
}

Result<std::uint64_t> ArchiveClient::report_absent(const AbsentObjects& absent) {
  const HttpResponse response = GREFFE_TRY(channel_->post("/v1/lost-objects", write_absent_objects(absent)));
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  return answer.size("lost");
}

Result<LogPiece> ArchiveClient::read_entries(const LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) {
  const HttpResponse response = GREFFE_TRY(channel_->get(log.path() + fmt::format("/entries?first={}", first) + (last ? fmt::format("&last={}", *last) : ""), kMaxEntriesBytes));
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  LogPiece piece;
  piece.note = GREFFE_TRY(answer.string("checkpoint"));
  piece.first = GREFFE_TRY(answer.size("first"));
  piece.entries = GREFFE_TRY(answer.strings("entries"));
  if (answer.has("kept")) piece.kept = GREFFE_TRY(answer.strings("kept"));
  const bool too_many = piece.entries.size() > kMaxPieceEntries || (last && piece.entries.size() > *last - std::min(first, *last));
  const bool shapeless = std::any_of(piece.entries.begin(), piece.entries.end(), [](const std::string& one) { return one.empty() || one.size() > kMaxEntryBytes; });
  if (piece.first != first || too_many || shapeless || piece.kept.size() > kMaxPieceEntries) {
    return channel_->place(fail(Errc::invalid, "it answered with other entries than were asked for"));
  }
  return piece;
}

Result<std::vector<HearingId>> ArchiveClient::hearings_of_day(const std::string& origin, const std::string& day) {
  const HttpResponse response = GREFFE_TRY(channel_->get(LogTarget{origin}.path() + "/hearings?day=" + day, kMaxEntriesBytes));
  if (response.status != 200) return channel_->refusal(response);
  const Json answer = GREFFE_TRY(parse_json(response.body));
  const std::vector<std::string> texts = GREFFE_TRY(answer.strings("hearings"));
  std::vector<HearingId> out;
  for (const std::string& text : texts) {
    out.push_back(GREFFE_TRY(parse_hearing_id(text)));
    if (out.size() > 1 && out[out.size() - 2] >= out.back()) return channel_->place(fail(Errc::invalid, "its list of hearings is not sorted"));
  }
  return out;
}

Result<SharesTold> ArchiveClient::shares(const LookedAt& looked_at) {
  const HttpResponse response = GREFFE_TRY(channel_->post("/v1/shares", write_shares_question(looked_at)));
  if (response.status != 200) return channel_->refusal(response);
  auto told = parse_shares_told(response.body);
  if (!told) return channel_->place(told.error());
  return told;
}

}  // namespace greffe::client
